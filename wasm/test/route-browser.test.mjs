// `readResponse` in Chromium, from a server of Node: the text comes while it is written, and a stop ends the call of the server.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { sendResponse } from '../dist/response.js';
import { launch, skip } from './chromium.mjs';
import { path } from './pages.mjs';

const event = (content) => new TextEncoder().encode(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
const END = new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');

/** The answer that is being written, and promises of its end. */
let answer, browser, page, server;
const client = new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', maxAttempts: 1, timeoutMs: Infinity, fetch: async (_, { body, signal }) => {
  if (JSON.parse(new TextDecoder().decode(body)).model === 'limited') return Response.json({ error: { message: 'org-secret' } }, { status: 429 });
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  signal.addEventListener('abort', gone);
  const stream = new ReadableStream({ start(controller) { answer = { controller, closed }; controller.enqueue(event('one ')); }, cancel: gone });
  return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
} });

before(async () => {
  if (skip) return;
  server = createServer(async (request, response) => {
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,">');
    if (request.url === '/response.js') return response.setHeader('content-type', 'text/javascript').end(await readFile(path('../dist/response.js')));
    const { messages, model } = JSON.parse(Buffer.concat(await request.toArray()));
    await sendResponse(response, client.askStream(messages, { model }));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  browser = await launch();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(async () => {
    const { readResponse } = await import('/response.js');
    globalThis.read = (model) => readResponse(fetch('/chat', { method: 'POST', body: JSON.stringify({ model, messages: [{ role: 'user', content: 'x' }] }) }));
    globalThis.loop = async (stream) => {
      globalThis.shown = '';
      for await (const text of stream.text()) globalThis.shown += text;
    };
  });
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

test('the text comes while it is written, and the answer after it', { skip }, async () => {
  await page.evaluate(() => { globalThis.stream = read(); globalThis.ended = loop(stream); });
  await page.waitForFunction(() => shown === 'one ');
  answer.controller.enqueue(event('two'));
  await page.waitForFunction(() => shown === 'one two');
  answer.controller.enqueue(END);
  answer.controller.close();
  const { text, finishReason } = await page.evaluate(async () => { await ended; return stream.final(); });
  assert.deepEqual({ text, finishReason }, { text: 'one two', finishReason: 'stop' });
});

test('a stop ends the loop in the page and the call of the server', { skip }, async () => {
  await page.evaluate(() => { globalThis.stream = read(); globalThis.ended = loop(stream); });
  await page.waitForFunction(() => shown === 'one ');
  await page.evaluate(() => { stream.stop(); return ended; });
  await answer.closed;
});

test('an error has its class and its words for pages', { skip }, async () => {
  const error = await page.evaluate(() => read('limited').final().catch(({ name, code, status, message }) => ({ name, code, status, message })));
  assert.deepEqual(error, { name: 'RateLimitError', code: 'rate_limited', status: 429, message: 'there are too many requests; try again later' });
});
