// Time per chat against a bare fetch and openai-node, in one run: `node test/bench.mjs`. The CPU time
// of this process stands beside it, which other work on the machine disturbs less.
import OpenAI from 'openai';
import { LlmClient } from '../dist/index.js';
import { start } from './server.mjs';

const CALLS = 400;
const ROUNDS = 5;
const server = await start();
const base = `${server.base}/ok/v1`;
const client = new LlmClient({ baseURL: base, model: 'm' });
const openai = new OpenAI({ baseURL: base, apiKey: 'k' });
const messages = [{ role: 'user', content: 'hello' }];
const ways = {
  fetch: async () => (await (await fetch(`${base}/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'm', messages }),
  })).text().then(JSON.parse)).choices[0].message.content,
  chatcore: async () => (await client.chatAsync('hello')).text,
  'openai-node': async () => (await openai.chat.completions.create({ model: 'm', messages })).choices[0].message.content,
};
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
const cpu = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
const spent = () => { const { user, system } = process.cpuUsage(); return user + system; };
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, ask] of Object.entries(ways)) {
    const [begin, used] = [performance.now(), spent()];
    for (let n = 0; n < CALLS; n += 1) await ask();
    if (round === 0) continue;
    times[name].push((performance.now() - begin) / CALLS * 1000);
    cpu[name].push((spent() - used) / CALLS);
  }
}
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const [bare, bareCpu] = [median(times.fetch), median(cpu.fetch)];
for (const [name, list] of Object.entries(times)) {
  console.log(`${name}: ${median(list).toFixed(0)} µs per chat, ${(median(list) / bare).toFixed(2)} × fetch; `
    + `CPU ${median(cpu[name]).toFixed(0)} µs, ${(median(cpu[name]) / bareCpu).toFixed(2)} × fetch`);
}
server.stop();
