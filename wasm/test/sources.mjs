// Modules of ts/ for tests of what the package does not export.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the modules together, so that they share their imports, and returns each under its name. */
export async function sources(files) {
  const contents = Object.entries(files).map(([name, file]) => `export * as ${name} from './${file}';`).join('\n');
  const { outputFiles: [{ text }] } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../ts', import.meta.url)) },
    bundle: true, write: false, format: 'esm', target: 'es2022', external: ['node:*'],
  });
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
}
