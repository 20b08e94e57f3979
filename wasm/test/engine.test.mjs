// A real engine: the llama.cpp at CHATCORE_LLAMACPP, with a tiny model of random weights. Its text makes no sense, but its
// grammars force the form of typed answers and of calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { z } from 'zod';
import { LlmClient } from '../dist/node.js';
import { LimitReachedError, runTools, streamTools, tool, unfinishedLoop } from '../dist/tools.js';

const { CHATCORE_LLAMACPP } = process.env;
const how = { skip: CHATCORE_LLAMACPP ? false : 'CHATCORE_LLAMACPP is not set' };

test('a question, whole and streamed', how, async () => {
  const llama = new LlmClient({ baseURL: CHATCORE_LLAMACPP, model: 'default' });
  assert.ok((await llama.chatAsync('Say hello.', { maxTokens: 8 })).text.length > 0);
  assert.ok((await llama.chatStream('Say hello.', { maxTokens: 8 }).final()).text.length > 0);
});

test('its grammars hold typed answers and calls to their schemas, and the loop answers each call', how, async () => {
  const baseURL = `${CHATCORE_LLAMACPP}/v1`;
  // The provider with grammars at an address of its own. Each text of an answer ends at once, so that random weights come to an end.
  const llama = new LlmClient({ provider: 'llamacpp', baseURL, model: 'tiny' });
  const schema = z.object({ name: z.string(), mood: z.enum(['calm', 'cross']), tags: z.array(z.string()).min(1).max(2), age: z.int().nullable() });
  const options = { schema, maxTokens: 400, temperature: 0, extra: { logit_bias: [['"', 100]] } };
  const { value } = await llama.ask('hello', options);
  assert.ok(['calm', 'cross'].includes(value.mood), inspect(value));
  assert.deepEqual((await llama.askStream('hello', options).final()).value, value);

  let broken = 0;
  for (const provider of ['openai_compatible', 'openai_responses', 'anthropic']) {
    const engine = new LlmClient({ provider, baseURL: provider === 'anthropic' ? CHATCORE_LLAMACPP : baseURL, model: 'tiny', apiKey: 'none' });
    for (const run of [runTools, (...all) => streamTools(...all).final()]) {
      let ran = 0;
      const flag = tool({ name: 'flag', schema: z.object({ on: z.boolean() }), run: ({ on }) => { ran += 1; return `the flag is ${on}`; } });
      let messages = [{ role: 'user', content: 'hi' }];
      // A turn sends the ones before it back, with calls that may have been cut off.
      for (const maxTokens of [46, 48, 50, 150]) {
        ran = 0;
        const error = await run(engine, messages, { tools: [flag], toolChoice: 'required', maxTurns: 1, maxTokens, temperature: 0 }).catch((error) => error);
        assert.ok(error instanceof LimitReachedError, inspect(error));
        ({ messages } = unfinishedLoop(error));
        const [answer, results] = messages.slice(-2);
        const calls = answer.content.filter(({ type }) => type === 'tool_call');
        assert.deepEqual(results.content.map(({ call_id }) => call_id), calls.map(({ id }) => id));
        assert.equal(results.content.filter(({ is_error }) => !is_error).length, ran);
        assert.ok(maxTokens < 150 || ran > 0, inspect(calls));
        broken += calls.filter(({ arguments: given }) => !given.endsWith('}')).length;
      }
      assert.ok((await engine.ask(messages, { maxTokens: 8 })).text.length > 0);
    }
  }
  assert.ok(broken > 0, 'no call was cut off');
});
