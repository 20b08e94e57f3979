// The program that every host runs.
import { LlmClient } from 'chatcore';

/** Runs everything, and returns a value to compare. */
export async function program(base) {
  const client = (path, options) => new LlmClient({ baseURL: `${base}/${path}/v1`, model: 'm', apiKey: 'k', dangerouslyAllowBrowser: true, maxAttempts: 1, ...options });
  const caught = async (call) => { try { await call; return 'no error'; } catch (error) { return `${error.name} ${error.code}`; } };
  let streamed = '';
  for await (const text of client('every/1ms').chatStream('one two 三').text()) streamed += text;
  const many = await client('ok', { workers: 10 }).processBatch(Array.from({ length: 50 }, (_, n) => `n${n}`), { concurrency: 20 });
  const left = client('stall/2').chatStream('one two three');
  for await (const event of left) if (event.type === 'text') break;
  return {
    whole: String(await client('ok').chatAsync('你好')),
    streamed,
    many: many.filter((result, n) => result.value?.text === `echo: n${n}`).length,
    lines: (await new Response(client('ok').chatStream('a b').toReadableStream()).text()).trim().split('\n').length,
    limited: await caught(client('status/429').chatAsync('x')),
    truncated: await caught(client('no-terminal').chatStream('x').final()),
    reset: await caught(client('reset/start').chatAsync('x')),
    redirect: await caught(client('redirect/307/away').chatAsync('x')),
    stalled: await caught(client('keepalives/forever/5ms').chatStream('x', { timeouts: { firstContent: 100 } }).final()),
    aborted: await caught(client('silent').chatAsync('x', { signal: AbortSignal.timeout(100) })),
  };
}
