// The `id` of a line of results: the line of the input that it belongs to, and the tokens that it used.
//
//  {"id":"batch_req_17_9f86d081884c7d65_120_45","custom_id":"…", …
//                   │  │                │   └ tokens of the answer
//                   │  │                └ tokens of the prompt
//                   │  └ digest of the input's line
//                   └ number of the input's line
import type { Outcome } from './journal.js';

/** @internal The beginning of each line, before the tag. */
export const PREFIX = '{"id":"batch_req_';

/** @internal The most bytes of a line that a tag takes. */
export const LONGEST_TAG = PREFIX.length + 80;

/** @internal */
export interface Tag { readonly place: number; readonly digest: bigint; readonly inputTokens: number; readonly outputTokens: number }

/** @internal The tag of a result. */
export function tagOf({ place, tag, result }: Outcome): Tag {
  const usage = result.ok ? result.value.usage : null;
  return { place, digest: tag as bigint, inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 };
}

/** @internal The `id` of a line. */
export const idOf = ({ place, digest, inputTokens, outputTokens }: Tag) =>
  `batch_req_${place}_${digest.toString(16).padStart(16, '0')}_${inputTokens}_${outputTokens}`;

const PATTERN = /^\{"id":"batch_req_(\d{1,20})_([\da-f]{1,16})_(\d{1,20})_(\d{1,20})"/i;

/** @internal Reads the beginning of a line of results. */
export function readTag(line: string): Tag | undefined {
  const found = PATTERN.exec(line);
  if (!found || Number(found[1]) === 0) return undefined;
  const [, place, digest, inputTokens, outputTokens] = found;
  return { place: Number(place), digest: BigInt(`0x${digest}`), inputTokens: Number(inputTokens), outputTokens: Number(outputTokens) };
}

/** @internal Whether a line of results, perhaps cut off anywhere, may begin with this text. */
export const isBegun = (text: string) => PREFIX.startsWith(text.slice(0, PREFIX.length));
