// `kill -9` at random moments: no item is lost, none has two results, and only requests in flight are repeated.
// CHATCORE_KILLS=100 kills more often.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder, provider, requests } from './batches.mjs';

const CONCURRENCY = 8;

test('kill -9 loses no item, and repeats only what was in flight', async (context) => {
  const kills = Number(process.env.CHATCORE_KILLS ?? 6);
  const items = 150 * kills;
  const [server, at] = [await provider(), folder()];
  context.after(() => { server.stop(); at.remove(); });
  const input = at.write('in.jsonl', requests(items));
  const start = () => spawn(process.execPath, [fileURLToPath(new URL('journal-child.mjs', import.meta.url)), server.base, input, at.path('out.jsonl')],
    { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = (child) => new Promise((resolve) => child.once('exit', resolve));
  let killed = 0;
  while (killed < kills) {
    const child = start();
    const end = ended(child);
    const more = 1 + Math.floor(Math.random() * (2 * items / kills));
    const isOver = await Promise.race([end.then(() => true), server.until(server.total() + more).then(() => false)]);
    if (isOver) break;
    child.kill('SIGKILL');
    await end;
    killed += 1;
  }
  assert.equal(await ended(start()), 0);
  const names = at.lines('out.jsonl').map(({ custom_id: id }) => id);
  assert.equal(names.length, items);
  assert.equal(new Set(names).size, items);
  const repeated = server.total() - items;
  context.diagnostic(`${killed} kills over ${items} items: ${repeated} requests repeated`);
  assert.ok(killed > 0);
  assert.ok(repeated <= killed * CONCURRENCY, `${repeated} repeated after ${killed} kills`);
});
