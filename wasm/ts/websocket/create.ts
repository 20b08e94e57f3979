// Turns a POST of the Responses dialect into the message `response.create`.

type Json = Record<string, unknown>;

/** @internal A request for a response. */
export interface Create {
  /** The fields that are sent unchanged. */
  readonly fields: Json;
  /** The items of the input; empty if the input is a string. */
  readonly items: readonly unknown[];
  /** The digest of the first item, of the first two, and so on. */
  readonly digests: readonly string[];
  /** The response that the caller continues from (`previous_response_id`). */
  readonly previous: string | undefined;
}

/** @internal Reads a POST. Returns undefined if it must go over HTTP: it asks for no response, or for one in the background. */
export function createOf(url: string, method: string | undefined, body: unknown, hasContext: boolean): Create | undefined {
  if (method !== 'POST' || !new URL(url).pathname.endsWith('/responses')) return undefined;
  const parsed = parse(body);
  if (!parsed || parsed.background === true) return undefined;
  const { stream: _stream, background: _background, previous_response_id: previous, ...fields } = parsed;
  const items = Array.isArray(fields.input) ? fields.input as unknown[] : [];
  return {
    fields, items,
    digests: hasContext ? digestsOf(items) : [],
    previous: typeof previous === 'string' ? previous : undefined,
  };
}

/** @internal The message, on the lane of this name. The first `known.count` items are left out, because the response `known.id` includes them. */
export function messageOf(create: Create, lane: string | undefined, known?: { id: string; count: number }): string {
  const previous = known?.id ?? create.previous;
  return JSON.stringify({
    type: 'response.create',
    ...lane === undefined ? {} : { stream_id: lane },
    ...create.fields,
    ...known ? { input: create.items.slice(known.count) } : {},
    ...previous === undefined ? {} : { previous_response_id: previous },
  });
}

/** @internal The digest of a list of items: `before` is the digest of all but the last, `item` is the last. */
export function after(before: string, item: unknown): string {
  return digest(before + JSON.stringify(item, (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const members = Object.entries(value).filter(([, member]) => member !== null);
    return Object.fromEntries(members.sort(([one], [other]) => (one < other ? -1 : 1)));
  }));
}

function digestsOf(items: readonly unknown[]): string[] {
  let last = '';
  return items.map((item) => (last = after(last, item)));
}

/** Random for each process, so that nobody can construct two inputs with the same digest. */
const SEEDS = crypto.getRandomValues(new Uint32Array(4));

/** 128 bits of a text, by multiplication and mixing; not for secrets. */
function digest(text: string): string {
  let [a, b, c, d] = SEEDS as unknown as [number, number, number, number];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit ^ (a >>> 15), 0x85ebca77);
    c = Math.imul(c ^ unit ^ (b >>> 13), 0xc2b2ae3d);
    d = Math.imul(d ^ unit ^ (c >>> 16), 0x27d4eb2f);
  }
  return [a, b, c, d].map((word) => (word ^ (word >>> 16)) >>> 0).join('.');
}

function parse(body: unknown): Json | undefined {
  try {
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Json : undefined;
  } catch {
    return undefined;
  }
}
