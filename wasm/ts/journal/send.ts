// Sends one item of a journal.
import { whenAborted } from '../base/abort.js';
import { fromRejection, invalidInput, LlmError } from '../base/errors.js';
import type { BatchClient, JournalItem } from '../api/journal.js';
import type { BatchCall, BatchItem } from '../api/options.js';
import type { ChatResponse, Settled } from '../base/types.js';
import { invalid } from './errors.js';
import { isRequest, requestOf } from './request.js';
import type { Item } from './journal.js';

/** What an LlmClient has, and a client that only looks like one need not have. */
interface OneByOne { runOne(item: BatchItem, options: BatchCall): Promise<ChatResponse> }

/** @internal The result of an item; undefined as soon as the signal is aborted. */
export function send(client: BatchClient, item: Item, signal: AbortSignal): Promise<Settled<ChatResponse> | undefined> {
  return new Promise((resolve) => {
    const forget = whenAborted(signal, () => resolve(undefined));
    void sent(client, item, signal).then((result) => {
      forget();
      resolve(signal.aborted ? undefined : result);
    });
    if (signal.aborted) resolve(undefined);
  });
}

async function sent(client: BatchClient, { place, request }: Item, signal: AbortSignal): Promise<Settled<ChatResponse>> {
  try {
    const { item, onlyGiven } = callOf(request as JournalItem, place);
    const { runOne } = client as Partial<OneByOne>;
    if (runOne) return { ok: true, value: await runOne.call(client, item, { signal, onlyGiven }) };
    const [result] = await client.processBatch([item], { signal, onlyGiven } as BatchCall);
    return result!;
  } catch (error) {
    return { ok: false, error: fromRejection(error) };
  }
}

function callOf(request: JournalItem, place: number): { item: BatchItem; onlyGiven: boolean } {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return { item: request as BatchItem, onlyGiven: false };
  if (isRequest(request)) {
    try {
      return { item: requestOf(request), onlyGiven: true };
    } catch (error) {
      if (!(error instanceof LlmError)) throw error;
      throw invalid(`item ${place} cannot be run: ${error.message}`);
    }
  }
  const { customId: _, signal, ...item } = request as { customId?: string; signal?: AbortSignal };
  if (signal) throw invalidInput('an item whose result is kept cannot have a signal of its own: give the signal to processBatch');
  return { item: item as BatchItem, onlyGiven: false };
}
