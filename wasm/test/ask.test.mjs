// `ask` and `askStream` send only the given options.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmClient } from '../dist/node.js';

const client = (options = {}) => {
  const bodies = [];
  const fetch = async (url, { body, headers }) => {
    bodies.push({ headers, ...JSON.parse(new TextDecoder().decode(body)) });
    return Response.json({ choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] });
  };
  return { bodies, client: new LlmClient({ provider: 'openai', apiKey: 'k-0123456789', model: 'gpt-6-luna', fetchAsStream: false, fetch, ...options }) };
};
const own = ({ headers, ...body }) => body;

test('nothing is sent that nobody set', async () => {
  const { client: openai, bodies } = client();
  const messages = [{ role: 'user', content: 'x' }];
  assert.equal(String(await openai.ask('x')), 'hi');
  await openai.ask(messages);
  await openai.ask('x', { maxTokens: 9, temperature: 0.5, reasoningEffort: 'low' });
  await openai.chatAsync('x');
  assert.deepEqual(own(bodies[0]), { model: 'gpt-6-luna', messages });
  assert.deepEqual(own(bodies[1]), own(bodies[0]));
  assert.deepEqual(own(bodies[2]), { ...own(bodies[0]), max_completion_tokens: 9, temperature: 0.5, reasoning_effort: 'low' });
  // The old client's defaults.
  assert.notEqual(bodies[3].max_completion_tokens ?? bodies[3].max_tokens, undefined);
});

test('as a stream', async () => {
  const { client: openai, bodies } = client();
  assert.equal(String(await openai.askStream('x').final()), 'hi');
  const { stream, stream_options, ...rest } = own(bodies[0]);
  assert.equal(stream, true);
  assert.deepEqual(rest, { model: 'gpt-6-luna', messages: [{ role: 'user', content: 'x' }] });
});

test('betas of Anthropic\'s go in their header, and are no one else\'s', async () => {
  const { client: anthropic, bodies } = client({ provider: 'anthropic', model: 'claude-haiku-5-5', betas: ['one-2026-01-01', 'two-2026-02-02'] });
  await anthropic.ask('x').catch(() => {});
  assert.equal(bodies[0].headers['anthropic-beta'], 'one-2026-01-01,two-2026-02-02');
  assert.throws(() => client({ betas: ['x'] }), { code: 'config', message: /betas are for Anthropic only/ });
});
