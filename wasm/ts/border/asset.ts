// The module as a file beside the entry, which the browser compiles while it arrives, and caches as compiled code. Where
// that file cannot be had, the module comes from a chunk that has it as text.
import { checkBuild } from './build.js';
import { compile, type WasmSource } from './load.js';

// A bundler that copies the file gives it another name. A bundler that leaves the URL as it is (esbuild, Rollup) has moved the
// entry, so the file is not beside it: asking for it would cost a round trip, and an error in the console. Without a bundler
// the file is in the package's folder `dist`, or in a folder with the contents of that.
const OF_PACKAGE = /\/chatcore[^/]*\/(dist\/)?[^/]+$/;
const OWN_NAME = /\/core(-chat)?\.wasm$/;

/** Whether the file is likely to be there. */
const isThere = ({ protocol, pathname }: URL) => protocol !== 'file:' && (!OWN_NAME.test(pathname) || OF_PACKAGE.test(pathname));

/** Whether a module's file could not be had, and its chunk could. */
let usesChunks = false;

/**
 * @internal
 * Compiles the module of this build at the URL, or loads that of a chunk. `url` throws where `import.meta.url` is unknown. A
 * server may answer unknown paths with its page, or with the file of another version, and a Content-Security-Policy may
 * refuse the request.
 */
export async function fromFileOrChunk(build: string, url: () => URL, chunk: () => Promise<WasmSource>): Promise<WasmSource> {
  if (!usesChunks) {
    try {
      const at = url();
      if (isThere(at)) {
        const module = await compile(await fetch(at));
        checkBuild(module, build);
        return module;
      }
    } catch { /* if the chunk cannot be had either, its error is reported */ }
  }
  const wasm = await chunk();
  usesChunks = true;
  return wasm;
}
