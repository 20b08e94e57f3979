// The loop over tools: what runs, what goes back to the model, limits, approval, aborts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { z } from 'zod';
import { InvalidInputError, LlmClient, LlmError, MismatchError } from '../dist/node.js';
import { LimitReachedError, runTools, streamTools, tool, ToolError, ToolOutput, unfinishedLoop } from '../dist/tools.js';
import { asked, calling, streamed, toolCall, whole } from './replies.mjs';

const later = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const weather = tool({
  name: 'weather', description: 'The weather in a city, now.', schema: z.object({ city: z.string() }), run: ({ city }) => `18 degrees in ${city}`,
});
/** The results in the last request, as `[id, content]`. */
const results = ({ messages }) => messages.filter(({ role }) => role === 'tool').map(({ tool_call_id, content }) => [tool_call_id, content]);
/** A tool that does what it is told. */
const does = (run, more = {}) => tool({ name: 'f', schema: { type: 'object' }, run, ...more });
/** Runs one call of `f`, and returns what the model reads of it. */
async function readOf(run, args = {}, options = {}) {
  const { client, requests } = asked([() => calling(['c1', 'f', args]), 'done']);
  await runTools(client, 'x', { tools: [does(run)], ...options });
  return results(requests[1])[0][1];
}

test('calls run, their results go back in the order of the calls, and the answer ends the loop', async () => {
  const { client, requests } = asked([() => calling(['c1', 'weather', { city: 'Lyon' }], ['c2', 'weather', { city: 'Rome' }]), 'Dry in both.']);
  const answer = await runTools(client, 'Umbrella?', { tools: [weather], systemPrompt: 'Be brief.', temperature: 0.5 });
  assert.deepEqual([String(answer), answer.text, answer.turns, answer.attempts], ['Dry in both.', 'Dry in both.', 2, 2]);
  assert.deepEqual([answer.usage.inputTokens, answer.usage.outputTokens, answer.cost], [10, 14, null]);
  assert.deepEqual(results(requests[1]), [['c1', '18 degrees in Lyon'], ['c2', '18 degrees in Rome']]);
  assert.deepEqual(answer.messages.map(({ role }) => role), ['system', 'user', 'assistant', 'tool', 'assistant']);
  const [{ tools: [{ function: { name, description, parameters } }], temperature }] = requests;
  assert.deepEqual([name, description, parameters.required, parameters.$schema, temperature], ['weather', 'The weather in a city, now.', ['city'], undefined, 0.5]);
  // The conversation goes on.
  const { client: next, requests: more } = asked(['Yes.']);
  await next.ask([...answer.messages, { role: 'user', content: 'Sure?' }]);
  assert.equal(more[0].messages.length, 7);
  assert.deepEqual(structuredClone({ ...answer, response: undefined, messages: undefined }).text, 'Dry in both.');
});

test('calls of a turn run at the same time, at most `concurrency` of them', async () => {
  for (const [concurrency, most] of [[undefined, 8], [3, 3], [1, 1], [0, 1]]) {
    let running = 0;
    let seen = 0;
    const order = [];
    const run = async ({ n }) => {
      order.push(n);
      seen = Math.max(seen, running += 1);
      await later(1);
      running -= 1;
      return n;
    };
    const calls = Array.from({ length: 12 }, (_, n) => [`c${n}`, 'f', { n }]);
    const { client, requests } = asked([() => calling(...calls), 'done']);
    await runTools(client, 'x', { tools: [does(run)], ...concurrency === undefined ? {} : { concurrency } });
    assert.equal(seen, most);
    assert.deepEqual(order, calls.map(([, , { n }]) => n));
    assert.deepEqual(results(requests[1]), calls.map(([id, , { n }]) => [id, String(n)]));
  }
});

test('what a tool returns: text, parts, any value as JSON; what it throws is an error that the model reads', async () => {
  assert.equal(await readOf(() => 'text'), 'text');
  assert.equal(await readOf(async () => ({ celsius: 18 })), '{"celsius":18}');
  assert.equal(await readOf(() => undefined), 'null');
  assert.equal(await readOf(() => new ToolOutput([{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }])).then((parts) => parts.map(({ text }) => text).join()), 'a,b');
  assert.match(await readOf(() => 1n), /the result cannot be written as JSON/);
  assert.equal(await readOf(() => { throw new Error('there is no such city'); }), 'there is no such city');
  assert.equal(await readOf(() => { throw new ToolError('try another city'); }), 'try another city');
  assert.equal(await readOf(() => Promise.reject('plain')), 'plain');
  // Anthropic marks errors.
  const answers = [{ type: 'tool_use', id: 'c1', name: 'f', input: {} }, { type: 'text', text: 'done' }];
  const { client, requests } = asked([0, 1].map((n) => () => Response.json({
    id: 'x', type: 'message', role: 'assistant', model: 'm', content: [answers[n]], stop_reason: n ? 'end_turn' : 'tool_use', usage: { input_tokens: 1, output_tokens: 1 },
  })), { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
  await runTools(client, 'x', { tools: [does(() => { throw new Error('no'); })], maxTokens: 9 });
  assert.deepEqual([requests[1].messages.at(-1).content[0].is_error, requests[1].messages.at(-1).content[0].tool_use_id], [true, 'c1']);
});

test('a result is cut at `maxResult` bytes of text, and the model is told so; images are kept', async () => {
  const note = (limit, whole) => `\n\n[The result was cut after ${limit} of ${whole} bytes of text. Ask for less at once if you need the rest.]`;
  const limit = 256 * 1024;
  assert.equal(await readOf(() => 'x'.repeat(limit)), 'x'.repeat(limit));
  assert.equal(await readOf(() => 'x'.repeat(4 * 1024 * 1024)), `${'x'.repeat(limit)}${note(limit, 4 * 1024 * 1024)}`);
  // Bytes of UTF-8, and no half characters.
  assert.equal(await readOf(() => 'éé', {}, { maxResult: 4 }), 'éé');
  assert.equal(await readOf(() => 'ééé', {}, { maxResult: 5 }), `éé${note(5, 6)}`);
  assert.equal(await readOf(() => { throw new Error('abcdef'); }, {}, { maxResult: 3 }), `abc${note(3, 6)}`);
  assert.equal(await readOf(() => 'x'.repeat(limit + 1), {}, { maxResult: Infinity }), 'x'.repeat(limit + 1));
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } };
  const parts = () => new ToolOutput([{ type: 'text', text: 'ab' }, { type: 'text', text: 'cd' }, image, { type: 'text', text: 'ef' }]);
  const { client } = asked([() => calling(['c1', 'f', {}]), 'done']);
  const { messages } = await runTools(client, 'x', { tools: [does(parts)], maxResult: 3 });
  const [{ content }] = messages.find(({ role }) => role === 'tool').content;
  assert.deepEqual(content, [{ type: 'text', text: 'ab' }, { type: 'text', text: `c${note(3, 6)}` }, image]);
  await assert.rejects(runTools(client, 'x', { tools: [], maxResult: -1 }), InvalidInputError);
});

test('a call that cannot run gets an error that says what to do', async () => {
  const calls = [
    ['c1', 'wether', { city: 'Lyon' }], ['c2', 'weather', '{"city":'], ['c3', 'weather', '[1]'], ['c4', 'weather', { city: 7 }],
    ['c5', 'strict', { n: 'x' }], ['c6', 'strict', {}], ['c7', 'weather', { city: 'Rome' }], ['c7', 'weather', { city: 'Oslo' }], ['c8', 'none', ''],
  ];
  let ran = 0;
  const strict = tool({ name: 'strict', schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }, run: () => { ran += 1; } });
  const none = tool({ name: 'none', run: (input) => input });
  const { client, requests } = asked([() => calling(...calls), 'done']);
  await runTools(client, 'x', { tools: [weather, strict, none] });
  const said = results(requests[1]);
  assert.deepEqual(said.map(([id]) => id), calls.map(([id]) => id));
  const texts = said.map(([, text]) => text);
  assert.equal(texts[0], 'there is no tool named "wether"; use one of: weather, strict, none');
  assert.match(texts[1], /^not run: the arguments are not valid JSON \(.+\); call the tool again with a JSON object that matches its schema$/);
  assert.match(texts[2], /^not run: the arguments are not a JSON object/);
  assert.match(texts[3], /^the arguments do not fit the tool's schema: at city, .+; call the tool again with corrected arguments$/);
  assert.equal(texts[4], "the arguments do not fit the tool's schema: at n, is a string, not integer; call the tool again with corrected arguments");
  assert.match(texts[5], /at n, is missing/);
  assert.equal(texts[6], '18 degrees in Rome');
  assert.equal(texts[7], 'not run: another call of this turn has the id "c7"; call the tool again, with an id of its own for each call');
  assert.equal(texts[8], '{}');
  assert.equal(ran, 0);
  const cut = asked([() => whole({ tool_calls: [toolCall(0, 'c1', 'weather', { city: 'Lyon' })] }, 'length'), 'done']);
  await runTools(cut.client, 'x', { tools: [weather] });
  assert.match(results(cut.requests[1])[0][1], /cut off at its token limit, so this call may be incomplete/);
});

test('a call has a time limit of its own, and its signal is aborted', async () => {
  let signal;
  const hang = async (_, context) => { ({ signal } = context); await new Promise(() => {}); };
  assert.equal(await readOf(hang, {}, { toolTimeoutMs: 20 }), 'the tool did not end within 20ms; it was stopped, and may have had effects');
  assert.equal(signal.aborted, true);
  const { client, requests } = asked([() => calling(['c1', 'f', {}]), 'done']);
  await runTools(client, 'x', { tools: [does(hang, { timeoutMs: 1500 })] });
  assert.match(results(requests[1])[0][1], /within 1\.5s/);
  assert.equal(await readOf(async () => { await later(30); return 'slow'; }, {}, { toolTimeoutMs: Infinity }), 'slow');
});

test('answers without a report of their usage, or with zeros, count with an estimate', async () => {
  for (const usage of [undefined, { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }]) {
    const message = { role: 'assistant', content: null, tool_calls: [toolCall(0, 'c1', 'weather', { city: 'Lyon' })] };
    const answer = () => Response.json({ id: 'x', model: 'm', usage, choices: [{ index: 0, finish_reason: 'tool_calls', message }] });
    const { client, requests } = asked([answer]);
    // About 500 tokens, which each turn sends again.
    const question = 'word '.repeat(400);
    for (const seen of [client, { ask: (...all) => client.ask(...all), askStream: (...all) => client.askStream(...all) }]) {
      requests.length = 0;
      const error = await runTools(seen, question, { tools: [weather], maxTotalTokens: 1000 }).catch((error) => error);
      assert.deepEqual([error.limit, requests.length], ['tokens', 2], inspect(error));
      assert.match(error.message, /1000 tokens, with 1\d{3}, of which 1\d{3} are an estimate/);
      assert.equal(unfinishedLoop(error).usage?.inputTokens, usage && 0);
    }
  }
});

test('an option of the loop that is null counts as not set, and one of a wrong kind is an error', async () => {
  const names = [
    'maxTurns', 'maxTotalTokens', 'price', 'maxCost', 'loopTimeoutMs', 'toolTimeoutMs', 'concurrency', 'maxResult', 'approval', 'signal', 'systemPrompt',
    'jsonSchema', 'schemaName', 'schemaInPrompt', 'repairs', 'temperature',
  ];
  for (const name of names) {
    const { client, requests } = asked([() => calling(['c1', 'weather', { city: 'Lyon' }]), 'done']);
    assert.equal(String(await runTools(client, 'x', { tools: [weather], [name]: null })), 'done', name);
    assert.deepEqual(results(requests[1]), [['c1', '18 degrees in Lyon']], name);
  }
  const { client } = asked(['done']);
  for (const [options, said] of [
    [undefined, 'the options of the tool loop are undefined; give { tools }'], [null, 'the options of the tool loop are null; give { tools }'],
    [{ approval: true }, 'approval is true; it must be a function'], [{ price: 5 }, 'price is 5; it must be a function'],
    [{ signal: 5 }, 'signal is 5; it must be an AbortSignal'], [{ loopTimeoutMs: '100' }, 'loopTimeoutMs is a text; it must be a number of at least 0'],
    [{ maxTurns: 1.5 }, 'maxTurns is 1.5; it must be a whole number of at least 0'],
  ]) {
    const all = options && { tools: [weather], ...options };
    await assert.rejects(runTools(client, 'x', all), { name: 'InvalidInputError', message: said });
    assert.throws(() => streamTools(client, 'x', all), { name: 'InvalidInputError', message: said });
  }
});

test('limits end the loop with the conversation so far, which can be sent again', async () => {
  const endless = () => asked([() => calling(['c1', 'weather', { city: 'Lyon' }])]);
  const price = ({ usage }) => usage.outputTokens / 100;
  for (const [options, limit, requests, message] of [
    [{ maxTurns: 3 }, 'turns', 3, /limit of 3 turns, before the model answered; raise maxTurns, or go on with the messages in unfinishedLoop\(error\)/],
    [{}, 'turns', 10, /10 turns/], [{ maxTotalTokens: 24 }, 'tokens', 2, /24 tokens, with 24; ?|24 tokens, with 24,/],
    [{ price, maxCost: 0.2 }, 'cost', 3, /a cost of 0\.2, with 0\.21/],
  ]) {
    const run = endless();
    const error = await runTools(run.client, 'x', { tools: [weather], ...options }).catch((error) => error);
    assert.ok(error instanceof LimitReachedError && error instanceof LlmError, inspect(error));
    assert.deepEqual([error.name, error.code, error.limit, error.attempts, run.requests.length], ['LimitReachedError', 'limit_reached', limit, requests, requests]);
    assert.match(error.message, message);
    assert.match(error.stack, /tools\.test\.mjs/);
    const state = unfinishedLoop(error);
    assert.deepEqual([state.limit, state.turns, state.usage.inputTokens, state.messages.length], [limit, requests, 5 * requests, 1 + 2 * requests]);
    assert.ok(!inspect(error).includes('Lyon'));
    const { client } = asked(['Dry.']);
    assert.equal((await client.ask(state.messages)).text, 'Dry.');
  }
  const priced = await runTools(asked(['Dry.']).client, 'x', { tools: [weather], price });
  assert.equal(priced.cost, 0.07);
  await assert.rejects(runTools(asked(['x']).client, 'x', { tools: [], price: () => NaN }), /no finite number/);
});

test('the time of the whole loop: what runs is aborted, and its result says so', async () => {
  let signal;
  const hang = does(async (_, context) => { ({ signal } = context); await new Promise(() => {}); });
  const { client } = asked([() => calling(['c1', 'f', {}], ['c2', 'f', {}])]);
  const error = await runTools(client, 'x', { tools: [hang], loopTimeoutMs: 60, concurrency: 1 }).catch((error) => error);
  assert.deepEqual([error.limit, signal.aborted], ['time', true]);
  assert.deepEqual(unfinishedLoop(error).messages.at(-1).content.map(({ content: [{ text }], is_error }) => [text, is_error]), [
    ['stopped before it had ended, because the time for this conversation was up; it may have had effects', true],
    ['not run, because the time for this conversation was up', true],
  ]);
  const silent = asked([() => new Promise(() => {})]);
  await assert.rejects(runTools(silent.client, 'x', { tools: [hang], loopTimeoutMs: 20 }), { limit: 'time', attempts: 0 });
  assert.equal(silent.requests[0].signal.aborted, true);
});

test('an abort stops all: no request and no call begins after it', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const signals = [];
  let begun = 0;
  const f = does(async (_, { signal }) => {
    signals.push(signal);
    begun += 1;
    if (begun === 2) controller.abort(reason);
    await new Promise(() => {});
  });
  const { client, requests } = asked([() => calling(...Array.from({ length: 5 }, (_, n) => [`c${n}`, 'f', {}]))]);
  const error = await runTools(client, 'x', { tools: [f], concurrency: 2, signal: controller.signal }).catch((error) => error);
  assert.deepEqual([error.name, error.cause, begun, requests.length], ['AbortError', reason, 2, 1]);
  assert.ok(signals.every(({ aborted }) => aborted));
  assert.equal(unfinishedLoop(error).messages.at(-1).content.length, 5);
  await assert.rejects(runTools(client, 'x', { tools: [f], signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(requests.length, 1);
});

test('a failed turn has the state of the loop', async () => {
  const { client } = asked([() => calling(['c1', 'weather', { city: 'Lyon' }]), () => Response.json({ error: { message: 'no' } }, { status: 400 })]);
  const error = await runTools(client, 'x', { tools: [weather] }).catch((error) => error);
  assert.deepEqual([error.code, error.attempts, unfinishedLoop(error).limit, unfinishedLoop(error).messages.length], ['bad_request', 2, null, 3]);
  assert.equal(unfinishedLoop(new Error('x')), undefined);
});

test('the approval hook: one call at a time, in order; it approves, refuses or changes', async () => {
  const seen = [];
  let asking = 0;
  const approval = async ({ name, arguments: { n }, callId, turn, signal }) => {
    assert.deepEqual([name, callId, turn, signal.aborted, asking], ['f', `c${n}`, 1, false, 0]);
    asking += 1;
    await later(1);
    asking -= 1;
    seen.push(n);
    return [true, { refuse: 'never delete' }, { arguments: { n: 20 } }, undefined, false, { arguments: [] }][n] ?? Promise.reject(new Error('x'));
  };
  const ran = [];
  const { client, requests } = asked([() => calling(...Array.from({ length: 7 }, (_, n) => [`c${n}`, 'f', { n }])), 'done']);
  await runTools(client, 'x', { tools: [does(({ n }) => { ran.push(n); return n; })], approval });
  assert.deepEqual([seen, ran], [[0, 1, 2, 3, 4, 5, 6], [0, 20]]);
  const failed = 'the approval of the call failed';
  assert.deepEqual(results(requests[1]).map(([, text]) => text), ['0', 'never delete', '20', failed, failed, failed, failed]);
  // The model's own arguments stay in the conversation.
  assert.equal(requests[1].messages[1].tool_calls[2].function.arguments, '{"n":2}');
});

test('the steps as a stream of events', async () => {
  const { client } = asked([
    () => streamed([{ content: 'Let me look.' }, { tool_calls: [toolCall(0, 'c1', 'weather', '{"city":')] }, { tool_calls: [{ index: 0, function: { arguments: '"Lyon"}' } }] }], 'tool_calls'),
    () => streamed(['Dry', '.']),
  ]);
  const stream = streamTools(client, 'x', { tools: [weather], price: () => 1, approval: () => true });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.deepEqual(events.map(({ type }) => type).filter((type, n, all) => type !== all[n - 1]), [
    'turn_start', 'content', 'call_asked', 'call_approved', 'call_result', 'turn_end', 'turn_start', 'content', 'turn_end', 'finish',
  ]);
  const of = (kind) => events.filter(({ type }) => type === kind);
  assert.deepEqual(of('call_asked')[0].call, { type: 'tool_call', id: 'c1', name: 'weather', arguments: '{"city":"Lyon"}' });
  assert.deepEqual(of('call_approved')[0], { type: 'call_approved', index: 0, arguments: { city: 'Lyon' } });
  assert.deepEqual(of('call_result')[0].result, { type: 'tool_result', call_id: 'c1', content: [{ type: 'text', text: '18 degrees in Lyon' }], is_error: false });
  assert.deepEqual(of('turn_end').map(({ turn, usage, totalUsage, cost }) => [turn, usage.inputTokens, totalUsage.inputTokens, cost]), [[1, 5, 5, 1], [2, 5, 10, 2]]);
  assert.equal(of('content').map(({ event }) => event.text ?? '').join(''), 'Let me look.Dry.');
  const answer = await stream.final();
  assert.deepEqual([answer.text, answer.turns], ['Dry.', 2]);
  const text = [];
  for await (const piece of streamTools(asked([() => streamed(['a', 'b'])]).client, 'x', { tools: [] }).text()) text.push(piece);
  assert.deepEqual(text, ['a', 'b']);
});

test('a stream that nobody reads sends nothing and runs nothing; leaving it aborts calls and requests', async () => {
  let signal;
  let begun = 0;
  const f = does(async (_, context) => { begun += 1; ({ signal } = context); await new Promise(() => {}); });
  const { client, requests } = asked([() => streamed([{ tool_calls: [toolCall(0, 'c1', 'f', '{}'), toolCall(1, 'c2', 'f', '{}')] }], 'tool_calls')]);
  const unread = streamTools(client, 'x', { tools: [f] });
  await later(1);
  assert.deepEqual([requests.length, begun], [0, 0]);
  for await (const { type } of unread) if (type === 'call_approved') break;
  await later(1);
  assert.equal(begun, 0);
  const stream = streamTools(client, 'x', { tools: [f], concurrency: 1 });
  const events = stream[Symbol.asyncIterator]();
  while ((await events.next()).value.type !== 'call_approved');
  const pending = events.next();
  const after = events.next();
  await pending;
  while (begun === 0) await later(1);
  stream.abort(new Error('mine'));
  await after;
  assert.equal(signal.aborted, true);
  const error = await stream.final().catch((error) => error);
  assert.deepEqual([error.name, error.cause.message, begun], ['AbortError', 'mine', 1]);
  assert.equal(unfinishedLoop(error).messages.at(-1).content.length, 2);
  await assert.rejects(stream.final(), { name: 'AbortError' });
  const failing = streamTools(asked([() => Response.json({}, { status: 401 })]).client, 'x', { tools: [] });
  await assert.rejects(failing.final(), (error) => error.code === 'auth' && /tools\.test\.mjs/.test(error.stack));
});

test('a required choice applies until the first call was run; a pause goes on', async () => {
  const { client, requests } = asked([() => calling(['c1', 'weather', { city: 'Lyon' }]), 'done']);
  await runTools(client, 'x', { tools: [weather], toolChoice: { tool: 'weather' } });
  assert.deepEqual(requests.map(({ tool_choice }) => tool_choice?.function?.name), ['weather', undefined]);
  const answer = (content, stop_reason) => () => Response.json({ id: 'x', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: content }], stop_reason, usage: { input_tokens: 1, output_tokens: 1 } });
  const paused = asked([answer('thinking', 'pause_turn'), answer('done', 'end_turn')], { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
  const { text, turns } = await runTools(paused.client, 'x', { tools: [weather], maxTokens: 9 });
  assert.deepEqual([text, turns], ['done', 2]);
});

test('reasoning and its signatures go back as the provider demands', async () => {
  const thinking = { type: 'thinking', thinking: 'hm', signature: 'proof' };
  const answer = (content, stop_reason) => () => Response.json({ id: 'x', type: 'message', role: 'assistant', model: 'm', content, stop_reason, usage: { input_tokens: 1, output_tokens: 1 } });
  const anthropic = asked([answer([thinking, { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Lyon' } }], 'tool_use'), answer([{ type: 'text', text: 'Dry.' }], 'end_turn')],
    { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
  assert.equal(String(await runTools(anthropic.client, 'x', { tools: [weather], maxTokens: 4000 })), 'Dry.');
  assert.deepEqual(anthropic.requests[1].messages[1].content[0], thinking);
  const part = { functionCall: { name: 'weather', args: { city: 'Lyon' } }, thoughtSignature: 'c2ln' };
  const said = (parts) => () => Response.json({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 } });
  const gemini = asked([said([part]), said([{ text: 'Dry.' }])], { provider: 'gemini', baseURL: 'https://llm.example/v1beta', model: 'gemini-3-flash' });
  assert.equal(String(await runTools(gemini.client, 'x', { tools: [weather] })), 'Dry.');
  const [, back, result] = gemini.requests[1].contents;
  assert.equal(back.parts[0].thoughtSignature, 'c2ln');
  assert.match(JSON.stringify(result.parts[0].functionResponse), /18 degrees in Lyon/);
  const item = { type: 'reasoning', id: 'r1', summary: [], encrypted_content: 'secret' };
  const items = (output) => () => Response.json({ id: 'x', object: 'response', model: 'm', status: 'completed', output, usage: { input_tokens: 1, output_tokens: 1 } });
  const responses = asked([
    items([item, { type: 'function_call', id: 'f1', call_id: 'c1', name: 'weather', arguments: '{"city":"Lyon"}', status: 'completed' }]),
    items([{ type: 'message', id: 'm1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Dry.', annotations: [] }] }]),
  ], { provider: 'openai_responses', baseURL: 'https://llm.example/v1', model: 'gpt-6-luna' });
  assert.equal(String(await runTools(responses.client, 'x', { tools: [weather] })), 'Dry.');
  const kinds = responses.requests[1].input.map(({ type, role }) => type ?? role);
  assert.ok(kinds.indexOf('reasoning') >= 0 && kinds.indexOf('reasoning') < kinds.indexOf('function_call'), `${kinds}`);
  assert.equal(responses.requests[1].input.find(({ type }) => type === 'reasoning').encrypted_content, 'secret');
  assert.equal(responses.requests[1].input.find(({ type }) => type === 'function_call_output').output, '18 degrees in Lyon');
});

test('a typed final answer, corrected within the turns', async () => {
  const schema = z.object({ city: z.string(), umbrella: z.boolean() });
  const { client, requests } = asked([() => calling(['c1', 'weather', { city: 'Lyon' }]), '{"city":"Lyon"}', '{"city":"Lyon","umbrella":false}'],
    { provider: 'openai_chat', baseURL: 'https://llm.example/v1' });
  const { value, turns, response, messages } = await runTools(client, 'x', { tools: [weather], schema, repairs: 1 });
  assert.deepEqual([value, turns, response.text], [{ city: 'Lyon', umbrella: false }, 3, '{"city":"Lyon","umbrella":false}']);
  assert.equal(requests[0].response_format.type, 'json_schema');
  assert.match(messages.at(-2).content, /at umbrella, is missing\. Answer again with the whole corrected JSON/);
  const failing = asked(['{"city":1,"umbrella":true}']);
  await assert.rejects(runTools(failing.client, 'x', { tools: [weather], schema }), (error) =>
    error instanceof MismatchError && error.path === 'city' && error.attempts === 1 && unfinishedLoop(error).turns === 1);
  // Where the schema is in the prompt, the conversation that is returned is without it.
  const prompted = asked(['{"city":"Lyon","umbrella":true}']);
  const answer = await runTools(prompted.client, 'x', { tools: [weather], schema });
  assert.match(prompted.requests[0].messages[0].content, /matches this JSON schema/);
  assert.deepEqual(answer.messages[0], { role: 'user', content: 'x' });
  const stream = streamTools(asked([() => streamed(['{"city":"Lyon",', '"umbrella":true}'])]).client, 'x', { tools: [weather], schema });
  assert.deepEqual((await stream.final()).value, { city: 'Lyon', umbrella: true });
});

test('a loop begins with the calls that have no result, and ends with calls that are the caller’s', async () => {
  const { client, requests } = asked(['done']);
  const messages = [{ role: 'user', content: 'x' }, { role: 'assistant', content: null, tool_calls: [toolCall(0, 'c1', 'weather', { city: 'Lyon' }), toolCall(1, 'c2', 'weather', { city: 'Rome' })] },
    { role: 'tool', tool_call_id: 'c1', content: 'known' }];
  const answer = await runTools(client, messages, { tools: [weather] });
  assert.deepEqual(results(requests[0]), [['c1', 'known'], ['c2', '18 degrees in Rome']]);
  assert.equal(answer.turns, 1);
  assert.equal(messages.length, 3);
  const own = { name: 'mine', parameters: { type: 'object' } };
  let ran = 0;
  const mixed = asked([() => calling(['c1', 'f', {}], ['c2', 'mine', {}])]);
  const stopped = await runTools(mixed.client, 'x', { tools: [does(() => { ran += 1; }), own] });
  assert.deepEqual([stopped.response.toolCalls.length, ran, mixed.requests.length], [2, 0, 1]);
});

test('what is wrong is told before anything is sent', async () => {
  const { client, requests } = asked(['x']);
  for (const [options, why] of [
    [{ tools: [weather], maxTurns: 0 }, /never be asked/], [{ tools: [weather, weather] }, /already has a tool named "weather"; give one of the two another name/],
    [{ tools: [weather, { type: 'function', function: { name: 'weather' } }] }, /already has a tool named/], [{ tools: [weather], maxCost: 1 }, /maxCost needs a price/],
    [{ tools: [weather], toolTimeoutMs: -1 }, /toolTimeoutMs is -1/], [{ tools: [weather], maxTurn: 1 }, /unknown option maxTurn/], [{}, /tools is undefined; give an array of tools/],
    [{ tools: [weather], repairs: 1.5 }, /repairs is 1.5/],
  ]) {
    await assert.rejects(runTools(client, 'x', options), (error) => {
      assert.ok(error instanceof InvalidInputError, inspect(error));
      assert.match(error.message, why);
      return true;
    });
  }
  await assert.rejects(runTools(client, undefined, { tools: [] }), /the question is undefined/);
  assert.throws(() => tool({ name: 'x', schema: z.string(), run() {} }), /not one of an object/);
  for (const type of ['null', ['string', 'null'], [], 1, null]) {
    assert.throws(() => tool({ name: 'x', schema: { type }, run() {} }), /not one of an object/);
  }
  for (const type of ['object', ['object', 'null'], ['object'], undefined]) {
    assert.deepEqual(tool({ name: 'x', schema: { type }, run() {} }).definition.parameters, { type: 'object', properties: {} });
  }
  assert.throws(() => tool({ name: 'x' }), /no function run/);
  assert.equal(requests.length, 0);
});

test('a field of another package says what it is called here, because a tool without its schema would take no arguments', () => {
  const own = { name: 'now', run: () => 1 };
  for (const [more, said] of [
    [{ inputSchema: {} }, /the tool now has the unknown field inputSchema; call it schema/], [{ parameters: {} }, /call it schema/],
    [{ execute() {} }, /call it run/], [{ needsApproval: true }, /the option approval of the loop/], [{ title: 'x' }, /unknown field title; it may have name, description/],
  ]) assert.throws(() => tool({ ...own, ...more }), { code: 'invalid_input', message: said });
});

test('tools in an object, as ai takes them', async () => {
  const client = new LlmClient({ mock: true });
  await assert.rejects(runTools(client, 'x', { tools: { now: tool({ name: 'now', run: () => 1 }) } }), { message: /tools is an object; give an array of tools made by tool\(\)/ });
});
