// One message from the server: its lane, and what it means for that lane.

type Json = Record<string, unknown>;

/** @internal How to retry after an error. */
export type Remedy = 'whole context' | 'other socket' | 'no lanes';

/** @internal The parts of a server's message that lanes need. */
export interface Message {
  /** The message itself. */
  readonly text: string;
  readonly lane: string | undefined;
  /** An event among others, the end with a context to continue from, another end, or an error. */
  readonly meaning: 'event' | 'completed' | 'ended' | 'error';
  /** The id of the message's response. */
  readonly id: string | undefined;
  /** The response's `previous_response_id`, null if it has none; undefined if the message has no response. */
  readonly previous: unknown;
  /** The finished item, in a `response.output_item.done`. */
  readonly item: unknown;
  /** How to retry, if the message is an error that allows it. */
  readonly remedy: Remedy | undefined;
  readonly status: number | undefined;
  readonly headers: Record<string, string>;
}

const ENDS = ['response.incomplete', 'response.failed', 'response.cancelled'];
const TOO_OLD = ['websocket_connection_limit_reached', 'websocket_stream_limit_reached'];

/** @internal Reads a message. Text that is no JSON object becomes an event without a lane. */
export function read(text: string): Message {
  const message = parse(text);
  const error = objectOf(message.error);
  const type = message.type;
  const meaning = type === 'response.completed' ? 'completed'
    : ENDS.includes(String(type)) ? 'ended'
      : type === 'error' || (type === undefined && message.error !== undefined) ? 'error' : 'event';
  const code = error.code ?? message.code;
  const remedy = code === 'previous_response_not_found' ? 'whole context'
    : TOO_OLD.includes(String(code)) ? 'other socket'
      : error.param === 'stream_id' ? 'no lanes' : undefined;
  const { status } = message;
  return {
    text, meaning,
    lane: textOf(message.stream_id),
    id: textOf(objectOf(message.response).id),
    previous: message.response === undefined ? undefined : objectOf(message.response).previous_response_id ?? null,
    item: type === 'response.output_item.done' ? message.item : undefined,
    remedy: meaning === 'error' ? remedy : undefined,
    status: typeof status === 'number' && status >= 300 && status <= 599 ? status : undefined,
    headers: headersOf(message.headers),
  };
}

/** The valid headers of an error, without `content-…`, which would describe another body. */
function headersOf(value: unknown): Record<string, string> {
  const pairs = Object.entries(objectOf(value)).slice(0, 128);
  const isHeader = ([name, value]: [string, unknown]) =>
    /^[\w-]+$/.test(name) && !/^content-/i.test(name)
      && (typeof value === 'number' || (typeof value === 'string' && /^[\x20-\x7e]*$/.test(value)));
  return Object.fromEntries(pairs.filter(isHeader).map(([name, value]) => [name, String(value)]));
}

function parse(text: string): Json {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}

const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? value as Json : {});
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
