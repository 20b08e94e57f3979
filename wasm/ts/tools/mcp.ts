// The tools of an MCP server, through a client of the official SDK. Names, schemas and contents are those of
// adapters/src/mcp.
import { timer } from '../api/helpers.js';
import { invalidInput, TimeoutError } from '../base/errors.js';
import type { Part, Tool } from '../base/types.js';
import { ToolError, ToolOutput } from './output.js';
import { isObjectType, type RunnableTool, type ToolContext } from './tool.js';

/** The maximum length of a tool's name. OpenAI has the lowest limit of the providers. */
const NAME = 64;
/** The most tools that a server's list may have. */
const MAX_TOOLS = 1000;
/** The most characters of all pages of the list, as JSON. */
const MAX_LIST = 16 * 1024 * 1024;
/** The time limit for all pages of the list. */
const LIST_MS = 60_000;

/** A tool as its server describes it. */
export interface McpTool {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: object;
  readonly annotations?: { readonly readOnlyHint?: boolean | undefined; readonly destructiveHint?: boolean | undefined } | undefined;
}

/** What a server answers to a call: `content`, `structuredContent` and `isError`. */
export interface McpCallResult { readonly [field: string]: unknown }

/** The parts of a client that are used. The `Client` of `@modelcontextprotocol/sdk` fits, once it is connected. */
export interface McpClient {
  listTools(parameters?: { cursor?: string }): Promise<{ tools: readonly McpTool[]; nextCursor?: string | undefined }>;
  callTool(
    parameters: { name: string; arguments?: { [name: string]: unknown } }, resultSchema?: undefined, options?: { signal?: AbortSignal; timeout?: number },
  ): Promise<McpCallResult>;
}

/** Options of `mcpTools`. */
export interface McpToolsOptions {
  /** A text before each name that the model sees, because two servers may have tools of the same name. */
  prefix?: string;
  /** Keeps only the tools for which it returns true. */
  filter?: (tool: McpTool) => boolean;
  /**
   * Whether audio and documents of bytes in results are sent to the model. Default false: a line of text says what they are,
   * because most providers refuse them in the result of a tool.
   */
  allMedia?: boolean;
  /** The time limit for one call, in milliseconds. Default: the loop's limit for a call. */
  timeoutMs?: number;
}

/**
 * The tools of an MCP server, for `runTools`. Characters of names that providers refuse become `_`. A tool whose schema is not
 * that of an object, or refers to another document, is left out. An error of the server is an error that the model reads.
 *
 * ```js no_run
 * const notes = new Client({ name: 'me', version: '1' }); // of @modelcontextprotocol/sdk
 * await notes.connect(new StdioClientTransport({ command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/notes'] }));
 * const answer = await runTools(client, 'What did I note on Monday?', { tools: await mcpTools(notes, { prefix: 'notes_' }) });
 * ```
 */
export async function mcpTools(client: McpClient, options: McpToolsOptions = {}): Promise<RunnableTool[]> {
  const { prefix = '', filter = () => true, allMedia = false, timeoutMs } = options;
  const taken = new Set<string>();
  const listed = await list(client);
  return listed.filter((tool) => isUsable(tool) && filter(tool)).map((info): RunnableTool => {
    const description = info.description ?? info.title;
    const definition: Tool = {
      name: unique(prefix + info.name, taken), ...description === undefined ? {} : { description }, parameters: schemaOf(info.inputSchema),
    };
    return { definition, timeoutMs, run: (context) => call(client, info.name, context, allMedia) };
  });
}

/** All pages of the list, under one limit of time, bytes and tools: a server may say after each page that there is another one. */
async function list(client: McpClient): Promise<McpTool[]> {
  let clear = () => {};
  const late = new Promise<'late'>((resolve) => { clear = timer(LIST_MS, () => resolve('late')); });
  const all: McpTool[] = [];
  const seen = new Set<string>();
  let left = MAX_LIST;
  let cursor: string | undefined;
  try {
    do {
      const page = await Promise.race([client.listTools(cursor === undefined ? undefined : { cursor }), late]);
      if (page === 'late') throw new TimeoutError(`the MCP server's list of tools did not end within ${LIST_MS} ms`, { code: 'timeout' });
      left -= JSON.stringify(page).length;
      if (left < 0) throw invalidInput(`the MCP server's list of tools is larger than ${MAX_LIST} characters`);
      all.push(...page.tools);
      cursor = page.nextCursor;
      if (all.length > MAX_TOOLS || seen.size > MAX_TOOLS) throw invalidInput(`the MCP server has more than ${MAX_TOOLS} tools, or pages of its list of tools`);
      if (cursor !== undefined && seen.size === seen.add(cursor).size) throw invalidInput('the MCP server repeats a page of its list of tools');
    } while (cursor !== undefined);
    return all;
  } finally {
    clear();
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function isUsable({ inputSchema }: McpTool): boolean {
  return isObject(inputSchema) && isObjectType(inputSchema.type) && !refersElsewhere(inputSchema, 0);
}

/** Whether a schema refers to a document elsewhere, which nobody here fetches. */
function refersElsewhere(schema: unknown, depth: number): boolean {
  if (depth > 128) return true;
  if (Array.isArray(schema)) return schema.some((value) => refersElsewhere(value, depth + 1));
  return isObject(schema) && Object.entries(schema).some(([name, value]) =>
    (typeof value === 'string' ? name === '$ref' && !value.startsWith('#') : refersElsewhere(value, depth + 1)));
}

/** The schema as the server wrote it, without what is not about the arguments. OpenAI refuses an object without `properties`. */
function schemaOf(given: object): object {
  const { $schema: _, type: __, ...schema } = given as Record<string, unknown>;
  return { type: 'object', properties: {}, ...schema };
}

/** A name that every provider accepts and that no other tool has. */
function unique(name: string, taken: Set<string>): string {
  const whole = [...name].map((letter) => (/[\w-]/.test(letter) ? letter : '_')).join('');
  let wanted = whole.slice(0, NAME);
  for (let number = 2; taken.has(wanted); number += 1) {
    const end = `_${number}`;
    wanted = whole.slice(0, NAME - end.length) + end;
  }
  taken.add(wanted);
  return wanted;
}

/** The longest time limit of a timer. */
const LONGEST = 2 ** 31 - 1;

async function call(client: McpClient, name: string, { arguments: given, signal }: ToolContext, allMedia: boolean): Promise<ToolOutput> {
  // The loop has the time limit, and aborts the signal.
  const result = await client.callTool({ name, arguments: given }, undefined, { signal, timeout: LONGEST });
  const pieces = Array.isArray(result.content) ? result.content as unknown[] : [];
  const parts = pieces.map((piece) => partOf(piece, allMedia));
  if (parts.length === 0 && result.structuredContent !== undefined) parts.push(text(JSON.stringify(result.structuredContent)));
  if (result.isError === true) throw new ToolError(parts.length ? parts : 'the tool failed without a message');
  return new ToolOutput(parts);
}

const text = (text: string): Part => ({ type: 'text', text });

interface Piece {
  type?: unknown; text?: unknown; data?: unknown; mimeType?: unknown; uri?: unknown; name?: unknown; description?: unknown; resource?: unknown;
}

function partOf(given: unknown, allMedia: boolean): Part {
  const piece: Piece = isObject(given) ? given : {};
  const { type, data, mimeType, uri, name, description } = piece;
  if (type === 'text' && typeof piece.text === 'string') return text(piece.text);
  if ((type === 'image' || type === 'audio') && typeof data === 'string' && typeof mimeType === 'string') return media(type, mimeType, data, allMedia);
  if (type === 'resource' && isObject(piece.resource)) {
    const { uri = '', mimeType = 'application/octet-stream', text: said, blob } = piece.resource;
    if (typeof said === 'string') return text(`${String(uri)}:\n${said}`);
    const kind = String(mimeType);
    if (typeof blob === 'string') return media(/^(image|audio)\//.exec(kind)?.[1] ?? 'file', kind, blob, allMedia, String(uri));
  }
  if (type === 'resource_link' && typeof uri === 'string') {
    return text(`a document: ${typeof name === 'string' ? name : ''} (${uri})${typeof description === 'string' ? `: ${description}` : ''}`);
  }
  return text(JSON.stringify(given) ?? 'null');
}

function media(kind: string, media_type: string, data: string, allMedia: boolean, uri?: string): Part {
  const source = { type: 'base64' as const, media_type, data };
  if (kind === 'image') return { type: 'image', source };
  if (allMedia) return kind === 'audio' ? { type: 'audio', source } : { type: 'file', source };
  const what = uri === undefined ? kind : 'a document';
  const bytes = Math.floor(data.length / 4) * 3;
  return text(`[${what} of the type ${media_type}, about ${bytes} bytes${uri === undefined ? '' : `, ${uri}`}, not shown]`);
}
