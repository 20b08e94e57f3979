// A worker with one client in module scope, and a separate client for each request.
import { LlmClient, RateLimiter } from 'chatcore';
import { program } from './program.mjs';

const base = 'CHATCORE_BASE';
const make = (path, options) => new LlmClient({ baseURL: `${base}/${path}/v1`, model: 'm', ...options });
const shared = make('every/5ms');
const slow = make('delay/100ms');
const limited = make('ok', { limits: { requestsPerMinute: 1200, requestBurst: 2 } });
const limiter = new RateLimiter(4, 200, 2);
const held = {};

const routes = {
  '/program': async () => Response.json(await program(base)),
  '/own': async (text) => new Response((await make('every/5ms').chatAsync(text)).text),
  '/shared': async (text) => new Response((await shared.chatAsync(text)).text),
  '/limited': async (text) => new Response((await limited.chatAsync(text)).text),
  '/turn': async (text) => {
    await limiter.acquire();
    return new Response(`echo: ${text}`);
  },
  '/slow': async (text) => new Response((await slow.chatAsync(text)).text),
  '/stream': (text) => new Response(shared.chatStream(text).toReadableStream()),
  // Nobody waits for this call: its request is gone before its answer comes.
  '/forgotten': async (text) => {
    void slow.chatAsync(text).catch(() => {});
    return new Response('');
  },
  '/open': async () => {
    held.stream = shared.chatStream('one two three');
    await held.stream[Symbol.asyncIterator]().next();
    held.controller = new AbortController();
    void slow.chatAsync('held', { signal: held.controller.signal }).catch(() => {});
    return new Response('');
  },
  // Made in another request.
  '/abort': async () => {
    held.stream.abort('enough');
    held.controller.abort('enough');
    return new Response('aborted');
  },
  '/status': async () => Response.json({ shared: shared.status(), slow: slow.status() }),
};

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    try {
      return await routes[pathname](searchParams.get('text'));
    } catch (error) {
      return new Response(String(error.stack), { status: 500 });
    }
  },
};
