// Plays the replies of `streams.jsonl`: server replies that once went wrong, each with the right result. The file is in
// the folder that CHATCORE_FAULTS names, or else in ../shared/faults beside the repository.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const file = process.env.CHATCORE_FAULTS
  ? `${process.env.CHATCORE_FAULTS}/streams.jsonl` : fileURLToPath(new URL('../../../../shared/faults/streams.jsonl', import.meta.url));

/** The replies; empty if the file is missing. */
export const rows = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [];

/** A server that plays these steps for each request; its waits are `scale` times as long. */
export async function play(steps, scale) {
  const sockets = new Set();
  let requests = 0;
  const run = async (socket, steps) => {
    for (const step of steps) {
      if (socket.destroyed) return;
      if (step.wait_s !== undefined) await new Promise((resolve) => setTimeout(resolve, step.wait_s * 1000 * scale));
      else if (step.send !== undefined) socket.write(step.send);
      else if (step.send_base64 !== undefined) socket.write(Buffer.from(step.send_base64, 'base64'));
      else if (step.repeat) for (let n = 0; n < step.times && !socket.destroyed; n += 1) await run(socket, step.repeat);
      else if (step.then === 'rst') socket.resetAndDestroy();
      else if (step.then === 'close') socket.end();
      else if (step.then !== 'hold') throw new Error(`a step that there is not: ${JSON.stringify(step)}`);
    }
  };
  const holds = JSON.stringify(steps).includes('"hold"');
  const server = createServer((socket) => {
    let unread = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', async (bytes) => {
      unread += bytes.toString('latin1');
      const end = unread.indexOf('\r\n\r\n');
      if (end < 0 || unread.length < end + 4 + Number(/content-length: (\d+)/i.exec(unread)?.[1])) return;
      unread = '';
      requests += 1;
      await run(socket, steps);
      if (!holds) socket.end();
    });
  });
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    requests: () => requests,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
