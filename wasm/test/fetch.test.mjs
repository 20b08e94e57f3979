// The same through `fetch`, as where a caller gives one.
process.env.TEST_FETCH = '1';
await import('./node.test.mjs');
