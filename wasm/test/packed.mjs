// An empty project in a temporary folder, with the packed tarball installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const wasm = fileURLToPath(new URL('..', import.meta.url));

/** Packs and installs the package; `installed` is what npm said, and `remove()` deletes the folder. */
export function project() {
  const folder = mkdtempSync(join(tmpdir(), 'chatcore-pack-'));
  const run = (program, words, cwd = folder, env = {}) => execFileSync(
    program, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const packed = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], wasm));
  const { filename } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
  const tarball = join(folder, filename);
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true}');
  const { status, stdout, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { folder, tarball, run, installed: stdout + stderr, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
