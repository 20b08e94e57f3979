// A real trap: the memory of the instance is used up, so that the next larger allocation fails.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

// The package does not expose its memory, so every instance that it makes is recorded here.
const memories = [];
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...words) {
    super(...words);
    memories.push(Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory));
  }
};
const { ConnectionError, LlmClient, LlmError } = await import('../dist/index.js');
const { nobody, start } = await import('./server.mjs');

const MAX_PAGES = 65_536;
const useUp = () => { const memory = memories.at(-1); memory.grow(MAX_PAGES - memory.buffer.byteLength / 65_536); };

let server;
const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
process.on('uncaughtException', (error) => unhandled.push(error));
before(async () => { server = await start(); });
after(() => server.stop());

const isTrap = (error) => error instanceof LlmError && error.code === 'internal' && error.cause instanceof WebAssembly.RuntimeError;

for (const [how, fall] of [
  ['as a call begins', (base) => new LlmClient({ baseURL: base, model: 'm' }).chatAsync('x'.repeat(8 << 20))],
  ['as a piece of a body comes', () => new LlmClient({
    baseURL: 'http://127.0.0.1/v1', model: 'm',
    fetch: async () => new Response(new Uint8Array(8 << 20), { headers: { 'content-type': 'text/event-stream' } }),
  }).chatStream('x').final()],
]) {
  test(`a trap ${how} rejects all that is in flight, and the next call gets a fresh instance`, async () => {
    const key = `trap-${memories.length}`;
    const base = `${server.base}/key/${key}/gate/${key}/v1`;
    const one = new LlmClient({ baseURL: base, model: 'm', workers: 10 });
    const controller = new AbortController();
    const stream = one.chatStream('s', { signal: controller.signal });
    const flying = [one.chatAsync('a'), one.chatAsync('b', { signal: controller.signal }), stream.final()];
    const rejected = Promise.all(flying.map((call) => assert.rejects(call, isTrap)));
    await server.waitRequest(key, 3);
    const instances = memories.length;
    useUp();
    await assert.rejects(fall(base), isTrap);
    await rejected;

    // Late operations of the host for the dead instance do no harm: answers that come, timers that fire.
    await server.release(key, 1000);
    controller.abort();
    stream.abort();
    assert.equal(one.status().active, 0);
    assert.equal((await one.chatAsync('c')).text, 'echo: c');
    assert.equal(memories.length, instances + 1);
    const alone = new LlmClient({ baseURL: await nobody(), model: 'm', maxAttempts: 1 });
    await assert.rejects(alone.chatAsync('x'), ConnectionError);
    await one.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(unhandled, []);
  });
}
