// The defaults in documentation comments are those of the core's tables.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sources } from './sources.mjs';

const { tables } = await sources({ tables: 'base/tables.ts' });
const { ADAPTIVE, BATCH, CONVERSATION, GATHER_LIMIT, MAX_REQUEST_BYTES, PROMPT, PROVIDERS, SETTINGS, TIMEOUTS } = tables;
const read = (name) => readFileSync(new URL(`../ts/${name}.ts`, import.meta.url), 'utf8');

/** What each property's comment must name as its default. */
const EXPECTED = {
  'TimeLimits.byteIdle': [TIMEOUTS.byteIdle], 'TimeLimits.overall': [TIMEOUTS.overall],
  'ChatOptions.temperature': [PROMPT.temperature, CONVERSATION.temperature], 'ChatOptions.maxTokens': [PROMPT.maxTokens],
  'Adaptive.start': [ADAPTIVE.start], 'Adaptive.min': [ADAPTIVE.min], 'Adaptive.max': [ADAPTIVE.max],
  'ClientOptions.workers': [Number(SETTINGS.LLM_ASYNC_WORKERS.default)],
  'ClientOptions.queueSize': [Number(SETTINGS.LLM_ASYNC_QUEUE_SIZE.default)],
  'ClientOptions.maxAttempts': [Number(SETTINGS.LLM_MAX_RETRIES.default)],
  'ClientOptions.timeoutMs': [TIMEOUTS.overall], 'ClientOptions.maxRequestBytes': [MAX_REQUEST_BYTES],
  'BatchOptions.concurrency': [BATCH.maxWorkers], 'SchemaOptions.repairs': [0],
  ...Object.fromEntries(Object.entries(BATCH).map(([name, value]) => [`BatchProcessorOptions.${name}`, [value]])),
};

/** The properties of interfaces, and the comments before them. */
function properties(text) {
  const found = [];
  for (const [, type, body] of text.matchAll(/export interface (\w+)[^{]*\{\n([^]*?)\n\}/g)) {
    for (const [, comment, name] of body.matchAll(/\/\*\*([^]*?)\*\/\s*(?:readonly )?(\w+)\??:/g)) found.push([`${type}.${name}`, comment]);
  }
  return found;
}

test('the defaults in comments are those of the tables', () => {
  const seen = {};
  for (const [name, comment] of ['api/options', 'base/types', 'api/batch'].flatMap((file) => properties(read(file)))) {
    // The numbers of the sentence that begins with the default.
    const [, sentence] = /[Dd]efault:? ([^;]*)/.exec(comment.replaceAll(/\s*\*\s+/g, ' ')) ?? [];
    const numbers = [...(sentence ?? '').matchAll(/(?<![\w`])\d[\d,]*(?:\.\d+)?/g)].map(([number]) => Number(number.replaceAll(',', '')));
    if (/^\d/.test(sentence ?? '')) seen[name] = numbers.slice(0, EXPECTED[name]?.length ?? 1);
  }
  assert.deepEqual(seen, Object.fromEntries(Object.keys(seen).map((name) => [name, EXPECTED[name]])));
  assert.deepEqual(Object.keys(EXPECTED).filter((name) => !(name in seen)), []);
});

test('the methods name the defaults of the tables', () => {
  const client = read('api/client');
  for (const [method, { temperature, maxTokens }] of [['chatAsync', PROMPT], ['chatWithContextAsync', CONVERSATION]]) {
    const [, comment] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*${method}\\(`).exec(client);
    assert.match(comment, new RegExp(`temperature ${temperature}, at most ${maxTokens} tokens`), method);
  }
  assert.match(read('api/helpers'), new RegExp(`limit: number = GATHER_LIMIT`));
  assert.equal(GATHER_LIMIT, 10);
});

test('the provider that is asked where nobody names one is one of the table', () => {
  assert.ok(SETTINGS.LLM_PROVIDER.default in PROVIDERS);
  assert.match(read('api/options'), new RegExp(`Default \`${SETTINGS.LLM_PROVIDER.default}\``));
});
