// Unusual contents of a server's answer, and the order of the fields in a request's JSON.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadRequestError, LlmClient, StreamError } from '../dist/node.js';
import { whole } from './raw.mjs';

const json = { 'content-type': 'application/json' };

/** A client whose requests are recorded in `seen` and answered by `answer`. */
function client(options = {}, answer = () => ({ status: 200, headers: json, body: whole('ok') })) {
  const seen = [];
  const fetch = async (_url, { body }) => {
    const request = JSON.parse(Buffer.from(body));
    seen.push(request);
    return answer(request);
  };
  return { seen, made: new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', fetch, ...options }) };
}

test('the keys of schemas, answers’ forms and extra fields keep their order', async () => {
  const { seen, made } = client();
  const schema = { type: 'object', properties: { reasoning: { type: 'string' }, zeta: { type: 'number' }, answer: { enum: ['b', 'a'] } }, required: ['reasoning', 'answer'] };
  const extra = { zebra: { z: 1, a: [{ y: 1, b: 2 }] }, apple: 2 };
  await made.chatAsync('x', {
    tools: [{ name: 'f', parameters: schema }], responseFormat: { type: 'json_schema', name: 'n', schema }, extra,
  });
  const [{ tools, response_format: format, zebra }] = seen;
  const text = JSON.stringify(schema);
  assert.equal(JSON.stringify(tools[0].function.parameters), text);
  assert.equal(JSON.stringify(format.json_schema.schema), text);
  assert.equal(JSON.stringify(zebra), JSON.stringify(extra.zebra));
});

test('an error has the provider’s body, and the words of whatever is nested in it', async () => {
  const body = JSON.stringify({ error: { message: { detail: [{ msg: 'Extra inputs are not permitted', loc: ['body', 'seed'] }] }, param: 'seed' } });
  const { made } = client({}, () => ({ status: 422, headers: json, body }));
  await assert.rejects(made.chatAsync('x'), (error) => error instanceof BadRequestError && error.body === body && error.status === 422
    && /Extra inputs are not permitted/.test(error.message));
  const long = client({ maxAttempts: 1 }, () => ({ status: 500, body: 'y'.repeat(100_000) }));
  await assert.rejects(long.made.chatAsync('x'), (error) => error.body.length > 1000 && error.body.length <= 8200);
});

test('content within content, however deep, is an error, and other calls go on', async () => {
  for (const depth of [200, 5_000, 200_000]) {
    const deep = `${'[{"type":"text","text":'.repeat(depth)}"x"${'}]'.repeat(depth)}`;
    const bodies = [
      [json, `{"choices":[{"index":0,"message":{"role":"assistant","content":${deep}},"finish_reason":"stop"}]}`],
      [{ 'content-type': 'text/event-stream' }, `data: {"choices":[{"index":0,"delta":{"content":${deep}}}]}\n\n`],
    ];
    for (const [headers, body] of bodies) {
      const { made } = client({ maxAttempts: 1 }, ({ messages: [{ content }] }) => (content === 'deep' ? { status: 200, headers, body } : { status: 200, headers: json, body: whole('ok') }));
      const [told, other] = await Promise.all([made.chatStream('deep').final().catch((error) => error), made.chatAsync('x')]);
      assert.ok(told instanceof StreamError && told.code === 'protocol', `${depth}: ${told.stack}`);
      assert.equal(other.text, 'ok');
      assert.equal((await made.chatAsync('x')).text, 'ok');
    }
    const anthropic = new LlmClient({ provider: 'anthropic', baseURL: 'http://127.0.0.1:1', maxAttempts: 1, fetch: async () => ({
      status: 200, headers: { 'content-type': 'text/event-stream' },
      body: `event: message_start\ndata: {"type":"message_start","message":${'{"message":'.repeat(depth)}1${'}'.repeat(depth)}}\n\n`,
    }) });
    await assert.rejects(anthropic.chatStream('x').final(), (error) => error instanceof StreamError);
  }
});

