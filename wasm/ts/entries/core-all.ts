// The chunk of the default entry that has the module with everything inside.
import { inflateText } from '../border/inflate.js';

/** The build defines it at the top of the file. */
declare const CHATCORE_WASM: string;

/** @internal */
export const load = () => inflateText(CHATCORE_WASM);
