// Messages use this package's names of options, and stacks name the caller's line.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LlmClient, QueueFullError } from '../dist/node.js';
import { sources } from './sources.mjs';

const { wording } = await sources({ wording: 'base/wording.ts' });
const core = new URL('../../core/src/', import.meta.url);

/** The texts of the core's code, without its tests: literals, their lines joined. */
function texts() {
  const all = [];
  for (const name of readdirSync(core, { recursive: true })) {
    // Messages about reading the environment, and about features that only native programs have; the package has a tool loop of its own.
    if (!name.endsWith('.rs') || /test|cases\.rs|^config\/|^host\.rs|^toolbox\//.test(name)) continue;
    const code = readFileSync(new URL(name, core), 'utf8').split(/#\[cfg\(test\)\]\s*mod /)[0].replaceAll(/^\s*\/\/.*$/gm, '');
    for (const [, text] of code.matchAll(/"((?:[^"\\]|\\[^])*)"/g)) all.push({ name, text: text.replaceAll(/\\\n\s*/g, '').replaceAll('\\"', '"') });
  }
  return all;
}

/** Names that exist only in Rust and in the environment. */
const FOREIGN = /\bLLM_[A-Z_]+|\b[A-Z][a-z]\w*::\w+|\.[a-z_]+\((?=\w*\))|\b(max_tokens|max_request_bytes|reasoning_effort|tokens_per_minute|token_burst|with_header|gather_with_limit)\b/;

test('no message of the core names an option as Rust does', () => {
  const said = texts().filter(({ text }) => text.length < 400 && / [a-z]/.test(text) && !/\n\s/.test(text) && FOREIGN.test(text));
  assert.ok(said.length > 10, `${said.length}`);
  // As it is once its values are in their places, behind what may come before it.
  const left = said.filter(({ text }) => ['', 'set ', 'leave it out'].every((before) =>
    FOREIGN.test(wording.spoken(before + text.replaceAll(/\{[^}]*\}/g, '7')))));
  assert.deepEqual(left, [], 'the words for JavaScript belong into ts/base/wording.ts');
});

test('what a server says stays as it is', () => {
  const text = 'max_tokens is too large: set LLM_MODEL, or reasoning_effort; see Provider::allow_http';
  assert.equal(wording.spoken(text), text);
});

test('a fetch that a browser refuses says to check CORS', () => {
  const advice = 'check the network, the proxy and the base URL (LLM_BASE_URL)';
  for (const reason of ['Failed to fetch', 'NetworkError when attempting to fetch resource.', 'Load failed']) {
    assert.match(wording.spoken(`openai: ${reason} (attempts 3); ${advice}`), /; check the network, the base URL \(baseURL\), and that the server allows this page \(CORS\)$/);
  }
  assert.match(wording.spoken(`openai: getaddrinfo ENOTFOUND (attempts 3); ${advice}`), /the proxy and the base URL \(baseURL\)$/);
});

test('a full queue says what to set', async () => {
  const client = new LlmClient({ mock: () => new Promise(() => {}), workers: 1, queueSize: 0, waitForQueue: false });
  const controller = new AbortController();
  const first = client.chatAsync('a', { signal: controller.signal });
  await assert.rejects(client.chatAsync('b'), (error) => error instanceof QueueFullError
    && /waitForQueue/.test(error.message) && /queueSize or workers/.test(error.message) && !/LLM_|WhenFull/.test(error.message));
  controller.abort();
  await assert.rejects(first, { code: 'aborted' });
});

test('a stack names the line of the call, and begins with the error', async () => {
  const failing = new LlmClient({ mock: () => { throw new Error('mine'); }, maxAttempts: 1 });
  async function theCaller(call) {
    const caught = await call().catch((error) => error);
    const [head, first] = caught.stack.split('\n    at ');
    assert.equal(head, `${caught.name}: ${caught.message}`);
    return first;
  }
  for (const call of [
    () => failing.chatAsync('x'), () => failing.chatWithContextAsync([{ role: 'user', content: 'x' }]), () => failing.chatStream('x').final(),
    () => failing.chatAsync('x', { maxTokens: 0 }), () => failing.chatAsync('x', { signal: AbortSignal.abort() }),
    async () => { throw (await failing.processBatch(['x']))[0].error; },
  ]) assert.match(await theCaller(call), /wording\.test\.mjs:\d+/, String(call));
  assert.throws(() => new LlmClient({ baseUrl: 'x' }), (error) => /wording\.test\.mjs:\d+/.test(error.stack.split('\n')[1]));
});
