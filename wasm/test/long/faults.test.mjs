// The replies that wait, with their full waits.
import { test } from 'node:test';
import { LlmClient } from '../../dist/node.js';
import { play, rows } from '../faults/play.mjs';
import { ask, check, isKnown } from '../faults/right.mjs';

const slow = rows.filter(({ name, server }) => isKnown(name) && JSON.stringify(server).includes('wait_s'));

test('replies that take their time', { skip: slow.length > 0 ? false : 'no replies: set CHATCORE_FAULTS', concurrency: true }, async (t) => {
  await Promise.all(slow.map(({ name, server: steps }) => t.test(name, async () => {
    const server = await play(steps, 1);
    try {
      check(name, await ask(new LlmClient({ baseURL: `${server.base}/v1`, model: 'm' }), true, 180_000), server.requests());
    } finally {
      server.stop();
    }
  })));
});
