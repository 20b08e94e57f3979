// Tools of MCP servers in the loop: two real servers, over a program's streams and over streamable HTTP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { mcpTools, runTools } from '../dist/tools.js';
import { asked, calling } from './replies.mjs';

const program = (name) => fileURLToPath(new URL(`../node_modules/@modelcontextprotocol/${name}/dist/index.js`, import.meta.url));
const named = (tools, name) => tools.find(({ definition }) => definition.name === name);
const texts = ({ messages }) => messages.filter(({ role }) => role === 'tool').map(({ content }) => (typeof content === 'string' ? content : content));

async function connected(transport) {
  const client = new Client({ name: 'chatcore-test', version: '1' });
  await client.connect(transport);
  return client;
}

/** What a server of each transport must do. */
async function everything(client) {
  const tools = await mcpTools(client, { prefix: 'all.' });
  const names = tools.map(({ definition }) => definition.name);
  assert.ok(names.includes('all_get-sum') && names.every((name) => /^[\w-]{1,64}$/.test(name)), `${names}`);
  const { description, parameters } = named(tools, 'all_get-sum').definition;
  assert.ok(description.length > 5);
  assert.deepEqual([parameters.type, parameters.$schema, parameters.properties.a.type], ['object', undefined, 'number']);
  const { client: model, requests } = asked([() => calling(
    ['c1', 'all_get-sum', { a: 2, b: 3 }], ['c2', 'all_get-sum', { a: 'x' }], ['c3', 'all_get-resource-links', { count: 1 }],
    ['c4', 'all_get-structured-content', { location: 'Chicago' }], ['c5', 'all_get-tiny-image', {}],
  ), 'It is 5.']);
  const answer = await runTools(model, 'What is 2 + 3?', { tools });
  assert.equal(String(answer), 'It is 5.');
  const [sum, wrong, link, structured] = texts(requests[1]);
  assert.match(sum, /5/);
  assert.match(wrong, /nvalid/);
  assert.match(JSON.stringify(link), /a document: .+ \(demo:\/\/resource\//);
  assert.match(structured, /temperature/);
  const results = answer.messages.at(-2).content;
  assert.deepEqual(results.map(({ is_error }) => is_error), [false, true, false, false, false]);
  const image = results[4].content.find(({ type }) => type === 'image');
  assert.equal(image.source.media_type, 'image/png');
  // A call whose time is up is cancelled at the server, and the next one is answered.
  const slow = asked([() => calling(['c1', 'all_trigger-long-running-operation', { duration: 60, steps: 2 }]), 'done']);
  await runTools(slow.client, 'x', { tools, toolTimeoutMs: 50 });
  assert.match(texts(slow.requests[1])[0], /the tool did not end within 50ms/);
  assert.equal((await client.callTool({ name: 'echo', arguments: { message: 'hi' } })).content[0].text, 'Echo: hi');
}

test('server-everything over its streams', async () => {
  const client = await connected(new StdioClientTransport({ command: process.execPath, args: [program('server-everything'), 'stdio'], stderr: 'ignore' }));
  try {
    await everything(client);
  } finally {
    await client.close();
  }
});

test('server-everything over streamable HTTP', async () => {
  const port = await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  const server = spawn(process.execPath, [program('server-everything'), 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    await new Promise((ready) => { server.stderr.on('data', (text) => { if (String(text).includes('listening')) ready(); }); });
    const client = await connected(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)));
    await everything(client);
    await client.close();
  } finally {
    server.kill('SIGKILL');
  }
});

test('server-filesystem: only the tools that change nothing', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'chatcore-mcp-')));
  writeFileSync(join(folder, 'note.txt'), 'buy tea');
  const client = await connected(new StdioClientTransport({ command: process.execPath, args: [program('server-filesystem'), folder], stderr: 'ignore' }));
  try {
    const tools = await mcpTools(client, { filter: ({ annotations }) => annotations?.readOnlyHint === true });
    assert.ok(named(tools, 'read_text_file') && !named(tools, 'write_file'));
    const { client: model, requests } = asked([() => calling(['c1', 'read_text_file', { path: join(folder, 'note.txt') }], ['c2', 'read_text_file', { path: '/etc/passwd' }]), 'Tea.']);
    assert.equal(String(await runTools(model, 'What do I need?', { tools })), 'Tea.');
    const [note, denied] = texts(requests[1]);
    assert.match(note, /buy tea/);
    assert.match(denied, /[Aa]ccess denied/);
  } finally {
    await client.close();
    rmSync(folder, { recursive: true });
  }
});

test('lists, names and contents of a server that is no friend', async () => {
  const tools = [
    ...['a.b', 'a/b', 'a_b', '名', 'x'.repeat(200), 'x'.repeat(200)].map((name) => ({ name, inputSchema: {} })),
    { name: 'elsewhere', inputSchema: { type: 'object', properties: { a: { $ref: 'https://example.com/a.json' } } } },
    { name: 'text', inputSchema: { type: 'string' } }, { name: 'inner', title: 'Inner', inputSchema: { type: ['object', 'null'], properties: { a: { $ref: '#/$defs/a' } }, $schema: 'x' } },
  ];
  const content = [
    { type: 'text', text: 'a' }, { type: 'image', mimeType: 'image/png', data: 'QUJD' }, { type: 'audio', mimeType: 'audio/wav', data: 'QUJD' },
    { type: 'resource', resource: { uri: 'x://t', text: 'b' } }, { type: 'resource', resource: { uri: 'x://i', mimeType: 'image/gif', blob: 'QUJD' } },
    { type: 'resource', resource: { uri: 'x://b', blob: 'QUJD' } }, { type: 'resource_link', uri: 'x://l', name: 'l', description: 'd' }, { type: 'new', value: 1 }, { type: 'text' }, 7,
  ];
  let result = { content };
  const client = { async listTools(from) { return from ? { tools: tools.slice(4) } : { tools: tools.slice(0, 4), nextCursor: '2' }; }, async callTool() { return result; } };
  const context = { arguments: {}, signal: new AbortController().signal };
  const made = await mcpTools(client, { prefix: 'p ' });
  const names = made.map(({ definition }) => definition.name);
  assert.deepEqual([...names.slice(0, 4), names.at(-1)], ['p_a_b', 'p_a_b_2', 'p_a_b_3', 'p__', 'p_inner']);
  assert.ok(names[4].length === 64 && names[5].endsWith('x_2') && names.length === 7);
  assert.deepEqual(made[0].definition.parameters, { type: 'object', properties: {} });
  const inner = made.at(-1).definition;
  assert.deepEqual([inner.description, inner.parameters.$schema, inner.parameters.type], ['Inner', undefined, 'object']);
  const kinds = (parts) => parts.map(({ type }) => type).join(' ');
  assert.equal(kinds((await made[0].run(context)).content), 'text image text text image text text text text text');
  assert.equal((await made[0].run(context)).content[2].text, '[audio of the type audio/wav, about 3 bytes, not shown]');
  const [all] = await mcpTools(client, { allMedia: true });
  assert.equal(kinds((await all.run(context)).content), 'text image audio text image file text text text text');
  result = { structuredContent: { a: 1 } };
  assert.equal((await made[0].run(context)).content[0].text, '{"a":1}');
  result = { isError: true };
  await assert.rejects(made[0].run(context), /failed without a message/);
  const endless = { ...client, async listTools() { return { tools: [], nextCursor: 'same' }; } };
  await assert.rejects(mcpTools(endless), /repeats a page/);
  let page = 0;
  const empty = { ...client, async listTools() { return { tools: [], nextCursor: String(page += 1) }; } };
  await assert.rejects(mcpTools(empty), /more than 1000 tools, or pages/);
  const large = { ...client, async listTools() { return { tools: [], nextCursor: String(page += 1), pad: 'x'.repeat(6 * 1024 * 1024) }; } };
  await assert.rejects(mcpTools(large), /larger than 16777216 characters/);
  const huge = { ...client, async listTools() { return { tools: tools.slice(0, 4), nextCursor: String(page += 1) }; } };
  await assert.rejects(mcpTools(huge), /more than 1000 tools/);
});

test('the list of a slow server has one time limit for all its pages', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let page = 0;
  const slow = {
    listTools() {
      page += 1;
      // The second page never comes.
      if (page > 1) queueMicrotask(() => t.mock.timers.tick(60_000));
      return page > 1 ? new Promise(() => {}) : Promise.resolve({ tools: [], nextCursor: '2' });
    },
  };
  await assert.rejects(mcpTools(slow), { name: 'TimeoutError', code: 'timeout', message: /60000 ms/ });
  assert.equal(page, 2);
});
