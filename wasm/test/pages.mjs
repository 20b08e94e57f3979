// A server of folders, for the tests of pages.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A path beside this file. */
export const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Serves folders by the beginnings of their paths. The parameter `csp` of a page is its Content-Security-Policy. */
export function serve(folders) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x');
    const at = normalize(url.pathname);
    const mount = Object.keys(folders).find((prefix) => at.startsWith(prefix));
    try {
      const rest = at.slice(mount.length);
      const file = join(folders[mount], rest === '' || rest.endsWith('/') ? `${rest}index.html` : rest);
      // The strictest policy that works.
      if (mount === '/esbuild/') response.setHeader('content-security-policy', "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src http:");
      if (url.searchParams.has('csp')) response.setHeader('content-security-policy', url.searchParams.get('csp'));
      const type = mount.startsWith('/untyped/') && extname(file) === '.wasm' ? undefined : types[extname(file)];
      response.setHeader('content-type', type ?? 'application/octet-stream').end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
