// Lines of results and names of fields are those of Rust: adapters/cases/batch_results.jsonl is tested against both.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sources } from './sources.mjs';

const { read, write, spelling, settings, wording } = await sources({
  read: 'journal/read-line.ts', write: 'journal/result-line.ts', spelling: 'journal/misspelt.ts', settings: 'journal/settings.ts', wording: 'base/wording.ts',
});
const lines = readFileSync(new URL('../../adapters/cases/batch_results.jsonl', import.meta.url), 'utf8').split('\n').slice(0, -1);

/** The error's `detail` without what only Rust knows or only npm writes: npm has the whole message alone. */
const plain = ({ error, ...line }) => {
  if (!error) return line;
  const { message: _, should_retry: __, advice: ___, partial, ...detail } = error.detail;
  return { ...line, error: { ...error, message: wording.spoken(error.message), detail: { ...detail, partial: partial?.message.content } } };
};

test('every line of Rust is read, and written as it was', () => {
  assert.ok(lines.length > 10);
  for (const line of lines) {
    const outcome = read.readLine(line);
    const again = write.resultLine(outcome, 1_700_000_000);
    assert.equal(again.indexOf('\n'), again.length - 1);
    const [given, own] = [plain(JSON.parse(line)), plain(JSON.parse(again))];
    // The message that the provider gave is within the whole message.
    if (given.error && given.response) {
      assert.ok(own.response.body.error.message.includes(given.response.body.error.message));
      for (const { response } of [given, own]) delete response.body.error.message;
    }
    assert.deepEqual(own, given);
    assert.deepEqual(again.slice(0, 60), line.slice(0, 60));
  }
});

test('what the lines of Rust say', () => {
  const all = lines.map((line) => read.readLine(line));
  const [first, empty, tools, , refusal, , , signed, media] = all.map(({ result }) => result.value);
  assert.deepEqual([first.text, first.requestId, first.usage], ['hi "there"\n你好 \u2028', 'req-1', { inputTokens: 5, outputTokens: 2, cacheReadTokens: 3, reasoningTokens: 1 }]);
  assert.deepEqual([empty.text, empty.message], ['', { role: 'assistant', content: '' }]);
  assert.deepEqual([tools.reasoning, tools.text, tools.toolCalls.map(({ name }) => name), tools.finishReason], ['because', 'so', ['f', 'g'], 'tool_calls']);
  assert.deepEqual(tools.usage, { inputTokens: 5, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4, reasoningTokens: 1, rawJson: '{"x":1}' });
  assert.deepEqual([refusal.refusal, refusal.finishReason], ['no', 'refusal']);
  assert.equal(signed.message.content[0].signature, 'sig');
  assert.deepEqual(media.message.content.map(({ type }) => type), ['text', 'image', 'other']);
  const [bad, full, cut, lost, wrong] = all.filter(({ result }) => !result.ok).map(({ result }) => result.error);
  assert.deepEqual([bad.name, bad.providerCode, bad.param, bad.status, bad.requestId, bad.retryable], ['BadRequestError', 'unknown_field', 'messages', 400, 'req-2', false]);
  assert.deepEqual([full.name, full.retryAfterMs, full.retryable], ['RateLimitError', 1500, true]);
  assert.deepEqual([cut.name, cut.code, cut.partialText], ['StreamError', 'truncated', 'half of']);
  assert.deepEqual([lost.name, lost.code, wrong.name, wrong.providerCode], ['ConnectionError', 'connection', 'InvalidInputError', 'invalid_line']);
});

test('a misspelt field is told from another one, as Rust does', () => {
  const source = readFileSync(new URL('../../adapters/src/journal/jsonl/fields.rs', import.meta.url), 'utf8');
  const near = [...source.matchAll(/^ +\("(\w+)", "(\w+)"\),$/gm)];
  assert.ok(near.length >= 9);
  for (const [, name, meant] of near) assert.equal(spelling.misspelt(name), meant, name);
  const others = [...source.slice(source.indexOf('for name in [')).matchAll(/^ +"(\w+)",$/gm)];
  assert.ok(others.length >= 15);
  for (const [, name] of others) assert.equal(spelling.misspelt(name), undefined, name);
});

test('settings that differ are named, and no digest of a key is shown', () => {
  const before = { dialect: 'openai_chat', key: '0123456789abcdef', model: 'm', temperature: '0.2' };
  settings.compare(before, settings.read(settings.written(before)));
  assert.throws(() => settings.compare({ dialect: 'openai_chat', key: 'fedcba9876543210', model: 'other' }, before), (error) => {
    for (const part of ['model was m and is now other', 'temperature was 0.2 and is no longer set', 'the key has changed', 'force the run']) assert.ok(error.message.includes(part), error.message);
    return !/0123|fedc/.test(error.message) && error.providerCode === 'another_run';
  });
  assert.throws(() => settings.compare({ dialect: 'openai_chat' }, before), (error) => /key was set and is no longer set/.test(error.message) && !/0123/.test(error.message));
  for (const text of ['', '{}', '{"chatcore_run":2,"identity":{}}', '{"chatcore_run":1,"identity":{"a":1}}']) assert.equal(settings.read(text), undefined);
});
