// Runs of journals of a user's own: leases, renewals, endings, and how the files' lines look.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { journalFrom, processJournal } from '../dist/journal-node.js';
import { inVirtualTime } from './clock.mjs';

/** A journal in memory, whose leases may expire. */
class MemoryJournal {
  outcomesOf = new Map();
  calls = [];
  fence = 0;
  leased = new Map();
  constructor(items, { lastsMs, chunk = 2, later = 0 } = {}) { Object.assign(this, { items, lastsMs, chunk, later }); }
  async claim(want) {
    this.calls.push(['claim', want]);
    if (this.later-- > 0) return { type: 'later', afterMs: 50 };
    const free = this.items.filter(({ place }) => !this.outcomesOf.has(place) && !this.leased.has(place)).slice(0, this.chunk);
    if (free.length === 0) return { type: 'end' };
    this.fence += 1;
    for (const { place } of free) this.leased.set(place, this.fence);
    return { type: 'items', lease: { chunk: `c${this.fence}`, fence: this.fence, lastsMs: this.lastsMs }, items: free };
  }
  async record(lease, outcome) {
    if (this.fails) throw new Error('the disk is full');
    if (this.outcomesOf.has(outcome.place)) return 'already';
    this.outcomesOf.set(outcome.place, outcome);
    return 'first';
  }
  async renew({ fence }) { this.calls.push(['renew', fence]); return this.renewal ?? 'held'; }
  async release({ fence }) {
    this.calls.push(['release', fence]);
    for (const [place, of] of this.leased) if (of === fence) this.leased.delete(place);
  }
  async sync() { this.calls.push(['sync']); }
  async progress() {
    const done = this.outcomesOf.size;
    return { total: this.items.length, done, failed: 0, inputTokens: 10 * done, outputTokens: done };
  }
  async *outcomes() { yield* this.outcomesOf.values(); }
  async close() { this.calls.push(['close']); }
}

const items = (count) => Array.from({ length: count }, (_, n) => ({ place: n + 1, id: `i${n + 1}`, request: `p${n + 1}`, tag: { n } }));
/** A client whose items end when `work` does. */
const clientOf = (work) => ({ processBatch: async ([item], { signal }) => [await work(item, signal)] });
const echo = async (item) => ({ ok: true, value: { text: `echo: ${item}`, usage: { inputTokens: 10, outputTokens: 1 } } });
const all = async (run) => { const seen = []; for await (const { outcome } of run) seen.push(outcome); return seen; };
const calls = (journal, name) => journal.calls.filter(([called]) => called === name).length;

test('a journal of a user: every item once, tags come back, and it is synced at the end', async () => {
  const journal = new MemoryJournal(items(7), { later: 1 });
  const told = [];
  const seen = await all(processJournal(clientOf(echo), journal, { concurrency: 3, onProgress: (progress) => told.push(progress) }));
  assert.deepEqual(seen.map(({ place, tag, result }) => [place, tag.n, result.value.text]).sort(), items(7).map(({ place, id: _, tag, request }) => [place, tag.n, `echo: ${request}`]));
  const { elapsedMs, ...last } = told.at(-1);
  assert.deepEqual(last, { total: 7, done: 7, failed: 0, finished: 7, inFlight: 0, tokens: 77, remainingMs: 0 });
  assert.ok(elapsedMs >= 0);
  assert.deepEqual([journal.calls.at(-1), calls(journal, 'release')], [['sync'], 0]);
});

test('the progress includes earlier lives', async () => {
  const journal = new MemoryJournal(items(5));
  for await (const { outcome } of processJournal(clientOf(echo), journal, { concurrency: 1 })) if (outcome.place === 2) break;
  const before = journal.outcomesOf.size;
  assert.ok(before >= 2 && before < 5, `${before}`);
  const told = [];
  await all(processJournal(clientOf(echo), journal, { concurrency: 1, onProgress: ({ done, total, tokens }) => told.push([done, total, tokens]) }));
  assert.deepEqual(told, Array.from({ length: 5 - before }, (_, n) => [before + n + 1, 5, 11 * (before + n + 1)]));
});

test('no more items are started than run or are not read', async () => {
  const journal = new MemoryJournal(items(20), { chunk: 20 });
  let started = 0;
  const run = processJournal(clientOf((item) => { started += 1; return echo(item); }), journal, { concurrency: 3 });
  const results = run[Symbol.asyncIterator]();
  await results.next();
  for (let n = 0; n < 50; n += 1) await new Promise(setImmediate);
  assert.ok(started <= 4, `${started}`);
  await results.return();
});

test('stop finishes what is in flight and releases the rest', async () => {
  const journal = new MemoryJournal(items(20), { chunk: 20 });
  const run = processJournal(clientOf(echo), journal, { concurrency: 2 });
  const seen = [];
  for await (const { outcome } of run) {
    seen.push(outcome.place);
    if (seen.length === 4) run.stop();
  }
  assert.ok(seen.length >= 4 && seen.length <= 6, `${seen}`);
  assert.equal(journal.outcomesOf.size, seen.length);
  assert.deepEqual([journal.calls.at(-2)[0], journal.calls.at(-1)], ['release', ['sync']]);
});

test('an abort drops what is in flight: it is not recorded, and its lease is released', async () => {
  const journal = new MemoryJournal(items(6), { chunk: 6 });
  const controller = new AbortController();
  const signals = [];
  const work = (item, signal) => {
    signals.push(signal);
    if (signals.length === 2) controller.abort('enough');
    return new Promise((resolve) => { signal.addEventListener('abort', () => resolve({ ok: false, error: Object.assign(new Error('gone'), { code: 'aborted' }) })); });
  };
  await assert.rejects(all(processJournal(clientOf(work), journal, { concurrency: 2, signal: controller.signal })), (error) => error.name === 'AbortError' && error.cause === 'enough');
  assert.deepEqual([journal.outcomesOf.size, signals.map(({ aborted }) => aborted), journal.leased.size], [0, [true, true], 0]);
  await assert.rejects(all(processJournal(clientOf(echo), journal, { signal: AbortSignal.abort() })), { name: 'AbortError' });
  assert.equal(journal.outcomesOf.size, 0);
});

test('an error that every item would have ends the run and is not recorded; another is', async () => {
  for (const code of ['auth', 'quota_exceeded', 'config', 'closed']) {
    const journal = new MemoryJournal(items(9), { chunk: 9 });
    const work = (item) => (item === 'p2' ? { ok: false, error: Object.assign(new Error(code), { code }) } : echo(item));
    await assert.rejects(all(processJournal(clientOf(work), journal, { concurrency: 1 })), { code });
    assert.deepEqual([[...journal.outcomesOf.keys()], journal.leased.size], [[1], 0]);
  }
  const journal = new MemoryJournal(items(3));
  const seen = await all(processJournal(clientOf((item) => (item === 'p2' ? { ok: false, error: Object.assign(new Error('no'), { code: 'bad_request' }) } : echo(item))), journal));
  assert.deepEqual(seen.map(({ result }) => result.ok).sort(), [false, true, true]);
});

test('an error of the journal ends the run, whichever method it comes from', async () => {
  const failing = new MemoryJournal(items(9), { chunk: 9 });
  failing.fails = true;
  await assert.rejects(all(processJournal(clientOf(echo), failing)), /the disk is full/);
  assert.equal(failing.leased.size, 0);
  for (const name of ['claim', 'release', 'sync']) {
    const journal = new MemoryJournal(items(3), { chunk: 3 });
    journal[name] = async () => { throw new Error(`${name} fails`); };
    const run = processJournal(clientOf(echo), journal, { concurrency: 1 });
    await assert.rejects(async () => { for await (const _ of run) if (name === 'release') run.stop(); }, new RegExp(`${name} fails`));
  }
  const blind = new MemoryJournal(items(3));
  blind.progress = async () => { throw new Error('no counts'); };
  assert.equal((await all(processJournal(clientOf(echo), blind))).length, 3);
});

test('a lease is renewed after every third of its time; without renewals no more of its items start', async () => {
  for (const [renewal, expected] of [['held', 4], ['lost', 1]]) {
    await inVirtualTime(async (clock) => {
      const journal = new MemoryJournal(items(4), { lastsMs: 300, chunk: 4 });
      journal.renewal = renewal;
      let started = 0;
      const work = async (item) => { started += 1; await clock.until(clock.now() + 250); return echo(item); };
      const run = processJournal(clientOf(work), journal, { concurrency: 1 });
      const seen = await all(run);
      assert.deepEqual([seen.length, started], [expected, expected], renewal);
      if (renewal === 'held') assert.ok(calls(journal, 'renew') >= 8, `${calls(journal, 'renew')}`);
      else assert.equal(calls(journal, 'renew'), 1);
    });
  }
});

test('journalFrom opens a journal of a user for processBatch', async () => {
  const client = new LlmClient({ mock: (messages) => messages.at(-1).content.toUpperCase() });
  let kept;
  const journal = journalFrom(async ({ items, identity }) => {
    const all = [];
    for await (const item of items) all.push(item);
    assert.deepEqual(identity, { dialect: 'mock', 'base URL': '', model: '', defaults: 'processBatch' });
    kept ??= new MemoryJournal(all);
    return kept;
  });
  const prompts = ['a', { prompt: 'b', customId: 'bee' }];
  for (let n = 0; n < 2; n += 1) {
    const results = await client.processBatch(prompts, { journal });
    assert.deepEqual(results.map(({ value }) => value.text), ['A', 'B']);
  }
  assert.deepEqual(kept.items.map(({ id, tag }) => [id, typeof tag]), [['request-1', 'bigint'], ['bee', 'bigint']]);
  assert.equal(calls(kept, 'close'), 2);
  assert.equal(client.status().started, 2);
  const refused = await client.processBatch([{ prompt: 'a', signal: new AbortController().signal }], { journal: journalFrom(async ({ items }) => {
    const all = [];
    for await (const item of items) all.push(item);
    return new MemoryJournal(all);
  }) });
  assert.match(refused[0].error.message, /cannot have a signal of its own/);
  await client.close();
});
