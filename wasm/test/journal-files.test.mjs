// A journal in files: what is kept, what is refused, and what a torn or damaged file costs.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fileJournal, jsonLines, processJournal } from '../dist/journal-node.js';
import { LlmClient } from '../dist/node.js';
import { folder, options, provider, requests } from './batches.mjs';
import { nobody } from './server.mjs';
import { sources } from './sources.mjs';

let server, client, at;
before(async () => { server = await provider(); });
after(() => server.stop());

const fresh = (context) => {
  [at, client] = [folder(), new LlmClient({ ...options(server.base), maxAttempts: 1 })];
  context.after(async () => { at.remove(); await client.close(); });
  server.reset();
  server.refuses = true;
};
const run = (items, more = {}, journal = {}) =>
  client.processBatch(items, { concurrency: 4, ...more, journal: fileJournal(at.path('out.jsonl'), journal) });
const texts = (results) => results.map(({ ok, value, error }) => (ok ? value.text : error.code));
const ids = () => at.lines('out.jsonl').map(({ custom_id: id }) => id);

test('items of every form, with and without names, from arrays, sets and async iterables', async (context) => {
  fresh(context);
  const items = ['a', { prompt: 'b', customId: 'bee' }, [{ role: 'user', content: 'c' }], { custom_id: 7, body: { prompt: 'd', max_tokens: 3 } },
    { messages: [{ role: 'user', content: 'e' }], maxTokens: 9, timeoutMs: 5000, headers: { 'x-own': 'secret' } }, 9];
  const expected = ['echo: a', 'echo: b', 'echo: c', 'echo: d', 'echo: e', 'invalid_input'];
  async function* stream() { yield* items; }
  for (const source of [items, new Set(items), stream()]) assert.deepEqual(texts(await run(source)), expected);
  assert.equal(server.total(), 5);
  const sent = Object.fromEntries(server.bodies.map((body) => [body.messages[0].content, [body.temperature, body.max_tokens]]));
  assert.deepEqual(sent, { a: [0, 256], b: [0, 256], c: [0.7, 256], d: [undefined, 3], e: [0.7, 9] });
  assert.deepEqual(ids().sort(), ['7', 'bee', 'request-1', 'request-3', 'request-5']);
  assert.doesNotMatch(at.read('out.jsonl') + at.read('out.errors.jsonl') + at.read('out.jsonl.run'), /secret|test-key/);
  // How an item is sent may change, but not what is asked, nor where it stands.
  await run(items.with(4, { ...items[4], timeoutMs: 6000 }));
  await assert.rejects(run(items.with(4, { ...items[4], maxTokens: 8 })), { code: 'config', providerCode: 'another_input' });
  await assert.rejects(run([items[1], items[0], ...items.slice(2)]), /is not the input that the results were made from: it changed between item 1 and item 6/);
  await assert.rejects(run(items.slice(0, 3)), /it ends at item 3, and item 6 has a result/);
  // More may be added at the end.
  assert.deepEqual(texts(await run([...items, 'new'])), [...expected, 'echo: new']);
  assert.equal(server.total(), 6);
});

test('a key that is refused or no quota ends the run, and its item is not recorded', async (context) => {
  for (const [word, code] of [['key', 'auth'], ['quota', 'quota_exceeded']]) {
    fresh(context);
    const items = ['a', 'bad b', ...Array.from({ length: 40 }, (_, n) => `${word} ${n}`)];
    await assert.rejects(run(items), { code });
    assert.ok(server.total() <= 2 + 8, `${server.total()}`);
    assert.deepEqual([ids(), at.lines('out.errors.jsonl').length], [['request-1'], 1]);
    server.refuses = false;
    const results = texts(await run(items));
    assert.deepEqual([results[0], results[1], results[2]], ['echo: a', 'bad_request', `echo: ${word} 0`]);
    assert.deepEqual([results.length, ids().length], [42, 41]);
  }
});

test('two items of one name are refused with both numbers, before anything is sent', async (context) => {
  fresh(context);
  const named = (customId) => ({ prompt: 'x', customId });
  await assert.rejects(run([named('a'), 'y', named('a'), named('a')]), (error) => {
    assert.match(error.message, /the custom_id "a" on item 1 and on item 3, and 1 more are repeated/);
    return error.providerCode === 'duplicate_custom_id' && error.code === 'invalid_input';
  });
  // A name may be another item's default name.
  await assert.rejects(run([named('request-2'), 'y']), /"request-2" on item 1 and on item 2/);
  at.write('in.jsonl', `${requests(3000)}{"custom_id":"n1200","prompt":"z"}\n`);
  await assert.rejects(run(jsonLines(at.path('in.jsonl'))), /in\.jsonl has the custom_id "n1200" on line 1201 and on line 3001/);
  assert.equal(server.total(), 0);
  assert.ok(!at.names().includes('out.jsonl'));
});

test('stopSignal finishes what is in flight, and signal drops it', async (context) => {
  const items = Array.from({ length: 30 }, (_, n) => `p${n}`);
  for (const [name, finishes] of [['stopSignal', true], ['signal', false]]) {
    fresh(context);
    server.hold(6);
    const controller = new AbortController();
    const running = run(items, { [name]: controller.signal });
    await server.until(10);
    controller.abort();
    if (finishes) server.free();
    const results = await running;
    assert.equal(results.length, 30);
    assert.ok(results.every(({ ok, error }) => ok || error.code === 'aborted'));
    assert.equal(ids().length, finishes ? 10 : 6);
    server.free();
    assert.deepEqual(texts(await run(items)), items.map((item) => `echo: ${item}`));
    assert.equal(server.total(), finishes ? 30 : 34);
    // Nothing is left to abort, and nothing of a new item is sent.
    const late = texts(await run([...items, 'new'], { [name]: AbortSignal.abort() }));
    assert.deepEqual([late[0], late.at(-1), server.total()], ['echo: p0', 'aborted', finishes ? 30 : 34]);
  }
});

test('a torn last line is cut, and damaged lines are removed, and both are run again', async (context) => {
  fresh(context);
  const items = Array.from({ length: 8 }, (_, n) => `p${n}`);
  await run(items);
  const whole = at.read('out.jsonl');
  const last = whole.lastIndexOf('\n', whole.length - 2) + 1;
  for (const cut of [1, 20, whole.length - last - 1]) {
    truncateSync(at.path('out.jsonl'), whole.length - cut);
    server.reset();
    assert.deepEqual(texts(await run(items)), items.map((item) => `echo: ${item}`));
    assert.equal(server.total(), 1, `${cut}`);
    assert.equal(new Set(ids()).size, 8);
  }
  const bytes = Buffer.from(at.read('out.jsonl'));
  bytes.fill(0, 250, 600);
  writeFileSync(at.path('out.jsonl'), bytes);
  server.reset();
  await run(items);
  assert.equal(new Set(ids()).size, 8);
  assert.equal(ids().length, 8);
  assert.ok(server.total() >= 1 && server.total() <= 3, `${server.total()}`);
  assert.doesNotMatch(at.read('out.jsonl'), /\0/);
});

test('a file of another program is refused, and nothing is changed', async (context) => {
  for (const [name, text, of] of [['out.jsonl', 'a log\n', /line 2 of .*out\.jsonl is not as chatcore writes results/], ['out.errors.jsonl', '[1, 2]', /errors\.jsonl/]]) {
    fresh(context);
    await run(['a']);
    appendFileSync(at.path(name), text);
    const before = at.read(name);
    for (const journal of [{}, { force: true }, { retryErrors: true }]) {
      await assert.rejects(run(['a', 'b'], {}, journal), (error) => of.test(error.message) && error.providerCode === 'foreign_output');
    }
    assert.equal(at.read(name), before);
  }
  fresh(context);
  at.write('out.jsonl', 'a log\n');
  await assert.rejects(run(['a']), /already exists, and it is unknown how it was made, because .*out\.jsonl\.run is missing/);
  assert.equal(at.read('out.jsonl'), 'a log\n');
});

test('items in batches at the provider are not sent as chats', async (context) => {
  fresh(context);
  const file = at.path('out.jsonl.batches');
  for (const [content, of] of [['{"records":{"batches":[{},{}]}}', /at the provider \(2, see .*out\.jsonl\.batches\)/], ['{"records', /an unknown number/], ['null', /an unknown number/]]) {
    writeFileSync(file, content);
    for (const journal of [{}, { force: true }]) {
      await assert.rejects(run(['a'], {}, journal), (error) => of.test(error.message) && error.code === 'config' && error.providerCode === 'at_provider');
    }
  }
  assert.equal(server.total(), 0);
  writeFileSync(file, '{"chatcore_batches":1,"records":{"run":"r","next":1,"batches":[],"attempts":{"7":1}}}');
  assert.deepEqual(texts(await run(['a'])), ['echo: a']);
});

test('files that would overwrite each other, and options that make no sense, are refused', async (context) => {
  fresh(context);
  at.write('out.jsonl', '');
  symlinkSync(at.path('out.jsonl'), at.path('link'));
  await assert.rejects(run(jsonLines(at.path('link'))), { providerCode: 'same_file' });
  await assert.rejects(run(['a'], {}, { errors: at.path('out.jsonl.run') }), /the file of errors and the settings of the run are the same file/);
  await assert.rejects(run('text'), /the items are a text; give an array/);
  assert.throws(() => fileJournal('x', { retryError: true }), /unknown option retryError/);
  assert.throws(() => fileJournal('x', { sync: { intervalMs: -1 } }), RangeError);
  await assert.rejects(run(jsonLines(at.path('missing'))), { code: 'journal' });
  await assert.rejects(client.processBatch(['a'], { journal: fileJournal(at.path('none/out.jsonl')) }), /check the path/);
  mkdirSync(at.path('folder'));
  await assert.rejects(client.processBatch(['a'], { journal: fileJournal(at.path('folder')) }), { code: 'journal' });
  assert.equal(server.total(), 0);
});

test('an output that is deleted while the run writes it ends the run', async (context) => {
  fresh(context);
  server.hold(8);
  const running = run(Array.from({ length: 40 }, (_, n) => `p${n}`), {}, { sync: { intervalMs: 0 } });
  await server.until(12);
  rmSync(at.path('out.jsonl'));
  server.free();
  await assert.rejects(running, (error) => error.code === 'journal' && /was deleted or replaced while the batch ran/.test(error.message));
  assert.ok(server.total() < 40);
});

test('lines: packed, with a mark and blank lines, of text, an array, and bad ones', async (context) => {
  fresh(context);
  const lines = (text, how) => client.processBatch(jsonLines(at.write(`in${Math.random()}`, text), how), { journal: fileJournal(at.path(`out${Math.random()}`)) });
  const json = '\ufeff{"prompt":"a"}\r\n\n  {"prompt":"b"} \n{"prompt":"c"}';
  for (const text of [json, gzipSync(json), Buffer.concat([gzipSync(json.slice(0, 20)), gzipSync(json.slice(20))])]) {
    assert.deepEqual(texts(await lines(text)), ['echo: a', 'echo: b', 'echo: c']);
  }
  await assert.rejects(lines(gzipSync(json).subarray(0, -6)), { code: 'journal' });
  assert.deepEqual(texts(await lines('plain\n{"prompt":"x"}\n')), ['echo: plain', 'echo: {"prompt":"x"}']);
  await assert.rejects(lines('[{"prompt":"x"}]\n'), (error) => error.providerCode === 'json_array' && /format: 'text'/.test(error.message));
  assert.deepEqual(texts(await lines('[x]\n', { format: 'text' })), ['echo: [x]']);
  const bad = '{"prompt":"ok"}\n{"promt":"x"}\n{"custom_id":[1],"prompt":"x"}\n';
  assert.deepEqual((await lines(bad)).map(({ ok, error }) => ok || error.message), [true,
    'line 2 of the input cannot be run: it has the unknown field "promt"; write "prompt"',
    'line 3 of the input cannot be run: its custom_id is [1], which is neither a string nor a number']);
  await assert.rejects(lines(bad, { badLines: 'refuse' }), /line 2 .* \(2 such lines in all\); nothing was sent/);
  await assert.rejects(lines(Buffer.from([0x7b, 0xff, 0x0a]), { badLines: 'refuse' }), /line 1 of the input cannot be run: it is not UTF-8/);
  assert.throws(() => lines('a', { forma: 'text' }), /unknown option forma/);
});

test('an open journal for many lines: results as they are recorded, and what a loop leaves is run again', async (context) => {
  fresh(context);
  at.write('in.jsonl', requests(600));
  const seen = [];
  for (const most of [100, Infinity]) {
    const journal = await fileJournal(at.path('out.jsonl')).open(client, jsonLines(at.path('in.jsonl')));
    assert.deepEqual(await journal.progress(), { total: 600, done: seen.length, failed: 0, inputTokens: 3 * seen.length, outputTokens: 2 * seen.length });
    const run = processJournal(client, journal, { concurrency: 8 });
    for await (const { outcome, recorded } of run) {
      assert.equal(recorded, 'first');
      assert.ok(run.inFlight <= 8);
      seen.push(outcome.id);
      if (seen.length === most) break;
    }
    await journal.close();
    // The loop may have left results that were recorded, but not read.
    if (most === 100) seen.splice(0, seen.length, ...ids());
  }
  assert.equal(new Set(seen).size, 600);
  assert.deepEqual(ids().toSorted(), seen.toSorted());
  assert.ok(server.total() <= 608, `${server.total()}`);
});

test('a second run of the same output is kept out, with the program flock or without it', async (context) => {
  const { PATH } = process.env;
  context.after(() => { process.env.PATH = PATH; });
  for (const has of [true, false]) {
    fresh(context);
    if (!has) process.env.PATH = at.path('none');
    const place = fileJournal(at.path('out.jsonl'));
    const one = await place.open(client, ['a']);
    await assert.rejects(place.open(client, ['a']), (error) => error.providerCode === 'locked' && /another process runs the batch of .*out\.jsonl/.test(error.message));
    await one.close();
    await (await place.open(client, ['a'])).close();
    // Rust's journals delete it, too. On Windows the file stays.
    if (process.platform !== 'win32') assert.equal(existsSync(at.path('out.jsonl.lock')), false);
  }
});

test('a lock of a file that its last owner has deleted does not count', { skip: process.platform !== 'linux' }, async (context) => {
  fresh(context);
  const { lock } = (await sources({ lock: 'files/lock.ts' })).lock;
  const path = at.path('out.jsonl.lock');
  // The program flock is slower than the next line, unless the machine is busy: then it finds the lock held.
  const next = async () => {
    const free = await lock(path);
    const opened = lock(path);
    free();
    return await opened ?? next();
  };
  const free = await next();
  assert.equal(existsSync(path), true);
  assert.equal(await lock(path), undefined);
  free();
  assert.equal(existsSync(path), false);
});

test('a provider that cannot be reached ends the run, and no item is recorded as an error', async (context) => {
  fresh(context);
  const gone = new LlmClient({ ...options(await nobody()), maxAttempts: 1 });
  const items = Array.from({ length: 50 }, (_, n) => `p${n}`);
  const place = { concurrency: 2, journal: fileJournal(at.path('out.jsonl'), { force: true }) };
  await assert.rejects(gone.processBatch(items, place), { name: 'ConnectionError', code: 'connection' });
  assert.deepEqual([ids(), at.read('out.errors.jsonl')], [[], '']);
  assert.deepEqual(texts(await client.processBatch(items, place)), items.map((item) => `echo: ${item}`));
  await gone.close();
  // An error of one item alone is recorded.
  const refusing = new LlmClient({
    ...options(server.base), maxAttempts: 1,
    fetch: (url, init) => (String(init.body).includes('lost') || new TextDecoder().decode(init.body).includes('lost')
      ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) : fetch(url, init)),
  });
  const some = ['lost', ...items];
  const slow = { concurrency: 2, journal: fileJournal(at.path('other.jsonl')) };
  const results = await refusing.processBatch(some, slow);
  assert.deepEqual(texts(results).slice(0, 2), ['connection', 'echo: p0']);
  assert.equal(at.lines('other.errors.jsonl').length, 1);
  await refusing.close();
});
