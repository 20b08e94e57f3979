// BatchProcessor behaves like Rust's: core/cases/batch.jsonl is tested against both.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AbortError, BatchProcessor, ClosedError, LlmClient } from '../dist/node.js';
import { inVirtualTime } from './clock.mjs';

const cases = readFileSync(new URL('../../core/cases/batch.jsonl', import.meta.url), 'utf8').trim().split('\n');

async function run({ steps, ...options }) {
  const told = [];
  const begun = steps.map(() => null);
  const outcomes = await inVirtualTime((clock) => {
    const batch = new BatchProcessor(async ({ place, step }) => {
      begun[place] = clock.now();
      await clock.until(clock.now() + step.add);
      if (step.fails) throw new Error('it fails');
      return step.add;
    }, {
      ...options,
      onProgress: ({ total, done, failed, inFlight }) => told.push([clock.now(), total, done, failed, inFlight]),
    });
    return Promise.all(steps.map(async (step, place) => {
      await clock.until(step.at);
      if (step.flush || step.close) {
        await (step.flush ? batch.flush() : batch.close(step.close));
        return { ends: clock.now() };
      }
      const controller = new AbortController();
      if (step.leaves !== undefined) void clock.until(step.leaves).then(() => controller.abort());
      const how = await batch.addRequest({ place, step }, { signal: controller.signal }).then((value) => {
        assert.equal(value, step.add);
        return 'ok';
      }, (error) => (error instanceof ClosedError ? 'closed' : error instanceof AbortError ? 'left' : 'failed'));
      return { ends: clock.now(), how };
    }));
  });
  return { told, outcomes: outcomes.map((outcome, place) => (outcome.how ? { ...outcome, begins: begun[place] } : outcome)) };
}

for (const { name, outcomes, told, ...given } of cases.map((line) => JSON.parse(line))) {
  test(name, async () => {
    const { batch_size: batchSize, max_workers: maxWorkers, timeout: timeoutMs, max_concurrent_batches: maxConcurrentBatches, steps } = given;
    const seen = await run({ steps, batchSize, maxWorkers, timeoutMs, maxConcurrentBatches });
    assert.deepEqual(seen, { told, outcomes });
  });
}

test('all items, in their order, with failures, progress and tokens', async () => {
  await inVirtualTime(async (clock) => {
    const told = [];
    const batch = new BatchProcessor(async (n) => {
      await clock.until(clock.now() + 2000);
      if (n === 100) throw new Error('100 fails');
      return n * 2;
    }, { countTokens: (output) => output, onProgress: (progress) => told.push(progress) });
    const results = await batch.processBatch([1, 2, 100, 4, 5, 6, 7]);
    assert.deepEqual(results.map((result) => (result.ok ? result.value : result.error.message)), [2, 4, '100 fails', 8, 10, 12, 14]);
    assert.equal(told.length, 7);
    const { elapsedMs, remainingMs, ...fifth } = told[4];
    assert.deepEqual(fifth, { total: 7, done: 4, failed: 1, finished: 5, inFlight: 2, tokens: 24 });
    assert.deepEqual([elapsedMs, remainingMs], [2000, 800]);
    assert.deepEqual([told[6].finished, told[6].inFlight, told[6].remainingMs], [7, 0, 0]);
    assert.equal(clock.now(), 4000);
  });
});

test('a total that nobody can see is told once it is known', async () => {
  const told = [];
  const batch = new BatchProcessor((n) => n, { maxWorkers: 1, onProgress: ({ total }) => told.push(total) });
  await batch.processBatch(new Set([1, 2, 3]));
  assert.deepEqual(told, [undefined, undefined, undefined]);
  const results = [];
  for await (const result of batch.processStream((async function* () { yield* [1, 2]; })())) results.push(result);
  assert.deepEqual(results, [{ ok: true, value: 1, place: 0 }, { ok: true, value: 2, place: 1 }]);
});

test('a stream is pulled only as it can run, and gives results as they finish', async () => {
  await inVirtualTime(async (clock) => {
    for (const isAsync of [false, true]) {
      let pulled = 0;
      const items = { *[Symbol.iterator]() { for (;;) yield pulled += 1; } };
      const source = isAsync ? { async *[Symbol.asyncIterator]() { yield* items; } } : items;
      const batch = new BatchProcessor((n) => clock.until(clock.now() + (n % 3 ? 5 : 100)).then(() => n));
      const places = [];
      for await (const { place, ...result } of batch.processStream(source)) {
        assert.deepEqual(result, { ok: true, value: place + 1 });
        places.push(place);
        assert.ok(pulled <= places.length + 4, `${pulled} after ${places.length}`);
        if (places.length === 50) break;
      }
      assert.notDeepEqual(places, places.toSorted((one, other) => one - other));
    }
  });
});

test('leaving a stream aborts what runs and tells the source', async () => {
  let isReturned = false;
  const signals = [];
  const batch = new BatchProcessor((n, signal) => {
    signals.push(signal);
    return n === 0 ? n : new Promise(() => {});
  });
  const source = { [Symbol.iterator]: () => ({ n: -1, next() { return { done: false, value: this.n += 1 }; }, return() { isReturned = true; return {}; } }) };
  for await (const { place } of batch.processStream(source)) {
    assert.equal(place, 0);
    break;
  }
  await new Promise(setImmediate);
  assert.ok(isReturned);
  assert.deepEqual(signals.map(({ aborted }) => aborted), [false, true, true, true, true]);
});

test('a source that throws ends the stream with its error, after what runs', async () => {
  for (const isAsync of [false, true]) {
    const items = { *[Symbol.iterator]() { yield 1; throw new Error('dry'); } };
    const source = isAsync ? { async *[Symbol.asyncIterator]() { yield* items; } } : items;
    const seen = [];
    await assert.rejects(async () => {
      for await (const { value } of new BatchProcessor((n) => n).processStream(source)) seen.push(value);
    }, /dry/);
    assert.deepEqual(seen, [1]);
  }
});

test('the signal of a batch ends what has no result yet, and aborts its work', async () => {
  const controller = new AbortController();
  const aborted = [];
  const batch = new BatchProcessor((n, signal) => (n === 0 ? n : new Promise((_, reject) => {
    signal.addEventListener('abort', () => { aborted.push(n); reject(signal.reason); });
  })), { maxWorkers: 2 });
  const running = batch.processBatch([0, 1, 2, 3], { signal: controller.signal });
  await new Promise(setImmediate);
  controller.abort('enough');
  const results = await running;
  assert.deepEqual(results.map((result) => (result.ok ? result.value : [result.error.name, result.error.cause])),
    [0, ['AbortError', 'enough'], ['AbortError', 'enough'], ['AbortError', 'enough']]);
  assert.deepEqual(aborted, [1, 2]);
});

test('what is thrown in a callback, or is no Error, costs no other its result', async (context) => {
  const written = context.mock.method(console, 'error', () => {});
  const batch = new BatchProcessor((n) => { if (n === 1) throw 'a word'; return n; }, { onProgress: () => { throw new Error('mine'); } });
  const results = await batch.processBatch([0, 1, 2]);
  assert.deepEqual(results.map(({ ok, error }) => (ok ? ok : [error.code, error.cause])), [true, ['internal', 'a word'], true]);
  assert.equal(written.mock.callCount(), 3);
  // Adds to a batch from within a running batch.
  const nested = new BatchProcessor(async (n) => (n > 0 ? nested.addRequest(n - 1) : 'done'), { batchSize: 1, maxConcurrentBatches: 9 });
  assert.equal(await nested.addRequest(5), 'done');
});

test('options that make no sense are refused', () => {
  for (const options of [{ batchSize: -1 }, { maxWorkers: 1.5 }, { maxConcurrentBatches: NaN }, { timeoutMs: -1 }, { timeoutMs: 'soon' }]) {
    assert.throws(() => new BatchProcessor(() => 1, options), RangeError, JSON.stringify(options));
  }
  assert.throws(() => new BatchProcessor({ batchSize: 1 }), TypeError);
});

test('chats, whole and one by one, in a queue of none', async () => {
  const client = new LlmClient({ mock: (messages) => messages.at(-1).content.toUpperCase(), workers: 1, queueSize: 0 });
  const told = [];
  const batch = BatchProcessor.chats(client, { batchSize: 2, onProgress: (progress) => told.push(progress) });
  const results = await batch.processBatch(['a', { prompt: 'b', seed: 1 }, [{ role: 'user', content: 'c' }], 7]);
  assert.deepEqual(results.map(({ ok, value, error }) => (ok ? value.text : error.code)), ['A', 'B', 'C', 'invalid_input']);
  assert.equal(told.at(-1).tokens, 6);
  const [d, e] = await Promise.all([batch.addRequest('d'), batch.addRequest('e')]);
  assert.deepEqual([d.text, e.text], ['D', 'E']);
  const controller = new AbortController();
  const gone = batch.addRequest('f', { signal: controller.signal });
  controller.abort('enough');
  await assert.rejects(gone, (error) => error instanceof AbortError && error.cause === 'enough');
  await batch.close();
  await assert.rejects(batch.addRequest('g'), ClosedError);
});
