// A batch in the browser's storage, in Chromium: it survives reloads and crashes of the page, and keeps a second tab out.
// Skipped if there is no Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { provider } from './batches.mjs';
import { launch, skip } from './chromium.mjs';
import { path, serve } from './pages.mjs';

const [ITEMS, CONCURRENCY] = [60, 6];
let browser, server, pages;
before(async () => {
  if (skip) return;
  [browser, server, pages] = await Promise.all([launch(), provider(), serve({ '/chatcore/': path('../dist'), '/': path('pages') })]);
});
after(async () => {
  await browser?.close();
  server?.stop();
  pages?.close();
});

/** A page of a fresh profile that can run batches: `batch(name, options)` in it begins one, and keeps its end in `ended`. */
async function open(context) {
  server.reset();
  server.free();
  const profile = await browser.newContext();
  context.after(() => profile.close());
  return { profile, tab: () => tab(profile) };
}

async function tab(profile) {
  const page = await profile.newPage();
  await ready(page, () => page.goto(`http://127.0.0.1:${pages.address().port}/journal.html?${new URLSearchParams({ base: server.base, items: ITEMS, concurrency: CONCURRENCY })}`));
  return page;
}

async function ready(page, load) {
  await load();
  await page.waitForFunction(() => 'batch' in globalThis);
}

/** Begins a batch, and resolves to the texts or codes of its results, or to its error. */
const run = (page, options) => page.evaluate((options) => globalThis.batch(options), options);
const begin = (page, options) => void run(page, options).catch(() => {});
const texts = Array.from({ length: ITEMS }, (_, n) => `echo: p${n}`);

/** Every item was sent, and not more were sent twice than were in flight at each of the ends. */
function assertSent(ends) {
  assert.equal(server.count.size, ITEMS);
  const repeated = server.total() - ITEMS;
  assert.ok(repeated <= ends * CONCURRENCY, `${repeated} were repeated after ${ends} ends`);
}

test('a batch survives reloads of its page', { skip }, async (context) => {
  const page = await (await open(context)).tab();
  const reloads = 3;
  for (let n = 0; n < reloads; n += 1) {
    server.hold(14);
    const sent = server.total();
    begin(page);
    // Some answers were recorded, and some requests are in flight.
    await server.until(sent + 14 + CONCURRENCY - 1);
    await ready(page, () => page.reload());
    server.free();
  }
  assert.ok(server.total() < ITEMS + reloads * CONCURRENCY);
  assert.deepEqual(await run(page), { results: texts });
  assertSent(reloads);
  const sent = server.total();
  // A finished batch sends nothing, and its progress includes what was done before.
  assert.deepEqual(await run(page), { results: texts });
  assert.equal(server.total(), sent);
  const { answers, errors } = await page.evaluate(() => globalThis.lines());
  const names = answers.map(({ custom_id: id }) => id);
  assert.deepEqual([new Set(names).size, names.length, errors.length], [ITEMS, ITEMS, 0]);
});

test('a batch survives a crash of its page, and its lock is free then', { skip }, async (context) => {
  const { tab } = await open(context);
  const page = await tab();
  server.hold(20);
  begin(page);
  await server.until(20 + CONCURRENCY - 1);
  const crashed = page.waitForEvent('crash');
  page.goto('chrome://crash').catch(() => {});
  await crashed;
  server.free();
  const other = await tab();
  assert.deepEqual(await run(other), { results: texts });
  assertSent(1);
});

test('a second tab is kept out while the first one runs', { skip }, async (context) => {
  const { tab } = await open(context);
  const [one, other] = [await tab(), await tab()];
  server.hold(10);
  const first = run(one);
  await server.until(11);
  const { error } = await run(other);
  assert.deepEqual([error.code, error.providerCode], ['config', 'locked']);
  assert.match(error.message, /another tab or worker of this site runs the batch night: wait until it ends/);
  // Its data cannot be deleted meanwhile.
  assert.equal((await other.evaluate(() => globalThis.remove())).error.providerCode, 'locked');
  server.free();
  assert.deepEqual(await first, { results: texts });
  assert.deepEqual(await run(other), { results: texts });
  assertSent(0);
});

test('another model is refused unless it is forced, and errors are run again on request', { skip }, async (context) => {
  const page = await (await open(context)).tab();
  server.refuses = true;
  const items = ['good', 'bad one', { prompt: 'bad two', customId: 'two' }];
  const first = await run(page, { items });
  assert.deepEqual(first.results, ['echo: good', 'bad_request', 'bad_request']);
  const sent = server.total();
  assert.deepEqual(await run(page, { items }), first);
  const refused = await run(page, { items, model: 'other' });
  assert.equal(refused.error.providerCode, 'another_run');
  assert.match(refused.error.message, /model was m and is now other/);
  const changed = await run(page, { items: ['good', 'changed', items[2]] });
  assert.equal(changed.error.providerCode, 'another_input');
  assert.equal(server.total(), sent);
  server.refuses = false;
  const again = await run(page, { items, model: 'other', journal: { force: true, retryErrors: true } });
  assert.deepEqual(again.results, ['echo: good', 'echo: bad one', 'echo: bad two']);
  assert.equal(server.total(), sent + 2);
  server.refuses = true;
  assert.deepEqual(await page.evaluate(() => globalThis.remove()), {});
  assert.deepEqual((await run(page, { items: ['new'] })).results, ['echo: new']);
});

test('the lines of a file that the user chose, packed or not', { skip }, async (context) => {
  const page = await (await open(context)).tab();
  for (const packed of [false, true]) {
    const results = await page.evaluate(async (packed) => {
      const blob = new Blob(['{"custom_id":"a","prompt":"one","max_tokens":3}\n\n{"prompt":"two"}\n']);
      const stream = packed ? blob.stream().pipeThrough(new CompressionStream('gzip')) : blob.stream();
      return globalThis.batch({ name: `file ${packed}`, blob: await new Response(stream).blob() });
    }, packed);
    assert.deepEqual(results, { results: ['echo: one', 'echo: two'] });
  }
  // Items that run at once arrive in any order.
  const sent = server.bodies.map(({ messages, max_tokens: most, temperature }) => [messages.at(-1).content, most, temperature]).sort();
  assert.deepEqual(sent, [['one', 3, undefined], ['one', 3, undefined], ['two', undefined, undefined], ['two', undefined, undefined]]);
});

test('a page that goes offline waits until it is online', { skip }, async (context) => {
  const { profile, tab } = await open(context);
  const page = await tab();
  server.hold(10);
  const running = run(page);
  await server.until(11);
  await profile.setOffline(true);
  server.free();
  await page.waitForFunction(() => !navigator.onLine && globalThis.client.status().failed > 0);
  await profile.setOffline(false);
  assert.deepEqual(await running, { results: texts });
  assert.equal(server.count.size, ITEMS);
});

test('storage that is full ends the run, which can be resumed when there is room', { skip }, async (context) => {
  const { profile, tab } = await open(context);
  const page = await tab();
  // Chromium asks for the room only if a transaction is large.
  const big = ['small', 'x'.repeat(6_000_000)];
  const session = await profile.newCDPSession(page);
  const origin = `http://127.0.0.1:${pages.address().port}`;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 3_000_000 });
  const { error } = await run(page, { items: big });
  assert.equal(error.code, 'journal');
  assert.match(error.message, /the storage of this site is full: free some, then resume/);
  assert.equal(server.total(), 2);
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  assert.deepEqual((await run(page, { items: big })).results, big.map((item) => `echo: ${item}`));
  assert.ok(server.total() <= 4);
});
