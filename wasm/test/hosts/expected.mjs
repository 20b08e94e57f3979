/** The result that program.mjs must return. */
export const expected = {
  whole: 'echo: 你好', streamed: 'echo: one two 三', many: 50, lines: 6, limited: 'RateLimitError rate_limited',
  truncated: 'StreamError truncated', reset: 'ConnectionError connection', redirect: 'StreamError protocol',
  stalled: 'TimeoutError timeout', aborted: 'AbortError aborted',
};
