// `stop()` of a stream: its loops end without an error.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { streamTools, tool, unfinishedLoop } from '../dist/tools.js';

const event = (content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;

/** A client whose answer stops after its words, and a promise of the end of its request. */
function stalling(words) {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  const fetch = async (_, { signal }) => {
    signal.addEventListener('abort', gone);
    return new Response(new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode(words.map(event).join(''))); },
      cancel: gone,
    }), { headers: { 'content-type': 'text/event-stream' } });
  };
  return { client: new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', fetch, timeoutMs: Infinity }), closed };
}

test('a loop that waits for text ends, its connection is closed, and the text that came is kept', async () => {
  const { client, closed } = stalling(['one ', 'two']);
  const stream = client.askStream('x');
  let text = '';
  for await (const piece of stream.text()) {
    text += piece;
    // The next read is pending by then.
    if (text === 'one two') queueMicrotask(() => stream.stop());
  }
  assert.equal(text, 'one two');
  await closed;
  await assert.rejects(stream.final(), { name: 'AbortError', partialText: 'one two' });
  stream.stop();
});

test('events that have come are told first; a stopped stream sends nothing', async () => {
  const { client } = stalling(['one', 'two']);
  const stream = client.askStream('x');
  const types = [];
  for await (const { type } of stream) {
    types.push(type);
    stream.stop();
  }
  assert.deepEqual(types, ['text', 'text']);
  const never = new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', fetch: () => assert.fail('sent') }).askStream('x');
  never.stop();
  for await (const event of never) assert.fail(event.type);
});

test('a whole answer stays', async () => {
  const stream = new LlmClient({ mock: true }).askStream('x');
  assert.equal(String(await stream.final()), 'mock: x');
  stream.stop();
  assert.equal(String(await stream.final()), 'mock: x');
});

test('a loop of tools', async () => {
  const call = { index: 0, id: 'c1', type: 'function', function: { name: 'wait', arguments: '{}' } };
  const reply = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] })}\n\ndata: [DONE]\n\n`;
  const fetch = async () => new Response(reply, { headers: { 'content-type': 'text/event-stream' } });
  const client = new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', fetch });
  let signal;
  const wait = tool({ name: 'wait', run: (_, context) => new Promise(() => { signal = context.signal; stream.stop(); }) });
  const stream = streamTools(client, 'x', { tools: [wait] });
  const types = [];
  for await (const { type } of stream) types.push(type);
  assert.ok(types.includes('call_asked') && !types.includes('finish'), types.join());
  assert.equal(signal.aborted, true);
  const error = await stream.final().catch((error) => error);
  assert.equal(error.name, 'AbortError');
  assert.equal(unfinishedLoop(error).messages.at(-1).role, 'tool');
});

test('AbortSignal.timeout says that its time was up', async () => {
  const { client } = stalling(['one']);
  const signal = AbortSignal.timeout(1);
  const error = await client.askStream('x', { signal }).final().catch((error) => error);
  assert.deepEqual([error.name, error.message, error.cause], ['AbortError', 'the call was aborted, because the time of its signal was up', signal.reason]);
});
