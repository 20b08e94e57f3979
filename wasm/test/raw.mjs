// A server that sends raw bytes that no HTTP library would send.
import { createServer } from 'node:net';
import { after } from 'node:test';

const closing = [];
after(() => { for (const close of closing) close(); });

/** Listens on loopback until the file's tests have ended; returns the port. */
export async function listening(server) {
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
  closing.push(() => { server.closeAllConnections?.(); server.close(); });
  return server.address().port;
}

/** A server of bytes: `on(socket, nth request of the socket, nth socket, request)` for each request. */
export async function raw(on) {
  let sockets = 0;
  const held = new Set();
  const server = createServer((socket) => {
    const nth = (sockets += 1);
    let requests = 0;
    let unread = '';
    held.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      unread += bytes.toString('latin1');
      const end = unread.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(unread)?.[1]);
      if (end < 0 || unread.length < end + 4 + length) return;
      const request = unread;
      unread = '';
      on(socket, (requests += 1), nth, request);
    });
  });
  const port = await listening(server);
  closing.push(() => { for (const socket of held) socket.destroy(); });
  return port;
}

/** A whole answer to a chat, as JSON. */
export const whole = (text) => JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }] });

/** The same answer as an HTTP response. */
export const answer = (text) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(whole(text))}\r\n\r\n${whole(text)}`;

/** One event of a stream. */
export const event = (content, finish = null) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
