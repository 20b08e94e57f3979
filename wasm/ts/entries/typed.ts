// The chunk of the default entry with the code for typed answers.
/** @internal */
export { ask, prepare, Values } from '../typed/ask.js';
/** @internal */
export { Wanted } from '../typed/wanted.js';
