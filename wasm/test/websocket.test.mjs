// OpenAI's Responses over WebSocket, against a server of the package `ws`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { sources } from './sources.mjs';

const { entry: { webSocketFetch } } = await sources({ entry: 'entries/websocket.ts' });

/** A server that calls `act` for each message, a function that opens sockets to it, and its URL. */
async function serve(act) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const sockets = [];
  server.on('connection', (socket, request) => {
    const number = sockets.push(Object.assign(socket, { request })) - 1;
    socket.on('message', (text) => act(JSON.parse(text), socket, number));
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/v1/responses`, sockets,
    stop() { for (const socket of sockets) socket.terminate(); server.close(); },
  };
}

const open = (url, headers) => new WebSocket(url, { headers });
const item = (text) => ({ type: 'message', id: `msg_${text}`, content: [{ text }] });
const post = (input, more = {}) => ({
  method: 'POST', headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
  body: new TextEncoder().encode(JSON.stringify({ model: 'm', input, stream: true, ...more })),
});

/** Sends a whole answer of one item on the lane that the message came on. */
function complete(create, socket, id, text) {
  const send = (message) => socket.send(JSON.stringify({ ...message, stream_id: create.stream_id }));
  send({ type: 'response.created' });
  send({ type: 'response.output_item.done', item: item(text) });
  send({ type: 'response.completed', response: { id } });
}

test('a post becomes a message, and the answer a stream of events', async () => {
  const seen = [];
  const server = await serve((create, socket) => { seen.push(create); complete(create, socket, 'r', 'hi'); });
  const fetch = webSocketFetch({ open });
  const response = await fetch(server.url, post([{ role: 'user' }]));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const events = (await response.text()).split('\n\n').slice(0, -1);
  assert.equal(events.length, 3);
  assert.match(events[0], /^data: \{"type":"response.created"/);
  assert.deepEqual(seen, [{ type: 'response.create', stream_id: 'lane-0', model: 'm', input: [{ role: 'user' }] }]);
  assert.equal(server.sockets[0].request.headers.authorization, 'Bearer k');
  fetch.close();
  server.stop();
});

test('a turn sends what is new, and the whole where the server has lost the rest', async () => {
  const seen = [];
  let isLost = false;
  const server = await serve((create, socket) => {
    seen.push([create.previous_response_id, create.input.length]);
    if (isLost && create.previous_response_id) {
      const error = { code: 'previous_response_not_found', message: 'lost' };
      socket.send(JSON.stringify({ type: 'error', status: 400, error, stream_id: create.stream_id }));
    } else complete(create, socket, `r${seen.length}`, String(seen.length));
  });
  const fetch = webSocketFetch({ open });
  const ask = async (input) => (await fetch(server.url, post(input))).text();
  const history = [{ role: 'user', content: '1' }];
  await ask(history);
  // The members' order differs, and does not matter.
  history.push({ content: [{ text: '1' }], type: 'message', id: 'msg_1', x: null }, { role: 'user', content: '2' });
  await ask(history);
  history.push(item('2'), { role: 'user', content: '3' });
  isLost = true;
  await ask(history);
  assert.deepEqual(seen, [[undefined, 1], ['r1', 1], ['r2', 1], [undefined, 5]]);
  fetch.close();
  server.stop();
});

test('64 calls at once share 8 sockets, and each gets its own answer', async () => {
  let most = 0;
  const waiting = new Map();
  const server = await serve((create, socket) => {
    socket.send(JSON.stringify({ type: 'response.created', stream_id: create.stream_id }));
    const calls = waiting.get(socket) ?? waiting.set(socket, []).get(socket);
    calls.push(create);
    most = Math.max(most, calls.length);
    // Answered in reverse order, so that the answers are interleaved.
    setImmediate(() => { const last = calls.pop(); complete(last, socket, 'r', last.input[0]); });
  });
  const fetch = webSocketFetch({ open });
  const texts = await Promise.all(Array.from({ length: 64 }, async (_, n) => (await fetch(server.url, post([`<${n}>`]))).text()));
  texts.forEach((text, n) => assert.ok(text.includes(`"msg_<${n}>"`), `call ${n}: ${text}`));
  assert.ok(server.sockets.length <= 8);
  assert.ok(most > 1, 'several calls at once on one socket');
  fetch.close();
  server.stop();
});

test('an error that comes first is an answer with its status and headers', async () => {
  const server = await serve((create, socket) => socket.send(JSON.stringify({
    type: 'error', status: 429, error: { code: 'rate_limit_exceeded' }, headers: { 'retry-after': '7', 'bad name': 'x' },
    stream_id: create.stream_id,
  })));
  const fetch = webSocketFetch({ open });
  const response = await fetch(server.url, post([]));
  assert.equal(response.status, 429);
  assert.equal(response.headers.get('retry-after'), '7');
  assert.match(await response.text(), /rate_limit_exceeded/);
  fetch.close();
  server.stop();
});

test('a call that is aborted closes its socket where it was the only one', async () => {
  const server = await serve((create, socket) =>
    socket.send(JSON.stringify({ type: 'response.created', stream_id: create.stream_id })));
  const fetch = webSocketFetch({ open });
  const control = new AbortController();
  const response = await fetch(server.url, { ...post([]), signal: control.signal });
  const closing = once(server.sockets[0], 'close');
  const rest = response.text();
  control.abort();
  await assert.rejects(rest, { name: 'AbortError' });
  await closing;
  server.stop();
});

test('a socket that is closed: before an answer, within it, and by a code that a new one does not help', async () => {
  for (const [begins, code, expected] of [
    [false, 1011, 'ECONNRESET'], [true, 1001, 'ECONNRESET'], [false, 1008, 'CHATCORE_BODY'],
  ]) {
    const server = await serve((create, socket) => {
      if (begins) socket.send(JSON.stringify({ type: 'response.created', stream_id: create.stream_id }));
      socket.close(code, 'over');
    });
    const fetch = webSocketFetch({ open });
    const all = fetch(server.url, post([])).then((response) => response.text());
    await assert.rejects(all, (error) => error.code === expected && error.message.includes(`code ${code}: over`));
    server.stop();
  }
});

test('what is no request for a response goes by HTTP, and so does one whose socket cannot be opened', async () => {
  const seen = [];
  const http = async (url, init) => { seen.push([new URL(url).pathname, init.method]); return new Response('{}'); };
  let opened = 0;
  const counted = (url, headers) => { opened += 1; return open(url, headers); };
  const fetch = webSocketFetch({ open: counted, fetch: http });
  await fetch('http://127.0.0.1:1/v1/models', { method: 'GET' });
  await fetch('http://127.0.0.1:1/v1/responses', post([], { background: true }));
  await fetch('http://127.0.0.1:1/v1/responses', post([]));
  await fetch('http://127.0.0.1:1/v1/responses', post([]));
  assert.deepEqual(seen, [['/v1/models', 'GET'], ...Array(3).fill(['/v1/responses', 'POST'])]);
  assert.equal(opened, 1, 'a server that opened no socket is not asked again at once');
});

test('a server that does not tell lanes apart gets one call at a time', async () => {
  let now = 0;
  let most = 0;
  const server = await serve((create, socket) => {
    now += 1;
    most = Math.max(most, now);
    socket.send(JSON.stringify({ type: 'response.created' }));
    setImmediate(() => {
      now -= 1;
      socket.send(JSON.stringify({ type: 'response.completed', response: { id: 'r', echo: create.input } }));
    });
  });
  const fetch = webSocketFetch({ open, maxSockets: 1 });
  const texts = await Promise.all([1, 2, 3].map(async (n) => (await fetch(server.url, post([`<${n}>`]))).text()));
  texts.forEach((text, n) => assert.ok(text.includes(`<${n + 1}>`)));
  assert.equal(most, 1);
  fetch.close();
  server.stop();
});

test('a server that ignores what a turn goes on from gets it whole from then on', async () => {
  const seen = [];
  const server = await serve((create, socket) => {
    seen.push([create.previous_response_id, create.input.length]);
    const send = (message) => socket.send(JSON.stringify({ ...message, stream_id: create.stream_id }));
    send({ type: 'response.created', response: { id: 'r', previous_response_id: null } });
    send({ type: 'response.output_item.done', item: item('a') });
    send({ type: 'response.completed', response: { id: 'r' } });
  });
  const fetch = webSocketFetch({ open });
  const turn = [{ role: 'user' }, item('a'), { role: 'user' }];
  for (const input of [[{ role: 'user' }], turn, turn]) {
    assert.match(await (await fetch(server.url, post(input))).text(), /completed/);
  }
  assert.deepEqual(seen, [[undefined, 1], ['r', 1], [undefined, 3], [undefined, 3]]);
  fetch.close();
  server.stop();
});

test('a socket that is too old, or has no lane left, makes room for another', async () => {
  const old = await serve((create, socket) => complete(create, socket, 'r', 'a'));
  const aged = webSocketFetch({ open, maxSockets: 1, ageLimit: 0 });
  for (let n = 0; n < 3; n += 1) assert.match(await (await aged(old.url, post('x'))).text(), /completed/);
  assert.equal(old.sockets.length, 3);
  old.stop();

  let count = 0;
  const spent = await serve((create, socket) => {
    count += 1;
    if (count === 1 || count > 33) return complete(create, socket, 'r', 'a');
    socket.send(JSON.stringify({ type: 'error', status: 429, error: { code: 'slow' }, stream_id: create.stream_id }));
  });
  const fetch = webSocketFetch({ open, maxSockets: 1 });
  const statuses = [];
  for (let n = 0; n < 34; n += 1) {
    const response = await fetch(spent.url, post('x'));
    statuses.push(response.status);
    await response.text();
  }
  assert.equal(statuses.filter((status) => status === 429).length, 32);
  assert.equal(statuses.at(-1), 200);
  assert.equal(spent.sockets.length, 2);
  fetch.close();
  spent.stop();
});

test('headers that differ from call to call do not make sockets without end', async () => {
  const server = await serve((create, socket) => complete(create, socket, 'r', 'a'));
  const fetch = webSocketFetch({ open, maxSockets: 1 });
  for (let n = 0; n < 12; n += 1) {
    const request = post('x');
    request.headers['x-trace'] = String(n);
    await (await fetch(server.url, request)).text();
  }
  assert.equal(server.sockets.length, 12);
  assert.ok(server.sockets.filter((socket) => socket.readyState === WebSocket.OPEN).length <= 8);
  fetch.close();
  server.stop();
});
