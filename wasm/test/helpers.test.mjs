// The helpers behave like Rust's of the same name. Where there is a list of cases, both languages are tested with it.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AbortError, RateLimiter, TimeoutError, gatherWithLimit, runWithTimeout } from '../dist/node.js';
import { inVirtualTime } from './clock.mjs';

const cases = readFileSync(new URL('../../core/cases/rate_limiter.jsonl', import.meta.url), 'utf8').trim().split('\n');

for (const { name, calls, period, burst, steps, passes } of cases.map((line) => JSON.parse(line))) {
  test(`RateLimiter: ${name}`, async () => {
    const passed = await inVirtualTime((clock) => {
      const limiter = new RateLimiter(calls, period, burst);
      return Promise.all(steps.map(async (step) => {
        await clock.until(step.at);
        if (step.try) return limiter.tryAcquire() ? clock.now() : null;
        const controller = new AbortController();
        if (step.gives_up !== undefined) void clock.until(step.gives_up).then(() => controller.abort('enough'));
        try {
          await limiter.acquire(controller.signal);
          return clock.now();
        } catch (error) {
          assert.ok(error instanceof AbortError && error.cause === 'enough');
          return null;
        }
      }));
    });
    assert.deepEqual(passed, passes);
  });
}

test('RateLimiter: how many wait, and one signal for many', async () => {
  const { signal } = new AbortController();
  await inVirtualTime(async () => {
    const limiter = new RateLimiter(1, 1000);
    const all = Array.from({ length: 30 }, () => limiter.acquire(signal));
    assert.equal(limiter.waiting(), 29);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    assert.equal(limiter.tryAcquire(), false);
    await Promise.all(all);
    assert.equal(limiter.waiting(), 0);
  });
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('RateLimiter: a timer that rings early lets nobody through early', async () => {
  await inVirtualTime(async (clock) => {
    const limiter = new RateLimiter(1, 1000);
    await limiter.acquire();
    const inTime = globalThis.setTimeout;
    globalThis.setTimeout = (run, milliseconds) => inTime(run, milliseconds - 3);
    await limiter.acquire();
    assert.equal(clock.now(), 1000);
  });
});

test('RateLimiter: thousands wait, and most of them give up', async () => {
  await inVirtualTime(async (clock) => {
    const limiter = new RateLimiter(5_000, 1000);
    const controllers = Array.from({ length: 10_000 }, () => new AbortController());
    const all = controllers.map(({ signal }) => limiter.acquire(signal).then(() => clock.now(), () => null));
    for (const controller of controllers.slice(5_000, 9_999)) controller.abort();
    const passed = await Promise.all(all);
    assert.equal(passed.filter((at) => at === 0).length, 5_000);
    assert.equal(passed.at(-1), 1000);
  });
});

test('what is no number of things is refused', async () => {
  for (const words of [[NaN, 1000], [-1, 1000], [1.5, 1000], [Infinity, 1000], [1, NaN], [1, -1], [1, Infinity], [1, 1000, -1], ['1', 1000]]) {
    assert.throws(() => new RateLimiter(...words), RangeError, String(words));
  }
  for (const limit of [NaN, -1, 1.5]) await assert.rejects(gatherWithLimit([() => 1], limit), RangeError);
  for (const timeoutMs of [NaN, -1, '1s']) await assert.rejects(runWithTimeout(() => 1, timeoutMs), RangeError);
  assert.deepEqual(await gatherWithLimit([() => 1, () => 2], 0), [{ ok: true, value: 1 }, { ok: true, value: 2 }]);
});

test('gatherWithLimit keeps the order, the limit and the errors, and takes a task only as it may run', async () => {
  await inVirtualTime(async (clock) => {
    let [running, most, taken] = [0, 0, 0];
    function* tasks() {
      for (let n = 0; n < 20; n += 1) {
        taken += 1;
        yield async () => {
          running += 1;
          most = Math.max(most, running);
          // Later tasks finish sooner.
          await clock.until(clock.now() + 20 - n);
          running -= 1;
          if (n === 7) throw new Error('seven');
          return n;
        };
      }
    }
    const all = gatherWithLimit(tasks(), 3);
    assert.equal(taken, 3);
    const results = await all;
    assert.deepEqual(results.map((result) => (result.ok ? result.value : result.error.message)),
      Array.from({ length: 20 }, (_, n) => (n === 7 ? 'seven' : n)));
    assert.equal(most, 3);
    assert.deepEqual(await gatherWithLimit([], 3), []);
  });
});

test('runWithTimeout gives what the task gives, or a TimeoutError, and then aborts it', async () => {
  await inVirtualTime(async (clock) => {
    assert.equal(await runWithTimeout(() => 'at once', 0), 'at once');
    assert.equal(await runWithTimeout(() => clock.until(4).then(() => 'in time'), 5), 'in time');
    let signal;
    const late = runWithTimeout((given) => { signal = given; return new Promise(() => {}); }, 5);
    await assert.rejects(late, (error) => error instanceof TimeoutError && error.phase === 'overall' && !error.retryable);
    assert.equal(clock.now(), 9);
    assert.ok(signal.reason instanceof TimeoutError);
    await assert.rejects(runWithTimeout(() => { throw new Error('mine'); }, 5), /mine/);
  });
});
