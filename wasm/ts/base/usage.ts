import type { Usage } from './types.js';

/** @internal The tokens of two answers together; the rest is that of the second one. */
export function sum(before: Usage | null, now: Usage | null): Usage | null {
  if (!before || !now) return now ?? before;
  const added = { ...now };
  for (const name of ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens', 'reasoningTokens'] as const) {
    if (before[name] !== undefined) added[name] = before[name] + (now[name] ?? 0);
  }
  return added;
}
