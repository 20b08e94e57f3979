// The server as a child process, for the tests in JavaScript, and what they use of wasm/'s packages.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The root of the workspace. */
export const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** From the packages that wasm/ has installed. */
export const require = createRequire(new URL('../../../../wasm/package.json', import.meta.url));

const program = process.env.CHATCORE_SERVER ?? `${root}target/debug/server`;

function child(command, args, env) {
  const kept = Object.entries(process.env)
    .filter(([name]) => !/^(LLM_|CHATCORE_|DEEPSEEK_|OPENAI_|ANTHROPIC_|USE_MOCK)/.test(name));
  return spawn(command, args, {
    cwd: root, env: { ...Object.fromEntries(kept), ...env }, stdio: ['pipe', 'pipe', 'inherit'],
  });
}

function firstLine(started) {
  return new Promise((resolve, reject) => {
    createInterface(started.stdout).once('line', resolve);
    started.once('error', reject);
    started.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
  });
}

/** Starts the server with these variables; `stop()` ends it, and gives its exit code. */
export async function start(env = {}) {
  const started = child(program, ['--addr', '127.0.0.1:0'], { CHATCORE_REQUESTS_PER_MINUTE: '0', ...env });
  const base = await firstLine(started);
  const ended = new Promise((resolve) => started.once('exit', resolve));
  return {
    base,
    status: async () => (await fetch(`${base}/status`)).json(),
    stop: () => { started.kill('SIGTERM'); return ended; },
  };
}

/** Starts the loopback server that plays the provider, and misbehaves as the path says. */
export async function upstream() {
  const started = child(`${root}target/debug/loopback`, [], {});
  const base = await firstLine(started);
  const get = async (path) => (await fetch(`${base}/${path}`)).json();
  return {
    base,
    waitRequest: (key, n = 1) => get(`_wait_request/${key}/${n}`),
    waitClosed: (key) => get(`_wait_closed/${key}`),
    release: (name, n = 1) => get(`_release/${name}/${n}`),
    stop: () => started.stdin.end(),
  };
}

/** What stands for a provider. */
export const provider = (base) => ({
  LLM_PROVIDER: 'openai_compatible', LLM_BASE_URL: base, LLM_MODEL: 'tiny', LLM_API_KEY: 'sk-the-providers-key',
});

/** Waits until `reached` is true of what `look` gives. */
export async function until(look, reached) {
  for (let tries = 0; tries < 1000; tries += 1) {
    const seen = await look();
    if (reached(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it was never so');
}
