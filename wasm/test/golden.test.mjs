// Each line that the core writes (tests/golden/border.jsonl, which a Rust test checks) becomes the right typed event, part,
// answer or error.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sources } from './sources.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const lines = readFileSync(path('../../tests/golden/border.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const of = (what) => lines.filter((line) => line.of === what);
const { errors, event, response } = await sources({ errors: 'base/errors.ts', event: 'border/event.ts', response: 'border/response.ts' });

const events = of('event').map(({ wire }) => event.eventOf(wire));
const parts = events.filter(({ type }) => type === 'part').map(({ part }) => part);

test('every event, part, phase and code is one that the types know, and the other way round', () => {
  const all = (values) => JSON.stringify([...new Set(values)]);
  const phases = of('error').map(({ wire }) => wire.phase).filter(Boolean);
  const folder = mkdtempSync(join(tmpdir(), 'chatcore-golden-'));
  try {
    // The compiler refuses a value whose `type` or whose fields are not in the types.
    writeFileSync(join(folder, 'golden.mts'), `
import type { ChatEvent, ErrorCode, ImagePart, Part, TimeoutPhase } from ${JSON.stringify(path('../dist/types/entries/index.js'))};
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const events: ChatEvent[] = ${JSON.stringify(events, undefined, 1)};
export const parts: Part[] = ${JSON.stringify(parts, undefined, 1)};
const eventTypes = ${all(events.map(({ type }) => type))} as const;
const partTypes = ${all(parts.map(({ type }) => type))} as const;
const sources = ${all(parts.filter(({ source }) => source).map(({ source }) => source.type))} as const;
const phases = ${all(phases)} as const;
const codes = ${all(of('error').map(({ kind }) => kind))} as const;
export const checks: true[] = [
  true satisfies Same<ChatEvent['type'], typeof eventTypes[number]>,
  true satisfies Same<Part['type'], typeof partTypes[number]>,
  true satisfies Same<ImagePart['source']['type'], typeof sources[number]>,
  true satisfies Same<TimeoutPhase, typeof phases[number]>,
  true satisfies Same<ErrorCode, typeof codes[number]>,
];
`);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files: ['golden.mts'], compilerOptions: {
      strict: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom'], types: [], module: 'nodenext',
    } }));
    execFileSync(path('../node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout ?? error);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what an event holds', () => {
  for (const [index, { wire }] of of('event').entries()) {
    if (wire.type !== 'usage') assert.deepEqual(events[index], wire);
  }
  const usages = events.filter(({ type }) => type === 'usage').map(({ usage }) => usage);
  assert.deepEqual(usages, [{ inputTokens: 9, outputTokens: 5 }, {
    inputTokens: 9, outputTokens: 5, cacheReadTokens: 1, cacheWriteTokens: 2, reasoningTokens: 0, rawJson: '{"cost":0.5}',
  }]);
});

// The plain `LlmError` is for errors that are no failure of a call.
const CLASSES = {
  config: 'LlmError', invalid_input: 'InvalidInputError', auth: 'AuthError', bad_request: 'BadRequestError',
  not_found: 'BadRequestError', rate_limited: 'RateLimitError', quota_exceeded: 'RateLimitError', overloaded: 'ServerError',
  server: 'ServerError', connection: 'ConnectionError', timeout: 'TimeoutError', truncated: 'StreamError', out_of_tokens: 'StreamError', invalid_output: 'StreamError',
  protocol: 'StreamError', response_too_large: 'StreamError', queue_full: 'QueueFullError', closed: 'ClosedError',
  journal: 'LlmError', limit_reached: 'LlmError', internal: 'LlmError', aborted: 'AbortError',
};

test('every error has its class', () => {
  for (const { kind, wire } of of('error')) {
    const error = errors.fromView(wire);
    const expected = wire.in_stream ? 'StreamError' : CLASSES[kind];
    assert.ok(expected, `the class of ${kind} is not decided: see CLASSES here and in ts/base/errors.ts`);
    assert.equal(error.name, expected, kind);
    assert.deepEqual([error.code, error.message, error.retryable], [wire.code, wire.message, wire.retryable]);
    assert.equal(error.phase, wire.phase ?? (expected === 'TimeoutError' ? 'overall' : undefined));
  }
});

test('an error of which all is known loses nothing', () => {
  const { wire } = of('error').find((line) => line.wire.status);
  const error = errors.fromView(wire);
  const { stack: _, ...held } = error;
  assert.deepEqual(held, {
    code: 'rate_limited', status: 429, retryable: true, retryAfterMs: 1500, requestId: 'req-1', attempts: 0,
    partialText: 'What had co', providerCode: 'rate_limit_exceeded', param: 'model', body: '{"error":{}}',
  });
});

test('a whole answer, and the same at the end of a stream', () => {
  const [empty, , short, folded, full] = of('response').map(({ wire }) => response.response(wire.response ?? wire));
  assert.deepEqual([empty.text, empty.finishReason, empty.usage, empty.toolCalls], ['', null, null, []]);
  assert.deepEqual([short.text, short.message, short.finishReason], ['yes', { role: 'assistant', content: 'yes' }, 'stop']);
  assert.deepEqual(folded, short);
  assert.deepEqual(full.message, { role: 'assistant', content: parts, name: 'it', extra: { own: [1, null, { a: 0.5 }] } });
  const { toolCalls, reasoning, refusal, id, model, finishReason, finishReasonRaw, usage, requestId, attempts, skippedEvents } = full;
  assert.deepEqual(toolCalls, parts.filter(({ type }) => type === 'tool_call'));
  assert.deepEqual(
    [reasoning, refusal, id, model, finishReason, finishReasonRaw, usage.reasoningTokens, requestId, attempts, skippedEvents],
    ['hmhm', 'no', 'id-1', 'm', 'tool_calls', 'tool_use', 0, 'req-1', 2, 3]);
});
