// Compares with a bare fetch, openai-node and Vercel's ai in one run: `node test/bench.mjs`. Measures time and CPU time per
// chat, time to the first content of a stream, and time from the start of a process to its end with one answer. The clients take
// turns, so that other load on the machine affects all of them.
import { execFileSync } from 'node:child_process';
import OpenAI from 'openai';
import { LlmClient } from '../dist/node.js';
import { start } from './server.mjs';

const CALLS = 400;
const ROUNDS = 15;
// Warms up until the host has compiled the used code, because earlier rounds are slower for every client.
const WARM_UP = 4000;
const STREAMS = 300;
const START_ROUNDS = 15;
const server = await start();
const headers = { 'content-type': 'application/json' };
const messages = [{ role: 'user', content: 'hello' }];
const ask = (base, more) => fetch(`${base}/chat/completions`, { method: 'POST', headers, body: JSON.stringify({ model: 'm', messages, ...more }) });
const quantile = (list, part) => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];

async function chats() {
  const base = `${server.base}/ok/v1`;
  const client = new LlmClient({ baseURL: base, model: 'm' });
  const openai = new OpenAI({ baseURL: base, apiKey: 'k' });
  const ways = {
    fetch: async () => JSON.parse(await (await ask(base)).text()).choices[0].message.content,
    chatcore: async () => (await client.chatAsync('hello')).text,
    'openai-node': async () => (await openai.chat.completions.create({ model: 'm', messages })).choices[0].message.content,
  };
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  const cpu = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  const spent = () => { const { user, system } = process.cpuUsage(); return user + system; };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const [begin, used] = [performance.now(), spent()];
      for (let n = 0; n < (round === 0 ? WARM_UP : CALLS); n += 1) await way();
      if (round === 0) continue;
      times[name].push((performance.now() - begin) / CALLS * 1000);
      cpu[name].push((spent() - used) / CALLS);
    }
  }
  const [bare, bareCpu] = [quantile(times.fetch, 0.5), quantile(cpu.fetch, 0.5)];
  for (const [name, list] of Object.entries(times)) {
    const [median, medianCpu] = [quantile(list, 0.5), quantile(cpu[name], 0.5)];
    console.log(`a chat, ${name}: ${median.toFixed(0)} µs, ${(median / bare).toFixed(2)} × fetch; `
      + `CPU ${medianCpu.toFixed(0)} µs, ${(medianCpu / bareCpu).toFixed(2)} × fetch`);
  }
}

/** Milliseconds until the first content was delivered. Each client reads its stream to the end. */
async function firstContent() {
  const base = `${server.base}/pause/2ms/every/1ms/v1`;
  const client = new LlmClient({ baseURL: base, model: 'm' });
  const openai = new OpenAI({ baseURL: base, apiKey: 'k' });
  const ways = {
    'a bare reader': async (first) => {
      const reader = (await ask(base, { stream: true })).body.pipeThrough(new TextDecoderStream()).getReader();
      let left = '';
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        const lines = (left + read.value).split('\n');
        left = lines.pop();
        for (const line of lines) {
          if (!line.startsWith('data: {')) continue;
          if (JSON.parse(line.slice(6)).choices[0]?.delta?.content) first();
        }
      }
    },
    chatcore: async (first) => { for await (const text of client.chatStream('hello').text()) if (text) first(); },
    'openai-node': async (first) => {
      for await (const chunk of await openai.chat.completions.create({ model: 'm', messages, stream: true })) {
        if (chunk.choices[0]?.delta?.content) first();
      }
    },
  };
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let n = 0; n < STREAMS; n += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const begin = performance.now();
      let at;
      await way(() => { at ??= performance.now() - begin; });
      if (n >= STREAMS / 10) times[name].push(at);
    }
  }
  const bare = times['a bare reader'];
  for (const [name, list] of Object.entries(times)) {
    const [median, high] = [0.5, 0.95].map((part) => quantile(list, part));
    const later = [median - quantile(bare, 0.5), high - quantile(bare, 0.95)].map((ms) => `${ms >= 0 ? '+' : ''}${ms.toFixed(2)}`);
    console.log(`the first content of a stream, ${name}: median ${median.toFixed(2)} ms (${later[0]}), 95 % ${high.toFixed(2)} ms (${later[1]})`);
  }
}

/** Milliseconds from the start of a process until it has ended with an answer, as in a serverless function that starts cold. */
function starts() {
  const base = `${server.base}/ok/v1`;
  const from = (name) => JSON.stringify(import.meta.resolve(name));
  const ways = {
    'nothing': '',
    'fetch': `await (await fetch('${base}/chat/completions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '${JSON.stringify({ model: 'm', messages })}' })).json();`,
    'chatcore': `const { LlmClient } = await import(${from('../dist/node.js')}); await new LlmClient({ baseURL: '${base}', model: 'm' }).chatAsync('hello');`,
    'openai-node': `const { default: OpenAI } = await import(${from('openai-7')});
      await new OpenAI({ baseURL: '${base}', apiKey: 'k' }).chat.completions.create({ model: 'm', messages: ${JSON.stringify(messages)} });`,
    'ai': `const [{ generateText }, { createOpenAICompatible }] = await Promise.all([import(${from('ai')}), import(${from('@ai-sdk/openai-compatible')})]);
      await generateText({ model: createOpenAICompatible({ name: 'x', baseURL: '${base}' })('m'), prompt: 'hello' });`,
  };
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < START_ROUNDS; round += 1) {
    for (const [name, program] of Object.entries(ways)) {
      const begin = performance.now();
      execFileSync(process.execPath, ['--input-type=module', '-e', `${program} process.exit();`]);
      times[name].push(performance.now() - begin);
    }
  }
  for (const [name, list] of Object.entries(times)) console.log(`a process with one chat, ${name}: ${quantile(list, 0.5).toFixed(0)} ms`);
}

starts();
await chats();
await firstContent();
server.stop();
