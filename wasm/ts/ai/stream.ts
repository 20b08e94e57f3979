// Converts the events of a stream of chatcore to the pieces that `ai` reads.
import { finishOf, metadataOf, partContent, usageOf, type Form } from './answer.js';
import type { AiMetadata, AiStreamPart, AiWarning } from './types.js';
import type { ChatStream } from '../api/stream.js';
import type { ChatEvent, JsonObject, Part } from '../base/types.js';

type Fields = Record<string, JsonObject | string>;
const metadata = (fields: Fields): { providerMetadata?: AiMetadata } =>
  (Object.keys(fields).length ? { providerMetadata: { chatcore: fields } } : {});

/** Text or reasoning that is being written. Its end piece waits for the block's metadata, such as a signature. */
interface Block { kind: 'text' | 'reasoning'; id: string; fields: Fields }
interface Call { id: string; name: string; input: string; fields: Fields }

/** @internal One stream. */
export class Pieces<F> {
  readonly #form: Form<F>;
  readonly #calls = new Map<number, Call>();
  #block: Block | undefined;
  #count = 0;

  constructor(form: Form<F>) {
    this.#form = form;
  }

  /** The pieces that one event makes. */
  *of(event: ChatEvent): Generator<AiStreamPart<F>> {
    switch (event.type) {
      case 'start':
        yield { type: 'response-metadata', ...event.id ? { id: event.id } : {}, ...event.model ? { modelId: event.model } : {} };
        break;
      case 'text': case 'refusal':
        yield* this.#piece('text', event.text);
        break;
      case 'reasoning':
        yield* this.#piece('reasoning', event.text);
        break;
      case 'reasoning_signature':
        yield* this.#open('reasoning');
        this.#block!.fields.signature = event.signature;
        break;
      case 'part_extra':
        if (this.#block) Object.assign(this.#block.fields, { extra: event.extra });
        break;
      case 'part_end':
        yield* this.#end();
        break;
      case 'tool_call_start':
        yield* this.#end();
        yield* this.#called(false);
        this.#calls.set(event.index, { id: event.id, name: event.name, input: '', fields: {} });
        yield { type: 'tool-input-start', id: event.id, toolName: event.name };
        break;
      case 'tool_call_arguments': {
        const call = this.#calls.get(event.index);
        if (!call) break;
        call.input += event.fragment;
        if (event.fragment) yield { type: 'tool-input-delta', id: call.id, delta: event.fragment };
        break;
      }
      case 'tool_call_extra': {
        const call = this.#calls.get(event.index);
        if (call) call.fields.extra = event.extra;
        break;
      }
      case 'part':
        yield* this.#end();
        yield* this.#called(false);
        yield* this.#whole(event.part);
        break;
    }
  }

  /** Ends all open blocks and calls. */
  *rest(): Generator<AiStreamPart<F>> {
    yield* this.#end();
    yield* this.#called(true);
  }

  /** Yields the complete calls, or all. A call comes before the parts that follow it, because the order is sent back. */
  *#called(all: boolean): Generator<AiStreamPart<F>> {
    for (const [index, { id, name, input, fields }] of this.#calls) {
      // Pieces of one call may come after the start of the next one.
      if (!all && !isJson(input)) return;
      this.#calls.delete(index);
      yield { type: 'tool-input-end', id };
      yield { type: 'tool-call', toolCallId: id, toolName: name, input: input || '{}', ...metadata(fields) };
    }
  }

  *#whole(part: Part): Generator<AiStreamPart<F>> {
    for (const content of partContent(part, this.#form)) {
      if ('text' in content) {
        yield* this.#piece(content.type, content.text);
        Object.assign(this.#block!.fields, content.providerMetadata?.chatcore);
        yield* this.#end();
      } else {
        yield content as AiStreamPart<F>;
      }
    }
  }

  *#piece(kind: Block['kind'], delta: string): Generator<AiStreamPart<F>> {
    yield* this.#open(kind);
    if (delta) yield { type: `${kind}-delta`, id: this.#block!.id, delta };
  }

  *#open(kind: Block['kind']): Generator<AiStreamPart<F>> {
    if (this.#block?.kind === kind) return;
    yield* this.#end();
    yield* this.#called(false);
    this.#block = { kind, id: String(this.#count += 1), fields: {} };
    yield { type: `${kind}-start`, id: this.#block.id };
  }

  *#end(): Generator<AiStreamPart<F>> {
    if (!this.#block) return;
    const { kind, id, fields } = this.#block;
    this.#block = undefined;
    yield { type: `${kind}-end`, id, ...metadata(fields) };
  }
}

const isJson = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** @internal All pieces of a stream, from `stream-start` to `finish`. An error after the first content is a piece. */
export async function* piecesOf<F>(
  stream: ChatStream, first: IteratorResult<ChatEvent, void>, events: AsyncGenerator<ChatEvent, void>, warnings: AiWarning[], form: Form<F>,
  raw: boolean,
): AsyncGenerator<AiStreamPart<F>> {
  yield { type: 'stream-start', warnings };
  const pieces = new Pieces(form);
  try {
    for (let next = first; !next.done; next = await events.next()) {
      if (raw) yield { type: 'raw', rawValue: next.value };
      yield* pieces.of(next.value);
    }
    const answer = await stream.final();
    yield* pieces.rest();
    yield {
      type: 'finish', usage: usageOf(answer.usage), finishReason: finishOf(answer.finishReason, answer.finishReasonRaw),
      providerMetadata: metadataOf(answer),
    };
  } catch (error) {
    yield { type: 'error', error };
    yield { type: 'finish', usage: usageOf(null), finishReason: { unified: 'error', raw: undefined } };
  }
}
