// The module stands in the entry itself, as gzip in base64, so that every tool takes it without configuration.
// First, so that compressors have it apart from the code.
// @ts-expect-error: made by the build
import { inlined } from '../../pkg/inline.js';
import { inflate } from '../border/inflate.js';
import { setSource } from '../border/load.js';

setSource(() => inflate(Uint8Array.from(atob(inlined as string), (letter) => letter.charCodeAt(0))));

export * from '../api/exports.js';
