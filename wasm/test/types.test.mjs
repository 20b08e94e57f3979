// The types of typed answers and tools, compiled against the declarations of the build.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { path } from './pages.mjs';

function compile(program, options = {}) {
  const folder = mkdtempSync(path('./types-'));
  try {
    writeFileSync(join(folder, 'a.mts'), program);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files: ['a.mts'], compilerOptions: {
      strict: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: false, target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'], types: ['node'], module: 'nodenext', moduleResolution: 'nodenext', ...options,
    } }));
    execFileSync(path('../node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    assert.fail(error.stdout || error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const HEAD = `
import { LlmClient, type DeepPartial, type FromJsonSchema, type JsonSchemaOf } from '../../dist/types/entries/index.js';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const is = <A, B>(same: Same<A, B>) => { void same; };
const client = new LlmClient({ mock: true });
`;

test('the value of an answer has the type of its schema', () => {
  compile(`${HEAD}
import { z } from 'zod';
import { z as mini } from 'zod/mini';
import * as v from 'valibot';
import { type } from 'arktype';
interface Person { name: string; age?: number | undefined }
const ofZod = await client.ask('x', { schema: z.object({ name: z.string(), when: z.string().transform((text) => new Date(text)) }) });
is<typeof ofZod.value, { name: string; when: Date }>(true);
const text: string = ofZod.text; void text;
const ofMini = await client.chatAsync('x', { schema: mini.array(mini.number()), temperature: 1 });
is<typeof ofMini.value, number[]>(true);
const ofValibot = await client.chatWithContextAsync([], { schema: v.object({ name: v.string() }) });
is<typeof ofValibot.value, { name: string }>(true);
const ofArk = await client.ask('x', { schema: type({ name: 'string', 'age?': 'number' }), repairs: 2 });
const person: Person = ofArk.value; void person;

// A literal JSON schema needs no \`as const\`.
const literal = await client.ask('x', { schema: { type: 'object', properties: { city: { type: 'string' }, celsius: { type: ['number', 'null'] } }, required: ['city'] } });
is<typeof literal.value, { city: string; celsius?: number | null }>(true);
const given: JsonSchemaOf<Person> = { type: 'object' };
is<typeof ofGiven.value, Person>(true);
const ofGiven = await client.ask('x', { schema: given });
const loose: object = { type: 'object' };
is<typeof ofLoose.value, unknown>(true);
const ofLoose = await client.ask('x', { schema: loose });

const stream = client.askStream('x', { schema: z.object({ list: z.array(z.object({ a: z.string().transform(Number) })), n: z.number() }) });
for await (const value of stream.partial()) is<typeof value, { list?: { a?: string }[]; n?: number }>(true);
is<Awaited<ReturnType<typeof stream.final>>['value'], { list: { a: number }[]; n: number }>(true);
for await (const value of client.chatStream('x').partial()) is<typeof value, unknown>(true);

const plain = await client.ask('x', { maxTokens: 3 });
// @ts-expect-error: an answer without a schema has no value
void plain.value;
// @ts-expect-error: a format beside a schema
void client.ask('x', { schema: given, responseFormat: { type: 'json_object' } });
// @ts-expect-error: corrections without a schema
void client.ask('x', { repairs: 1 });
await client.processBatch(['a', { prompt: 'b', schema: given, repairs: 1 }]);
await client.ask('x', { responseFormat: { type: 'json_schema', json_schema: { name: 'n', schema: {}, strict: true } } });
`, { skipLibCheck: true });
});

test('types of JSON schemas', () => {
  compile(`${HEAD}
is<FromJsonSchema<{ type: 'string' }>, string>(true);
is<FromJsonSchema<{ type: 'integer' }>, number>(true);
is<FromJsonSchema<{ enum: ['a', 1, null] }>, 'a' | 1 | null>(true);
is<FromJsonSchema<{ const: 'a' }>, 'a'>(true);
is<FromJsonSchema<{ type: 'array'; items: { type: 'boolean' } }>, boolean[]>(true);
is<FromJsonSchema<{ type: 'array'; prefixItems: [{ type: 'string' }, { type: 'null' }] }>, [string, null]>(true);
is<FromJsonSchema<{ anyOf: [{ type: 'string' }, { type: 'array'; items: { const: 1 } }] }>, string | 1[]>(true);
is<FromJsonSchema<{ type: 'object'; additionalProperties: { type: 'number' } }>, { [name: string]: number }>(true);
is<FromJsonSchema<{ type: 'object' }>, { [name: string]: unknown }>(true);
is<FromJsonSchema<{ $ref: '#/$defs/A'; $defs: { A: { type: 'string' } } }>, string>(true);
type Tree = FromJsonSchema<{ $ref: '#/$defs/T'; $defs: { T: { type: 'object'; properties: { n: { type: 'number' }; sub: { type: 'array'; items: { $ref: '#/$defs/T' } } }; required: ['n'] } } }>;
const tree: Tree = { n: 1, sub: [{ n: 2, sub: [] }] };
// @ts-expect-error: n is missing in the inner one
const wrong: Tree = { n: 1, sub: [{}] };
void tree; void wrong;
is<FromJsonSchema<{ readonly type: 'object'; readonly properties: { readonly a: { readonly type: 'string' } }; readonly required: readonly ['a'] }>, { a: string }>(true);
is<FromJsonSchema<{ type: string }>, unknown>(true);
is<FromJsonSchema<object>, unknown>(true);
is<FromJsonSchema<{ not: { type: 'string' } }>, unknown>(true);
is<DeepPartial<{ a: { b: string }[]; c: [1, 2] | null }>, { a?: { b?: string }[]; c?: (1 | 2)[] | null }>(true);
`, { exactOptionalPropertyTypes: true });
});

test('tools: their input, the answer of a loop, and a client of the MCP SDK', () => {
  compile(`${HEAD}
import { z } from 'zod';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { mcpTools, runTools, streamTools, tool, unfinishedLoop, type RunnableTool, type ToolLoopEvent } from '../../dist/types/entries/tools.js';
const weather: RunnableTool = tool({ name: 'weather', schema: z.object({ city: z.string() }), run: ({ city }, { signal }) => { is<typeof city, string>(true); signal satisfies AbortSignal; return city; } });
const sum = tool({ name: 'sum', schema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a'] }, run: (input) => { is<typeof input, { a: number; b?: number }>(true); return input.a; } });
const none = tool({ name: 'none', run: () => 'x' });
const mcp = new Client({ name: 'x', version: '1' });
const tools = [weather, sum, none, ...await mcpTools(mcp, { prefix: 'x_' }), { name: 'mine', parameters: {} }];
const answer = await runTools(client, 'x', { tools, maxTurns: 3, model: 'm', price: ({ usage }) => usage?.inputTokens ?? 0, maxCost: 1 });
is<typeof answer.text, string>(true);
const typed = await runTools(client, [], { tools, schema: z.array(z.string()), repairs: 1 });
is<typeof typed.value, string[]>(true);
const stream = streamTools(client, 'x', { tools, schema: { type: 'object', properties: { a: { const: 1 } }, required: ['a'] } });
for await (const event of stream) {
  const seen: ToolLoopEvent = event;
  if (seen.type === 'call_result') seen.result.is_error satisfies boolean | undefined;
}
is<Awaited<ReturnType<typeof stream.final>>['value'], { a: 1 }>(true);
await runTools(client, answer.messages, { tools, approval: async ({ name, arguments: given }) => (name === 'sum' ? { arguments: { ...given, a: 1 } } : { refuse: 'no' }) });
unfinishedLoop(new Error())?.limit satisfies 'turns' | 'tokens' | 'cost' | 'time' | null | undefined;
// @ts-expect-error: no approval
void runTools(client, 'x', { tools, approval: () => 'yes' });
// @ts-expect-error: no tool
void runTools(client, 'x', { tools: [1] });
// @ts-expect-error: no tools
void runTools(client, 'x', {});
`, { skipLibCheck: true });
});

test('fetch of any package, headers and base URLs of any kind', () => {
  compile(`${HEAD}
import type { FetchLike } from '../../dist/types/entries/index.js';
interface Answer { readonly status: number; readonly headers: Map<string, string>; readonly body: AsyncIterable<Uint8Array> | null }
interface Init { method?: string; headers?: Iterable<[string, string]> | Record<string, string>; body?: string | ArrayBufferView | null; signal?: AbortSignal | null; dispatcher?: object }
declare function foreign(url: string | URL, init?: Init): Promise<Answer>;
void new LlmClient({ fetch: foreign });
void new LlmClient({ fetch: (url, init) => foreign(url, { ...init, dispatcher: {} }) });
void new LlmClient({ fetch: globalThis.fetch });
void new LlmClient({ fetch: (url, init) => fetch(url, { ...init, keepalive: true }) });
void new LlmClient({ fetch: async (input: RequestInfo | URL, init?: RequestInit) => new Response(String(input) + String(init?.method)) });
const own: FetchLike = async (url, { body }) => ({ status: 200, headers: {}, body: url + new TextDecoder().decode(body) });
void new LlmClient({ fetch: own, headers: new Headers(), baseURL: new URL('https://llm.example/v1') });
void client.ask('x', { headers: new Map([['a', 'b']]), stop: '.' });
// @ts-expect-error: a text is no response
void new LlmClient({ fetch: async () => 'x' });
// @ts-expect-error: the answer of axios has no body
void new LlmClient({ fetch: async () => ({ status: 200, headers: {}, data: 'x' }) });
// @ts-expect-error: another package's name
void client.ask('x', { max_tokens: 1 });
`);
});

test('parts of messages, and streams through a route', () => {
  compile(`${HEAD}
import { createServer } from 'node:http';
import { filePart, imagePart, textPart, type AnyMessage, type ChatEvent, type ChatResponse, type ImagePart, type TypedResponse } from '../../dist/types/entries/index.js';
import { partialOf, readResponse, sendResponse, toResponse } from '../../dist/types/entries/response.js';
import { streamTools, tool, type ToolLoopAnswer, type ToolLoopEvent } from '../../dist/types/entries/tools.js';
is<ReturnType<typeof textPart>['type'], 'text'>(true);
const ofBytes = imagePart(new Uint8Array(), { mediaType: 'image/png' });
const ofFile = imagePart(new File([], 'x'));
const ofResponse = imagePart(await fetch('https://example.com'));
const either = imagePart('' as string | Blob);
is<typeof ofBytes, ImagePart>(true);
is<typeof ofFile, Promise<ImagePart>>(true);
is<typeof ofResponse, Promise<ImagePart>>(true);
is<typeof either, ImagePart | Promise<ImagePart>>(true);
const messages: AnyMessage[] = [{ role: 'user', content: [textPart('x'), ofBytes, await ofFile, await either, filePart({ fileId: 'f' }, { name: 'x.pdf' })] }];
// @ts-expect-error: a promise is no part
const wrong: AnyMessage[] = [{ role: 'user', content: [ofFile] }];
// @ts-expect-error: a number is no image
void imagePart(1);
void wrong;
const response: Response = await toResponse(client.askStream(messages), { onFinal: (answer) => { is<typeof answer, ChatResponse>(true); }, onError: () => 'Sorry.' });
createServer((_, res) => { void sendResponse(res, client.askStream('x', { schema: { type: 'string' } }), { onFinal: ({ value }) => { is<typeof value, string>(true); } }); });
const stream = readResponse(response);
for await (const event of stream) is<typeof event, ChatEvent>(true);
is<Awaited<ReturnType<typeof stream.final>>, ChatResponse>(true);
await toResponse(streamTools(client, 'x', { tools: [tool({ name: 'a', run: () => 1 })] }), { onFinal: (answer) => { is<typeof answer, ToolLoopAnswer>(true); } });
const loop = readResponse<ToolLoopEvent, ToolLoopAnswer>(fetch('/'));
is<Awaited<ReturnType<typeof loop.final>>['turns'], number>(true);
const typed = readResponse<ChatEvent, TypedResponse<{ a: string }>>(fetch('/'));
for await (const value of partialOf<{ a: string }>(typed)) is<typeof value, { a?: string }>(true);
is<Awaited<ReturnType<typeof typed.final>>['value'], { a: string }>(true);
// @ts-expect-error: no format
void toResponse(client.askStream('x'), { format: 'json' });
`, { skipLibCheck: true });
});
