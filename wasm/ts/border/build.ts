// Whether a module is of the same build as the script. The files of a page may be of two versions, because a browser or a
// cache on the way has kept one of them: the names that a module and its bindings share are short, and mean something else
// in another version.
import { LlmError } from '../base/errors.js';

/** @internal Throws if the module is of another build. One that names no build, because a tool has taken its sections away, is accepted. */
export function checkBuild(module: WebAssembly.Module, build: string): void {
  const { customSections } = WebAssembly.Module as Partial<typeof WebAssembly.Module>;
  const [section] = customSections?.call(WebAssembly.Module, module, 'chatcore') ?? [];
  if (!section || String.fromCharCode(...new Uint8Array(section)) === build) return;
  throw new LlmError('the WebAssembly module is of another version of chatcore than the script: a file of an older version is in a cache or was left on '
    + 'the server; deploy the .wasm files with the script, in a folder whose name changes with each version', { code: 'config' });
}
