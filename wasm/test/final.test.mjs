// `final()` beside a loop over the same stream: both get everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { readResponse, toResponse } from '../dist/response.js';
import { streamTools, tool } from '../dist/tools.js';

const event = (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
/** A client whose answer comes in these pieces, each in a turn of its own of the event loop. */
function client(...pieces) {
  const fetch = async () => {
    const rest = [...pieces];
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => { setImmediate(resolve); });
        const piece = rest.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(piece));
      },
    }), { headers: { 'content-type': 'text/event-stream' } });
  };
  return new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', fetch, maxAttempts: 1 });
}
const words = () => client(event('a '), event('b '), event('c'), END);
const kinds = {
  'a stream': async (client) => client.askStream('x'),
  'a loop of tools': async (client) => streamTools(client, 'x', { tools: [tool({ name: 'now', run: () => 1 })] }),
  'a stream in a page': async (client) => readResponse(await toResponse(client.askStream('x'))),
};
const textOf = async (texts) => {
  let text = '';
  for await (const piece of texts) text += piece;
  return text;
};

for (const [name, make] of Object.entries(kinds)) {
  test(`${name}: before the loop, after its beginning, and after it`, async () => {
    const before = await make(words());
    const answer = before.final();
    assert.equal(await textOf(before.text()), 'a b c');
    assert.equal(String(await answer), 'a b c');

    const within = await make(words());
    const loop = within.text();
    const { value } = await loop.next();
    const [rest, whole] = await Promise.all([textOf(loop), within.final()]);
    assert.deepEqual([value + rest, String(whole)], ['a b c', 'a b c']);

    const unread = await make(words());
    const first = (await unread.text().next()).value;
    assert.deepEqual([first, String(await unread.final())], ['a ', 'a b c']);
    assert.equal(await textOf(unread.text()), 'b c');
    assert.equal(String(await unread.final()), 'a b c');
  });

  test(`${name}: an error reaches both`, async () => {
    const stream = await make(client(event('a'), 'data: {"error":{"message":"no"}}\n\n'));
    const failed = assert.rejects(stream.final(), { partialText: 'a' });
    let text = '';
    await assert.rejects(async () => { for await (const piece of stream.text()) text += piece; }, { partialText: 'a' });
    await failed;
    assert.equal(text, 'a');
  });
}

test('partial() beside final()', async () => {
  const stream = client(event('{"a":"x'), event('y"}'), END).askStream('x');
  const answer = stream.final();
  const values = [];
  for await (const value of stream.partial()) values.push(value);
  assert.deepEqual(values.at(-1), { a: 'xy' });
  assert.equal((await answer).text, '{"a":"xy"}');
});
