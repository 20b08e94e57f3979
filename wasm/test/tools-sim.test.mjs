// Loops over tools in simulation: a server with faults, tools and hooks that fail, cancellation at any step, in virtual time.
// Every call is answered exactly once or reported, none begins after its loop has ended, and no limit is exceeded.
// CHATCORE_SEED=7 runs one seed. A failure names its seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmClient, LlmError } from '../dist/node.js';
import { LimitReachedError, runTools, streamTools, tool, unfinishedLoop } from '../dist/tools.js';
import { inVirtualTime } from './clock.mjs';

const { CHATCORE_SEED } = process.env;
const SEEDS = CHATCORE_SEED === undefined ? Array.from({ length: 1000 }, (_, seed) => seed) : [Number(CHATCORE_SEED)];
const STOP = new Error('enough');
const TOOL_MS = 5000;

/** Random numbers of a seed: mulberry32. */
function random(seed) {
  let state = seed + 0x9e3779b9;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (count) => Math.floor(next() * count), chance: (share) => next() < share };
}

/** One loop, and what is known of it. */
class Scene {
  constructor(seed, clock) {
    Object.assign(this, random(seed));
    this.clock = clock;
    this.controller = new AbortController();
    /** What became of each call that began, by its id. */
    this.fates = new Map();
    this.running = 0;
    this.mostRunning = 0;
    this.requests = 0;
    this.isOver = false;
    /** The answers so far, and their tokens as the provider reports them. */
    this.answers = 0;
    this.tokens = 0;
    /** The calls that the hook has given other arguments. */
    this.changed = new Set();
    this.told = [];
    /** What went wrong inside of a function whose errors the loop takes for those of a server or a tool. */
    this.wrong = [];
  }

  /** Notes an error, because nobody else would see it. */
  check(run) {
    try {
      run();
    } catch (error) {
      this.wrong.push(error);
    }
  }

  wait(milliseconds) {
    return this.clock.until(this.clock.now() + milliseconds);
  }

  /** Stops the loop. Nothing may begin after that. */
  stop() {
    this.isOver = true;
    this.controller.abort(STOP);
  }

  maybeStop() {
    if (this.cancels === 'inside' && this.chance(0.1)) this.stop();
  }

  /** The server: an answer to a request, or a fault. */
  fetch = async (_, { body, signal }) => {
    this.check(() => assert.ok(!this.isOver, 'a request is sent after the end'));
    this.requests += 1;
    const { messages, stream } = JSON.parse(new TextDecoder().decode(body));
    this.check(() => assertAnswered(messages));
    const { maxTurns, maxCost = Infinity, maxTotalTokens = Infinity } = this.limits;
    const within = this.answers < maxTurns && this.answers < maxCost && this.tokens < maxTotalTokens;
    this.check(() => assert.ok(within, 'a request is sent beyond a limit'));
    await Promise.race([this.wait(this.below(2000)), aborted(signal)]);
    if (this.chance(0.05)) throw new TypeError('the connection is lost');
    if (this.chance(0.05)) return Response.json({ error: { message: 'busy' } }, { status: [400, 500, 529][this.below(3)] });
    const calls = this.below(5) === 0 ? [] : Array.from({ length: 1 + this.below(4) }, (_, index) => this.call(index));
    const finish = this.chance(0.1) ? 'length' : calls.length ? 'tool_calls' : 'stop';
    const usage = this.chance(0.2) ? undefined : { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 };
    const message = { role: 'assistant', content: calls.length ? null : 'Done.', ...calls.length ? { tool_calls: calls } : {} };
    const head = { id: 'a', model: 'm', ...usage ? { usage } : {} };
    if (!stream) return Response.json({ ...head, choices: [{ index: 0, finish_reason: finish, message }] });
    const deltas = [message, ...calls.map((call, index) => ({ tool_calls: [{ ...call, index }] }))];
    if (calls.length) delete deltas[0].tool_calls;
    const events = [
      ...deltas.map((delta) => ({ ...head, usage: null, choices: [{ index: 0, delta }] })),
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: finish }] },
    ];
    const lines = [...events.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`);
    const fault = this.chance(0.1) ? 1 + this.below(lines.length) : Infinity;
    const isCut = this.chance(0.5);
    return new Response(this.body(lines, fault, isCut, signal), { headers: { 'content-type': 'text/event-stream' } });
  };

  /** A stream whose line `fault` is missing, with all that follow: the body ends, or breaks. */
  body(lines, fault, isCut, signal) {
    let sent = 0;
    return new ReadableStream({
      pull: async (controller) => {
        await Promise.race([this.wait(this.below(50)), aborted(signal)]).catch((error) => controller.error(error));
        if (signal.aborted) return;
        if (sent + 1 >= fault) {
          if (isCut) controller.close();
          else controller.error(new TypeError('the connection is lost'));
        } else if (sent < lines.length) {
          controller.enqueue(new TextEncoder().encode(lines[sent]));
          sent += 1;
        } else {
          controller.close();
        }
      },
    });
  }

  /** A call that the model asks for: most are right. */
  call(index) {
    const id = this.chance(0.15) ? 'same' : `${this.requests}-${index}`;
    const named = (name, args) => ({ id, type: 'function', function: { name, arguments: args } });
    switch (this.below(8)) {
      case 0: return named('unknown', '{}');
      case 1: return named('work', '{"id": ');
      case 2: return named('work', '[1]');
      case 3: return named('work', JSON.stringify({ id: 7 }));
      default: return named('work', JSON.stringify({ id: `${id}/${this.requests}/${index}` }));
    }
  }

  /** The tool: its calls take a random time; some fail, some hang, and some do not care for their signal. */
  work = tool({
    name: 'work', schema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
    run: ({ id }, { signal }) => {
      this.check(() => assert.ok(!this.isOver && !signal.aborted, `${id} begins after the end`));
      this.check(() => assert.ok(!this.fates.has(id) && !this.changed.has(id), `${id} begins twice, or as it was`));
      this.running += 1;
      this.mostRunning = Math.max(this.mostRunning, this.running);
      this.fates.set(id, 'running');
      signal.addEventListener('abort', () => {
        if (this.fates.get(id) !== 'running') return;
        this.running -= 1;
        this.fates.set(id, 'stopped');
      });
      this.maybeStop();
      const end = (fate) => {
        if (this.fates.get(id) !== 'running') return;
        this.running -= 1;
        this.fates.set(id, fate);
      };
      const kind = this.below(10);
      if (kind === 0) {
        end('failed');
        throw new Error(`${id} failed`);
      }
      const takes = kind === 1 ? Infinity : this.below(kind === 2 ? 10_000 : 2000);
      const cares = this.chance(0.5);
      const wait = takes === Infinity ? new Promise(() => {}) : this.wait(takes);
      return Promise.race(cares ? [wait, aborted(signal)] : [wait]).then(() => {
        this.maybeStop();
        end(kind === 3 ? 'failed' : 'ended');
        if (kind === 3) throw new Error(`${id} failed`);
        return `${id} is done`;
      });
    },
  });

  approval = async ({ arguments: { id } }) => {
    this.check(() => assert.ok(!this.isOver, `${id} is asked about after the end`));
    await this.wait(this.below(500));
    this.maybeStop();
    switch (this.below(6)) {
      case 0: return { refuse: 'no' };
      case 1: throw new Error('the hook fails');
      case 2:
        this.changed.add(id);
        return { arguments: { id: `${id} changed` } };
      default: return true;
    }
  };

  price = ({ usage }) => {
    this.answers += 1;
    this.tokens += usage ? usage.inputTokens + usage.outputTokens : 0;
    return 1;
  };

  /** Checks an event of a stream. */
  hear({ type, index, turn }) {
    if (type === 'turn_start' || type === 'turn_end') assert.deepEqual(this.told, [], `${type} of turn ${turn} with open calls`);
    if (type === 'call_asked') this.told.push(index);
    if (type !== 'call_result') return;
    const place = this.told.indexOf(index);
    assert.ok(place >= 0, `a result that nobody waits for: ${index}`);
    this.told.splice(place, 1);
  }
}

/** Rejects when the signal is aborted. */
const aborted = (signal) => new Promise((_, reject) => {
  if (signal?.aborted) reject(signal.reason);
  signal?.addEventListener('abort', () => reject(signal.reason));
});

/** A conversation as the provider gets it: each call is answered once, in the messages that follow it. */
function assertAnswered(messages) {
  let open = [];
  for (const { role, tool_call_id, tool_calls = [] } of messages) {
    if (role === 'tool') assert.equal(tool_call_id, open.shift());
    else assert.deepEqual(open, [], 'calls without an answer');
    open.push(...tool_calls.map(({ id, function: { arguments: args } }) => {
      assert.equal(typeof JSON.parse(args), 'object', 'what is sent back is JSON');
      return id;
    }));
  }
  assert.deepEqual(open, [], 'calls without an answer');
}

/** A conversation as the caller gets it: each call has one result, which is what the tool did. */
function assertTrue(messages, fates) {
  const reported = new Set();
  let open = [];
  for (const { content } of messages) {
    if (!Array.isArray(content)) continue;
    const ids = new Set();
    for (const part of content) {
      if (part.type === 'tool_call') open.push(part);
      if (part.type !== 'tool_result') continue;
      const call = open.shift();
      assert.equal(part.call_id, call?.id);
      assert.ok(part.is_error || !ids.has(call.id), `a second call with the id ${call.id} ran`);
      ids.add(call.id);
      const [{ text }] = part.content;
      let id;
      try {
        ({ id } = JSON.parse(call.arguments));
      } catch { /* one of the wrong ones */ }
      const began = [id, `${id} changed`].find((known) => fates.has(known));
      if (began !== undefined) reported.add(began);
      const isDone = fates.get(began) === 'ended' && !part.is_error;
      assert.equal(!part.is_error, isDone, `${call.arguments} → ${text}`);
      if (isDone) assert.equal(text, `${began} is done`);
    }
  }
  assert.deepEqual(open, [], 'calls without a result');
  for (const id of fates.keys()) assert.ok(reported.has(id), `${id} ran, and is not reported`);
}

async function run(seed, clock) {
  const scene = new Scene(seed, clock);
  const { chance, below, controller } = scene;
  const client = new LlmClient({
    provider: 'openai_compatible', baseURL: 'https://llm.example/v1', model: 'm', apiKey: 'k-0123456789', fetch: scene.fetch, maxAttempts: 1 + below(3),
  });
  const limits = scene.limits = {
    maxTurns: 1 + below(6), concurrency: 1 + below(4), toolTimeoutMs: TOOL_MS, price: scene.price,
    ...chance(0.2) ? { loopTimeoutMs: below(20_000) } : {}, ...chance(0.2) ? { maxTotalTokens: 1 + below(600) } : {},
    ...chance(0.1) ? { maxCost: 1 + below(4) } : {}, ...chance(0.4) ? { approval: scene.approval } : {},
  };
  scene.cancels = chance(0.4) ? ['later', 'inside', 'event'][below(3)] : undefined;
  if (scene.cancels === 'later') void scene.wait(below(10_000)).then(() => scene.stop());
  const options = { tools: [scene.work], signal: controller.signal, ...limits };
  const began = clock.now();
  let messages;
  let error;
  try {
    if (chance(0.5)) {
      ({ messages } = await runTools(client, 'go', options));
    } else {
      const stream = streamTools(client, 'go', options);
      for await (const event of stream) {
        scene.hear(event);
        if (scene.cancels === 'event' && chance(0.05)) {
          scene.isOver = true;
          if (chance(0.5)) break;
          stream.abort(STOP);
        }
      }
      if (!scene.isOver || scene.cancels !== 'event') ({ messages } = await stream.final());
    }
  } catch (caught) {
    error = caught;
  }
  const wasStopped = scene.isOver;
  scene.isOver = true;
  const took = clock.now() - began;
  if (error) {
    assert.ok(error instanceof LlmError, error.stack);
    const state = unfinishedLoop(error);
    assert.ok(state, `no state: ${error.stack}`);
    assert.equal(state.limit !== null, error instanceof LimitReachedError, error.stack);
    if (wasStopped) assert.equal(error.code, 'aborted', error.stack);
    else assert.notEqual(error.code, 'aborted', error.stack);
    ({ messages } = state);
    assert.ok(state.turns <= limits.maxTurns);
    if (state.limit === 'time') assert.equal(took, Math.max(1, limits.loopTimeoutMs), 'the loop ends when its time is up');
    if (state.limit === 'tokens') assert.ok(scene.tokens >= limits.maxTotalTokens || /an estimate/.test(error.message), error.message);
    if (state.limit === 'cost') assert.ok(state.cost >= limits.maxCost);
  }
  if (messages) assertTrue(messages, scene.fates);
  assert.ok(scene.mostRunning <= limits.concurrency, `${scene.mostRunning} ran at once, of ${limits.concurrency}`);
  if (limits.loopTimeoutMs !== undefined) assert.ok(took <= Math.max(1, limits.loopTimeoutMs), `${took} ms`);
  // What runs on has no effect any more.
  await scene.wait(20_000);
  for (const [id, fate] of scene.fates) assert.notEqual(fate, 'running', `${id} runs on`);
  await client.close();
  for (const error of scene.wrong) throw error;
  return { how: error ? error.code : wasStopped ? 'left' : 'ok', calls: scene.fates.size };
}

test(`${SEEDS.length} loops with faults: every call is answered once or reported, and none begins after the end`, async () => {
  // Loading the module is no part of the simulated time.
  await new LlmClient({ mock: true }).ask('hi', { schema: { type: 'object' } }).catch(() => {});
  const ends = new Map();
  let calls = 0;
  for (const seed of SEEDS) {
    try {
      const { how, calls: begun } = await inVirtualTime((clock) => run(seed, clock));
      ends.set(how, (ends.get(how) ?? 0) + 1);
      calls += begun;
    } catch (error) {
      error.message = `CHATCORE_SEED=${seed}: ${error.message}`;
      throw error;
    }
  }
  if (SEEDS.length === 1) return;
  // The simulation reaches what it is about.
  assert.ok(calls > SEEDS.length, `${calls} calls`);
  for (const how of ['ok', 'left', 'aborted', 'limit_reached', 'connection']) assert.ok(ends.get(how) > 10, JSON.stringify([...ends]));
});
