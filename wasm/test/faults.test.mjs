// Server replies that once went wrong, over real sockets, through `node:http` and `fetch`. The waits are a tenth as long.
import { test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { play, rows } from './faults/play.mjs';
import { ask, check, isKnown } from './faults/right.mjs';

test('server replies', { skip: rows.length > 0 ? false : 'no replies: set CHATCORE_FAULTS', concurrency: true }, async (t) => {
  await Promise.all(rows.map(({ name, dialect, server: steps, right }) => t.test(name, { skip: isKnown(name) ? false : `what is right is not written down here: ${right}` }, async () => {
    for (const how of [{}, { fetch: globalThis.fetch }]) {
      for (const isStream of [false, true]) {
        const server = await play(steps, 0.1);
        try {
          const client = dialect === 'anthropic'
            ? new LlmClient({ provider: 'anthropic', baseURL: server.base, apiKey: 'k', ...how })
            : new LlmClient({ baseURL: `${server.base}/v1`, model: 'm', ...how });
          check(name, await ask(client, isStream, 60_000), server.requests());
        } finally {
          server.stop();
        }
      }
    }
  })));
});
