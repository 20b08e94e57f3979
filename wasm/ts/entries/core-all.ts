// The chunk of the default entry with all dialects.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';
import { inflateText } from '../border/inflate.js';
import type { Loaded } from '../border/load.js';

/** The build defines it at the top of the file. */
declare const CHATCORE_WASM: string;

/** @internal */
export const load = async (): Promise<Loaded> => ({ wasm: await inflateText(CHATCORE_WASM), makeBindings });
