// The chunk of the entries for pages with the bindings of the module with everything.
/** @internal */
// @ts-expect-error: made by the build
export { makeBindings } from '../../pkg/all/bindings.js';

/** The build defines it. */
declare const ALL_BUILD: string;

/** @internal The build of the module to which the bindings belong. */
export const build = ALL_BUILD;
