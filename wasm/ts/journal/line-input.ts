// Items in lines of JSON or of text, as Rust's `journal/jsonl` reads them.
import { LlmError } from '../base/errors.js';
import type { JournalItem, JsonLines } from '../api/journal.js';
import type { Digest } from './digest.js';
import { failed, invalid, refused, said } from './errors.js';
import type { Input, InputLine } from './input.js';
import { LONGEST_LINE, lines, type RawLine } from './lines.js';
import { nameOf, ofLine, parse, prepare, refuseMisspelt } from './request.js';

/** How the lines of an input are read. */
export interface JsonLinesOptions {
  /**
   * `auto`: as JSON if the first line begins with `{`, otherwise as text; an input that begins with `[` is refused, because
   * it is more likely a JSON array than a prompt. `json`: each line is a JSON object: OpenAI's Batch form, or one of the
   * short forms. `text`: each line is a prompt. Default `auto`.
   */
  format?: 'auto' | 'json' | 'text';
  /**
   * What happens if a line is not the JSON of a request: `record` it as an error and run the others, or `refuse` the
   * whole input before anything is sent. Default `record`.
   */
  badLines?: 'record' | 'refuse';
}

/** @internal The bytes of an input, which can be read several times. */
export interface ByteSource {
  readonly name: string;
  /** The path of the file, if it is one. */
  readonly path?: string;
  open(): AsyncIterable<Uint8Array>;
}

/** @internal */
export class LineInput implements JsonLines {
  readonly isJsonLines = true;
  readonly name: string;
  readonly #source: ByteSource;
  readonly #options: JsonLinesOptions;

  constructor(source: ByteSource, options: JsonLinesOptions) {
    for (const name in options) if (name !== 'format' && name !== 'badLines') throw refused(`unknown option ${name}`);
    this.name = source.name;
    this.#source = source;
    this.#options = options;
  }

  with(digest: Digest): Input {
    const { format = 'auto', badLines = 'record' } = this.#options;
    return {
      name: this.name, path: this.#source.path, unit: 'line', identity: {}, refusesBadLines: badLines === 'refuse',
      blocks: () => blocks(this.#source, format, digest),
    };
  }
}

async function* blocks(source: ByteSource, given: NonNullable<JsonLinesOptions['format']>, digest: Digest): AsyncGenerator<readonly InputLine[]> {
  let format = given;
  try {
    for await (const block of lines(source.open())) {
      const first = block[0];
      if (format === 'auto' && first) format = formatOf(first);
      yield block.map((line) => new Line(line, format === 'json', digest));
    }
  } catch (error) {
    if (error instanceof LlmError && error.code === 'invalid_input') throw invalid(`${source.name} cannot be read: ${error.message}`, error.providerCode);
    throw error instanceof LlmError ? error : failed(`${source.name} cannot be read: ${said(error)}`, error);
  }
}

function formatOf({ bytes: [first] }: RawLine): 'json' | 'text' {
  if (first === 0x5b) {
    throw invalid("it begins with [, as a JSON array does: write each request on a line of its own (jq -c '.[]' does that); if each "
      + "line is a prompt, give format: 'text'", 'json_array');
  }
  return first === 0x7b ? 'json' : 'text';
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The name of a line that begins with it, if it has no escapes. The rest of the line is not read. */
const LEADING = /^\{\s*"custom_id"\s*:\s*"([^"\\]*)"/;

class Line implements InputLine {
  readonly #line: RawLine;
  readonly #isJson: boolean;
  readonly #digest: Digest;

  constructor(line: RawLine, isJson: boolean, digest: Digest) {
    this.#line = line;
    this.#isJson = isJson;
    this.#digest = digest;
  }

  get place(): number { return this.#line.number; }
  get bytes(): number { return this.#line.bytes.length; }

  digest(): bigint {
    return this.#digest(this.#line.bytes);
  }

  name(): string | undefined {
    return this.#read((text) => (this.#isJson ? nameOf(parse(text), text) : undefined));
  }

  checkedName(isKnown: boolean): string | undefined {
    return this.#read((text) => {
      if (!this.#isJson) return undefined;
      const leading = isKnown ? LEADING.exec(text) : null;
      if (leading) return leading[1];
      const line = parse(text);
      const name = nameOf(line, text);
      for (const field in line) refuseMisspelt(field);
      return name;
    });
  }

  request(): JournalItem {
    return this.#read((text) => {
      if (!this.#isJson) return { body: { prompt: text } };
      return prepare(ofLine(parse(text)));
    });
  }

  #read<T>(read: (text: string) => T): T {
    try {
      const { bytes, isCut } = this.#line;
      if (isCut) throw invalid(`it is longer than ${LONGEST_LINE} bytes`);
      let text: string;
      try {
        text = decoder.decode(bytes);
      } catch {
        throw invalid('it is not UTF-8');
      }
      return read(text);
    } catch (error) {
      throw error instanceof LlmError ? invalid(`line ${this.place} of the input cannot be run: ${error.message}`, error.providerCode) : error;
    }
  }
}
