// The chunk of the default entry with all dialects.
// @ts-expect-error: made by the build
import { inlined } from '../../pkg/all/inline.js';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';
import { inflateText } from '../border/inflate.js';
import type { Loaded } from '../border/load.js';

/** @internal */
export const load = async (): Promise<Loaded> => ({ wasm: await inflateText(inlined), makeBindings });
