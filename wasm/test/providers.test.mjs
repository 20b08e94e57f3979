// Each provider as it is today: the loopback server refuses what the provider refuses, and only the base URL and a key
// are set.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { start } from './server.mjs';

let server;
before(async () => { server = await start(); });
after(() => server.stop());

const compatible = { provider: 'openai_compatible', model: 'mistral-small-latest' };
for (const [name, path, options] of [
  ['deepseek', 'deepseek', {}],
  ['openai', 'openai/v1', { provider: 'openai' }],
  ['openai, a model that always reasons', 'openai/v1', { provider: 'openai', model: 'gpt-6-astra' }],
  ['openai, a model that never does', 'openai/v1', { provider: 'openai', model: 'gpt-4o-mini' }],
  ['anthropic', 'anthropic', { provider: 'anthropic' }],
  ['mistral', 'mistral/v1', compatible],
]) {
  test(name, async () => {
    const baseURL = `${server.base}/as/${path}`;
    const client = new LlmClient({ provider: 'deepseek', apiKey: 'k', baseURL, ...options });
    const prompt = 'Why is the sky blue?';
    const messages = [{ role: 'user', content: prompt }];
    assert.equal(String(await client.chatAsync(prompt)), `echo: ${prompt}`);
    assert.equal(String(await client.chatWithContextAsync(messages)), `echo: ${prompt}`);
    let streamed = '';
    for await (const text of client.chatStream(prompt).text()) streamed += text;
    assert.equal(streamed, `echo: ${prompt}`);
    await client.close();
  });
}
