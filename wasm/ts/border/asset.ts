// The module as a file beside the entry, which the browser compiles while it arrives, and caches as compiled code. Where
// that file cannot be had, the module comes from a chunk that has it inside.
import { compile, type WasmSource } from './load.js';

/**
 * The path of the file in a copy of the package: in its folder `dist`, or where somebody has put the contents of that. A
 * bundler that copies the file gives it another name. A bundler that leaves the URL as it is (esbuild, Rollup) has moved the
 * entry, so that the file is not beside it: asking for it would cost a round trip, and an error in the console.
 */
const OF_PACKAGE = /\/chatcore[^/]*\/(dist\/)?[^/]+$/;
const OWN_NAME = /\/core(-chat)?\.wasm$/;

/** @internal Whether the file is likely to be there. */
export const isThere = ({ protocol, pathname }: URL) => protocol !== 'file:' && (!OWN_NAME.test(pathname) || OF_PACKAGE.test(pathname));

/** Whether the file of one module could not be had, and its chunk could. */
let isInside = false;

/**
 * @internal
 * Compiles the module at the URL, or the one of a chunk. `url` throws where `import.meta.url` is unknown. A server may answer
 * with its page for unknown paths, and a Content-Security-Policy may refuse the request.
 */
export async function fromFileOrChunk(url: () => URL, chunk: () => Promise<WasmSource>): Promise<WasmSource> {
  if (!isInside) {
    try {
      const at = url();
      if (isThere(at)) return await compile(await fetch(at));
    } catch { /* what is wrong with the chunk, too, is reported */ }
  }
  const inside = await chunk();
  isInside = true;
  return inside;
}
