// What `processBatch` takes when its results are kept. The code of journals is in the entry `chatcore/journal`.
import type { BatchItem, BatchOptions, ChatOptions } from './options.js';
import type { AnyMessage, ChatResponse, JsonObject, Settled } from '../base/types.js';

/**
 * A request in the form of OpenAI's Batch API. Only what its body holds is sent: the defaults of `processBatch` are not
 * added.
 */
export interface BatchRequest {
  /** The item's name, which must be unique. Default: `request-N`, where N is the item's number, from 1. */
  custom_id?: string | number | null;
  /** Must be `POST`. */
  method?: string;
  /** Must be `/v1/chat/completions`. */
  url?: string;
  /** The body of a chat completion. Instead of `messages` it may have a `prompt`, and a `system_prompt`. */
  body: JsonObject;
}

/** An item's name, which must be unique among all items. Default: `request-N`, where N is the item's number, from 1. */
interface Named { customId?: string }

/** An item of a batch whose results are kept: an item of `processBatch`, which may have a name, or a BatchRequest. */
export type JournalItem =
  | string | readonly AnyMessage[] | ({ prompt: string } & ChatOptions & Named)
  | ({ messages: readonly AnyMessage[] } & ChatOptions & Named) | BatchRequest;

/** Items in lines, read when they are needed. `jsonLines()` of `chatcore/journal` makes one. */
export interface JsonLines {
  /** The input's name in messages. */
  readonly name: string;
  /** Tells it from an iterable of items. */
  readonly isJsonLines: true;
}

/** The items of a batch whose results are kept. An async iterable is read to its end before anything is sent. */
export type JournalItems = Iterable<JournalItem> | AsyncIterable<JournalItem> | JsonLines;

/** Options of a batch whose results are kept. */
export interface JournalOptions extends BatchOptions {
  /** Where the results are kept: `fileJournal(…)`, `browserJournal(…)` or `journalFrom(…)` of `chatcore/journal`. */
  journal: BatchJournal;
  /** Starts no more items when it is aborted. The requests in flight finish and are recorded; the rest become errors. */
  stopSignal?: AbortSignal;
}

/** The part of a client that journals use. */
export interface BatchClient {
  processBatch(items: Iterable<BatchItem>, options?: BatchOptions): Promise<Settled<ChatResponse>[]>;
}

/** Keeps the results of a batch. */
export interface BatchJournal {
  /** Runs a batch, except for the items that already have a result. `client.processBatch` calls this. */
  processBatch(client: BatchClient, items: JournalItems, options: JournalOptions): Promise<Settled<ChatResponse>[]>;
}
