// The chunk of the entries for pages with the bindings of the module with everything.
/** @internal */
// @ts-expect-error: made by the build
export { makeBindings } from '../../pkg/all/bindings.js';
