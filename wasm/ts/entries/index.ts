// First, so that compressors have it apart from the code.
// @ts-expect-error: made by the build
import { inlined, size } from '../../pkg/inline.js';
import { setSource } from '../border/load.js';
import { unpack } from '../packing/unpack.js';

setSource(() => unpack(Uint8Array.from(atob(inlined as string), (letter) => letter.charCodeAt(0)), size as number));

export * from '../api/exports.js';
