// `chatcore/asset`: the module is a file of its own beside this one, which servers compress and browsers cache as
// compiled code. Tools that know `new URL(…, import.meta.url)` copy it to the build.
import { setSource } from '../border/load.js';

setSource(() => fetch(new URL('./core.wasm', import.meta.url)));

export * from '../api/exports.js';
