// An empty project in a temporary folder, with the packed tarball installed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const wasm = fileURLToPath(new URL('..', import.meta.url));

/** Packs and installs the package; `remove()` deletes the folder. */
export function project() {
  const folder = mkdtempSync(join(tmpdir(), 'chatcore-pack-'));
  const run = (program, words, cwd = folder, env = {}) => execFileSync(
    program, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const packed = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], wasm));
  const { filename } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
  const tarball = join(folder, filename);
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true}');
  run('npm', ['install', '--no-audit', '--no-fund', tarball]);
  return { folder, tarball, run, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
