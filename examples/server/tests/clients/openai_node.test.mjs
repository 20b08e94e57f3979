// openai-node in front of the server, as in front of OpenAI.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { provider, require, start, until, upstream } from './server.mjs';

const { OpenAI, APIError, AuthenticationError, NotFoundError, BadRequestError, RateLimitError } = require('openai');
const messages = [{ role: 'user', content: 'Count from 1 to 5.' }];
let server, loopback;
before(async () => { [server, loopback] = await Promise.all([start({ CHATCORE_TOKEN: 'sesame' }), upstream()]); });
after(async () => { loopback.stop(); assert.equal(await server.stop(), 0); });
const client = (base = server.base, options = {}) => new OpenAI({ baseURL: `${base}/v1`, apiKey: 'sesame', ...options });

test('models', async () => {
  const models = [];
  for await (const model of client().models.list()) models.push(model.id);
  assert.deepEqual(models, ['demo']);
});

test('a whole answer', async () => {
  const answer = await client().chat.completions.create({ model: 'demo', messages });
  assert.equal(answer.choices[0].message.content, '1 2 3 4 5');
  assert.equal(answer.choices[0].finish_reason, 'stop');
  assert.equal(answer.usage.completion_tokens, 5);
});

test('a stream, folded by its own helper', async () => {
  const stream = client().chat.completions.stream({ model: 'demo', messages, stream_options: { include_usage: true } });
  let text = '';
  stream.on('content', (delta) => { text += delta; });
  const answer = await stream.finalChatCompletion();
  assert.equal(text, '1 2 3 4 5');
  assert.equal(answer.choices[0].message.content, text);
  assert.equal((await stream.totalUsage()).completion_tokens, 5);
});

test('tools, called and answered by its runner', async () => {
  const asked = [];
  const runner = client().chat.completions.runTools({
    model: 'demo', messages: [{ role: 'user', content: 'Use get_weather for Paris.' }],
    tools: [{ type: 'function', function: {
      name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      parse: JSON.parse, function: (args) => { asked.push(args); return 'sunny'; },
    } }],
  });
  assert.equal(typeof await runner.finalContent(), 'string');
  assert.equal(asked.length, 1);
});

test('errors are its own classes', async () => {
  const create = (options, more = {}) => client(server.base, { maxRetries: 0, ...options }).chat.completions.create({ model: 'demo', messages, ...more });
  await assert.rejects(create({ apiKey: 'wrong' }), (error) => error instanceof AuthenticationError && error.code === 'invalid_token');
  await assert.rejects(create({}, { model: 'gpt-9' }), (error) => error instanceof NotFoundError && error.code === 'model_not_found' && error.param === 'model');
  await assert.rejects(create({}, { n: 5 }), (error) => error instanceof BadRequestError && error.param === 'n');
  const limited = await start(provider(`${loopback.base}/status/429/v1`));
  await assert.rejects(
    client(limited.base, { maxRetries: 0 }).chat.completions.create({ model: 'tiny', messages }),
    (error) => error instanceof RateLimitError && error.code === 'rate_limited');
  await limited.stop();
});

test('an error in mid-stream reaches the reader', async () => {
  const broken = await start(provider(`${loopback.base}/words/9/error-event/3/v1`));
  const stream = await client(broken.base).chat.completions.create({ model: 'tiny', messages, stream: true });
  await assert.rejects(async () => { for await (const _ of stream); }, APIError);
  await broken.stop();
});

test('the retries are the server\'s', async () => {
  const flaky = await start(provider(`${loopback.base}/flaky/2/status/503/retry-after-ms/1/v1`));
  const answer = await client(flaky.base, { maxRetries: 0 }).chat.completions.create({ model: 'tiny', messages });
  assert.equal(answer.choices[0].message.content, 'echo: Count from 1 to 5.');
  assert.equal((await flaky.status()).pool.retried, 2);
  await flaky.stop();
});

test('an aborted stream ends at the provider', async () => {
  const held = await start(provider(`${loopback.base}/key/held/words/50/gate/held/v1`));
  const stream = await (async () => {
    const asked = client(held.base).chat.completions.create({ model: 'tiny', messages, stream: true });
    await loopback.waitRequest('held');
    await loopback.release('held', 4);
    return asked;
  })();
  for await (const _ of stream) break;
  assert.equal(await loopback.waitClosed('held'), 'client');
  await until(held.status, ({ pool }) => pool.active === 0 && pool.cancelled === 1);
  await held.stop();
});
