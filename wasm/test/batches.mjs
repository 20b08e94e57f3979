// What the tests of journals share: a provider that counts the requests of each prompt, a folder, the program `chatcore`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const refusals = {
  bad: [400, { message: 'bad prompt', type: 'invalid_request_error', param: 'messages', code: 'bad' }],
  key: [401, { message: 'bad key', code: 'invalid_api_key' }],
  quota: [429, { message: 'no quota', type: 'insufficient_quota', code: 'insufficient_quota' }],
};

/**
 * Answers `echo: PROMPT`. A prompt that begins with a word of `refusals` is refused while `server.refuses`. `hold` is a
 * number of requests after which no answer comes until `free()`; `count` is a map from prompts to their requests.
 */
export async function provider() {
  const count = new Map();
  let [total, hold, held, watching] = [0, Infinity, [], []];
  const state = { refuses: true, bodies: [], headers: [] };
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*');
    if (request.method === 'OPTIONS') return response.end();
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks));
    state.bodies.push(body);
    state.headers.push(request.headers);
    const prompt = body.messages.at(-1).content;
    count.set(prompt, (count.get(prompt) ?? 0) + 1);
    total += 1;
    for (const watch of watching.splice(0)) watch();
    if (total > hold) await new Promise((resolve) => held.push(resolve));
    const refusal = state.refuses && refusals[prompt.split(' ')[0]];
    response.statusCode = refusal ? refusal[0] : 200;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(refusal ? { error: refusal[1] } : {
      id: 'x', object: 'chat.completion', created: 1, model: body.model,
      choices: [{ index: 0, message: { role: 'assistant', content: `echo: ${prompt}` }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    }));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return Object.assign(state, {
    base: `http://127.0.0.1:${server.address().port}/v1`,
    count,
    total: () => total,
    hold: (requests) => { hold = total + requests; },
    free: () => {
      hold = Infinity;
      for (const answer of held.splice(0)) answer();
    },
    /** Resolves when this many requests have come. */
    until: async (requests) => { while (total < requests) await new Promise((resolve) => watching.push(resolve)); },
    reset: () => { count.clear(); total = 0; state.bodies = []; },
    stop: () => { server.closeAllConnections(); server.close(); },
  });
}

/** A temporary folder. */
export function folder() {
  const at = mkdtempSync(join(tmpdir(), 'chatcore-journal-'));
  const path = (name) => join(at, name);
  const read = (name) => { try { return readFileSync(path(name), 'utf8'); } catch { return ''; } };
  return {
    path, read,
    write: (name, text) => { writeFileSync(path(name), text); return path(name); },
    names: () => readdirSync(at).sort(),
    /** The whole lines of a file of results. */
    lines: (name) => read(name).split('\n').slice(0, -1).map((line) => JSON.parse(line)),
    remove: () => rmSync(at, { recursive: true, force: true }),
  };
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The path of the program `chatcore`, which `npm test` builds. */
export function program() {
  const { target_directory: target } = JSON.parse(execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], { cwd: root, maxBuffer: 1 << 28 }));
  return join(target, 'debug', process.platform === 'win32' ? 'chatcore.exe' : 'chatcore');
}

/** The environment of a program that uses the provider. */
export const environment = (base) => ({
  PATH: process.env.PATH, LLM_PROVIDER: 'openai_compatible', LLM_BASE_URL: base, LLM_MODEL: 'm', LLM_API_KEY: 'test-key-0123456789',
});

/** The options of a client with the same settings. */
export const options = (base) => ({ provider: 'openai_compatible', baseURL: base, model: 'm', apiKey: 'test-key-0123456789', workers: 8 });

/** Lines of requests, each with a name. */
export const requests = (count, from = 0) =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ custom_id: `n${from + n}`, prompt: `p${from + n}` })}\n`).join('');
