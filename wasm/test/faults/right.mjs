// What the client must make of each reply.
import assert from 'node:assert/strict';

const text = (text) => ({ text });
const calls = (...calls) => ({ calls });
/** An error: its class and code, its message, and the partial text. */
const error = (name, code, says, partial = '') => ({ name, code, says, partial });
/** The same, and the request is not repeated. */
const final = (...rest) => ({ ...error(...rest), requests: 1 });
const OSLO = calls(['call_a', 'weather', '{"city":"Oslo"}']);

const RIGHT = {
  'choice-index-token': text('Hello!'),
  'choice-index-1-stream': text('Hello'),
  'error-field-mid': error('StreamError', 'server', 'slot was lost', 'Hel'),
  'error-bare-mid': final('StreamError', 'bad_request', 'exceeds the context size', 'Hel'),
  'content-0.005': text('It costs $0.005 each, [1], true'),
  'error-choice': error('StreamError', 'server', 'upstream timed out', 'Partial '),
  'ids-change': OSLO,
  'index-wanders': OSLO,
  'sentinel-after-text': text('Hello'),
  'function-call-empty-strings': text('Hi you'),
  'no-done-held': text('Hello'),
  'no-done-heartbeats': text('Hello'),
  'a-ping-empty': text('Hello'),
  'ping-time': text('Hello'),
  'error-event-text': error('StreamError', 'server', 'upstream gone', 'Hel'),
  'single-newlines': text('Hello'),
  // Hosts decode the body.
  'gzip-stream': text('Hello'),
  '422-mistral': final('BadRequestError', 'bad_request', 'Extra inputs are not permitted'),
  '429-kimi': final('RateLimitError', 'quota_exceeded', 'account is suspended'),
  'minimax-stream': final('StreamError', 'quota_exceeded', 'insufficient balance'),
  'surrogates-split': text('a😀b'),
  'tool-calls-object': text('Hi'),
  'delta-list': text('Hello'),
  'index-string': calls(['a', 'f', '{"x":1}'], ['b', 'g', '{"y":2}']),
  'usage-strings': { ...text('Hello'), usage: [11, 7] },
  'finish-word-null': error('StreamError', 'truncated', '', 'Hello'),
  'error-empty': text('Hello'),
  'done-lower': text('Hello'),
  'slow-first-byte': text('Hello'),
};

/** Whether the right result is known. */
export const isKnown = (name) => Object.hasOwn(RIGHT, name);

/** Checks the result of a reply: an answer or an error, and the number of requests. */
export function check(name, told, requests) {
  const right = RIGHT[name];
  if (right.code) {
    assert.ok(told instanceof Error, `an error was due: ${JSON.stringify(told)}`);
    assert.deepEqual([told.name, told.code, told.partialText ?? ''], [right.name, right.code, right.partial], told.message);
    assert.ok(told.message.includes(right.says), told.message);
    if (right.code === 'quota_exceeded') assert.match(told.message, /balance and billing/);
    if (right.requests) assert.equal(requests, right.requests);
    return;
  }
  if (told instanceof Error) throw told;
  assert.equal(requests, 1);
  assert.equal(told.text, right.text ?? '');
  assert.deepEqual(told.toolCalls.map((call) => [call.id, call.name, call.arguments]), right.calls ?? []);
  assert.notEqual(told.finishReasonRaw, '');
  if (right.usage) assert.deepEqual([told.usage.inputTokens, told.usage.outputTokens], right.usage);
}

/** Requests an answer whole or as a stream, and returns the error if there is one. Only a reply that hangs reaches the limit. */
export async function ask(client, isStream, timeoutMs) {
  try {
    const options = { timeoutMs };
    return isStream ? await client.chatStream('hi', options).final() : await client.chatAsync('hi', options);
  } catch (error) {
    return error;
  }
}
