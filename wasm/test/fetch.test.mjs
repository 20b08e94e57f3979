// Runs node.test.mjs with a `fetch` that the caller gives.
process.env.TEST_FETCH = '1';
await import('./node.test.mjs');
