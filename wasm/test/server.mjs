// The loopback server that misbehaves, as a child process. `node test/server.mjs` builds it, and the program `chatcore`. npm
// does so before the tests, because they have time limits and must not wait for a compiler.
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('../..', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const what of [['chatcore-tests', '--bin', 'loopback'], ['chatcore-cli']]) {
    const { status } = spawnSync('cargo', ['build', '-p', ...what], { cwd, stdio: 'inherit' });
    process.exitCode ||= status ?? 1;
  }
}

/** Starts the server; `stop()` ends it. */
export async function start() {
  const child = spawn('cargo', ['run', '-q', '-p', 'chatcore-tests', '--bin', 'loopback'], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  const base = await new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the loopback server ended with ${code}`)));
  });
  const get = async (path) => {
    const answer = await fetch(`${base}/${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.json();
  };
  return {
    base,
    requests: (key) => get(`_requests/${key}`),
    waitRequest: (key, n = 1) => get(`_wait_request/${key}/${n}`),
    waitClosed: (key) => get(`_wait_closed/${key}`),
    release: (name, n = 1) => get(`_release/${name}/${n}`),
    stop: () => child.stdin.end(),
  };
}

/** A base URL where nobody listens. */
export async function nobody() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}/v1`;
}
