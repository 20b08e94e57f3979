// The schema of a typed answer: the request for it, and what its answer is read into.
import type { Core } from '../border/core.js';
import { invalidInput } from '../base/errors.js';
import { MismatchError } from '../base/mismatch.js';
import type { AnySchema } from '../base/schema.js';
import { spoken } from '../base/wording.js';
import type { AnyMessage, AnyTool, ChatResponse, ResponseFormat, Tool } from '../base/types.js';
import { isStandard, jsonSchemaOf } from './json-schema.js';
import { validated, withoutQuotes, type Fault } from './validate.js';

/** @internal The options of a typed answer. */
export interface SchemaOptions {
  schema: AnySchema;
  jsonSchema?: object | undefined;
  schemaName?: string | undefined;
  schemaInPrompt?: boolean | undefined;
}

/** @internal What a request for a typed answer sends. */
export interface Fitted {
  messages: AnyMessage[];
  responseFormat: ResponseFormat | undefined;
  /** The end of the message about an answer that does not fit; empty if the provider enforces the schema. */
  advice: string;
}

/** What the core writes about an answer. */
interface Reading {
  value: unknown;
  /** Why the text is not JSON, or does not match the JSON schema. */
  fault?: [path: string, reason: string];
  isJson: boolean;
  /** Why the model cannot correct the answer: it was cut off, or the model declined. */
  why?: string;
}

/** @internal What a typed call needs of its client. */
export interface Caller {
  /** The module with all dialects, which has the code for schemas. */
  core(): Promise<Core>;
  readonly settings: string;
  /** Tools in chatcore's form. */
  tools(given: readonly AnyTool[] | undefined): readonly Tool[] | undefined;
}

/** The parts of a request that the form of a schema depends on. */
interface Asked { messages: readonly AnyMessage[]; model?: string | undefined; tools?: readonly AnyTool[] | undefined }

/** @internal */
export class Wanted {
  readonly #caller: Caller;
  readonly #schema: AnySchema;
  readonly #name: string;
  /** The name and the JSON schema, for the core. */
  readonly #json: string;
  #isWrapped = false;
  #advice = '';

  private constructor(caller: Caller, schema: AnySchema, name: string, json: string) {
    this.#caller = caller;
    this.#schema = schema;
    this.#name = name;
    this.#json = json;
  }

  static of(caller: Caller, { schema, jsonSchema, schemaName, schemaInPrompt = false }: SchemaOptions): Wanted {
    const given = jsonSchema ?? jsonSchemaOf(schema);
    const { title } = given as { title?: unknown };
    const name = schemaName ?? (typeof title === 'string' && title ? title : 'answer');
    try {
      return new Wanted(caller, schema, name, JSON.stringify({ name, schema: given, inPrompt: schemaInPrompt }));
    } catch (error) {
      throw invalidInput('the schema cannot be written as JSON', error);
    }
  }

  /** The messages and the format of a request, in the form that the client's provider demands. */
  async fit({ messages, model, tools }: Asked): Promise<Fitted> {
    const call = JSON.stringify({ messages, model, tools: this.#caller.tools(tools) });
    const core = await this.#caller.core();
    const fitted = JSON.parse(core.enter(() => core.bindings.fitSchema!(this.#caller.settings, this.#json, call))) as Fitted & { isWrapped: boolean };
    this.#isWrapped = fitted.isWrapped;
    this.#advice = spoken(fitted.advice);
    return fitted;
  }

  /** Why this JSON does not match the JSON schema; undefined if it does. */
  async fault(json: string): Promise<Fault | undefined> {
    return faultOf(await this.#reading({ message: { role: 'assistant', content: json } }));
  }

  /** A value that is still being written, without the object that the core wrapped it in. */
  unwrap(value: unknown): unknown {
    return this.#isWrapped ? (value as { value?: unknown } | null)?.value : value;
  }

  /** The validated value of an answer. Rejects with a MismatchError. */
  async read(answer: ChatResponse): Promise<unknown> {
    const { message, finishReason } = answer;
    const reading = await this.#reading({ message, finishReason });
    const { value, isJson, why } = reading;
    const ofSchema = faultOf(reading);
    if (!isJson || (ofSchema && !isStandard(this.#schema))) throw this.#mismatch(answer, value, ofSchema!, why);
    if (!isStandard(this.#schema)) return value;
    const result = await validated(this.#schema, value);
    if ('value' in result) return result.value;
    // The fault from the JSON schema is clearer than the one from the validator.
    throw this.#mismatch(answer, value, { ...result.fault, ...ofSchema }, why);
  }

  async #reading(answer: object): Promise<Reading> {
    const json = JSON.stringify(answer);
    const core = await this.#caller.core();
    return JSON.parse(core.enter(() => core.bindings.readAnswer!(this.#json, json))) as Reading;
  }

  #mismatch(response: ChatResponse, value: unknown, fault: Fault, why: string | undefined): MismatchError {
    const { requestId, attempts, text } = response;
    const message = why !== undefined ? spoken(why) : `the answer's JSON (${this.#name}) does not fit: at ${fault.path}, ${withoutQuotes(fault.reason)}${this.#advice}`;
    const error = new MismatchError(message, {
      code: 'invalid_output', requestId: requestId ?? undefined, attempts, partialText: text || undefined,
    });
    const isFinal = why !== undefined;
    for (const [name, held] of Object.entries({ issues: undefined, ...fault, value, response, isFinal })) {
      // A printed error must not show the answer.
      Object.defineProperty(error, name, { value: held, enumerable: name === 'path', configurable: true, writable: true });
    }
    return error;
  }
}

const faultOf = ({ fault }: Reading): Fault | undefined => fault && { path: fault[0], reason: fault[1] };
