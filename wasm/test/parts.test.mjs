// Parts of messages from URLs, bytes, Blobs and responses, and what is sent of them.
import assert from 'node:assert/strict';
import { File } from 'node:buffer';
import { test } from 'node:test';
import { audioPart, filePart, imagePart, InvalidInputError, LlmClient, textPart, toolResult } from '../dist/node.js';

const bytes = (start, more = 16) => Uint8Array.from([...start].map((letter) => letter.charCodeAt(0)).concat(Array(more).fill(7)));
const png = bytes('\x89PNG\r\n\x1a\n');
const base64 = (data) => Buffer.from(data).toString('base64');
const source = (type, data) => ({ type: 'base64', media_type: type, data: base64(data) });

test('an image from a URL, a data URL, bytes of every kind, and an id', () => {
  const expected = { type: 'image', source: source('image/png', png) };
  assert.deepEqual(imagePart(png), expected);
  assert.deepEqual(imagePart(Buffer.from(png)), expected);
  assert.deepEqual(imagePart(png.slice().buffer), expected);
  assert.deepEqual(imagePart(new DataView(Uint8Array.from([0, 0, ...png]).buffer, 2)), expected);
  assert.deepEqual(imagePart(`data:image/png;base64,${base64(png)}`), expected);
  const url = 'https://example.com/cat.png';
  assert.deepEqual(imagePart(url, { detail: 'low' }), { type: 'image', source: { type: 'url', url }, detail: 'low' });
  assert.deepEqual(imagePart(new URL(url)), { type: 'image', source: { type: 'url', url } });
  assert.deepEqual(imagePart('gs://bucket/cat', { mediaType: 'image/png' }).source, { type: 'url', url: 'gs://bucket/cat', media_type: 'image/png' });
  assert.deepEqual(imagePart({ fileId: 'file-1' }), { type: 'image', source: { type: 'file', file_id: 'file-1' } });
  assert.deepEqual(imagePart('data:image/svg+xml,%3Csvg%2F%3E').source, source('image/svg+xml', '<svg/>'));
});

test('the type is that of the bytes, whatever the Blob says, because providers refuse one that is not', async () => {
  for (const [start, type] of [
    ['\x89PNG\r\n\x1a\n', 'image/png'], ['\xff\xd8\xff\xe0', 'image/jpeg'], ['GIF89a', 'image/gif'], ['RIFF\0\0\0\0WEBPVP8 ', 'image/webp'],
    ['\0\0\0\x1cftypavif', 'image/avif'], ['\0\0\0\x1cftypheic', 'image/heic'],
  ]) assert.equal((await imagePart(new Blob([bytes(start)], { type: 'image/jpeg' }))).source.media_type, type);
  for (const [start, type] of [
    ['ID3\x04', 'audio/mpeg'], ['\xff\xfb\x90', 'audio/mpeg'], ['RIFF\0\0\0\0WAVEfmt ', 'audio/wav'], ['OggS', 'audio/ogg'], ['fLaC', 'audio/flac'],
    ['\0\0\0\x1cftypM4A ', 'audio/mp4'],
  ]) assert.equal(audioPart(bytes(start)).source.media_type, type);
  assert.equal(imagePart(bytes('BM'), { mediaType: 'image/bmp' }).source.media_type, 'image/bmp');
});

test('a Blob, a File and a Response are read', async () => {
  const pdf = bytes('%PDF-1.7');
  assert.deepEqual(await imagePart(new Blob([png])), { type: 'image', source: source('image/png', png) });
  assert.deepEqual(await filePart(new File([pdf], 'report.pdf')), { type: 'file', source: source('application/pdf', pdf), name: 'report.pdf' });
  assert.deepEqual(await filePart(new Response('a,b', { headers: { 'content-type': 'text/csv; charset=utf-8' } }), { name: 'x.csv' }),
    { type: 'file', source: source('text/csv', 'a,b'), name: 'x.csv' });
  assert.equal(filePart(Buffer.from('# Title'), { name: 'README.md' }).source.media_type, 'text/markdown');
  assert.deepEqual(await audioPart(new Blob([bytes('OggS')]), { transcript: 'hi' }), { type: 'audio', source: source('audio/ogg', bytes('OggS')), transcript: 'hi' });
  await assert.rejects(imagePart(new Response('no', { status: 404 })), { code: 'invalid_input', message: /imagePart got a response with the status 404/ });
});

test('what is no image says what to do', async () => {
  for (const [make, said] of [
    [() => imagePart('cat.png'), /imagePart got a text that is no URL; give a URL .*imagePart\(await readFile\(path\)\)/],
    [() => imagePart('C:\\cat.png'), /no URL/],
    [() => imagePart('Look: a cat'), /no URL/],
    [() => imagePart(undefined), /imagePart got undefined/],
    [() => imagePart(new URL('file:///cat.png')), /a URL of this host \(file:\)/],
    [() => imagePart('blob:https://example.com/1'), /a URL of this host \(blob:\)/],
    [() => imagePart('https://example.com/cat.png', { detial: 'low' }), /imagePart: unknown option detial/],
    [() => imagePart(bytes('%PDF-1.7')), /the bytes are application\/pdf; use filePart/],
    [() => audioPart(png), /use imagePart/],
    [() => imagePart(bytes('hello')), /the bytes do not tell their type; give mediaType, such as 'image\//],
    [() => filePart(bytes('hello'), { name: 'x.unknown' }), /give mediaType, such as 'application\/pdf'/],
  ]) assert.throws(make, (error) => error instanceof InvalidInputError && said.test(error.message), String(make));
});

test('a large image is no fault', () => {
  const large = new Uint8Array(5_000_000);
  large.set(png);
  assert.equal(imagePart(large).source.data, base64(large));
});

test('as the providers get them', async () => {
  const sent = async (provider, content) => {
    let body;
    const fetch = async (_, init) => {
      body = JSON.parse(new TextDecoder().decode(init.body));
      return new Response('', { status: 400 });
    };
    const client = new LlmClient({ provider, apiKey: 'k-0123456789', model: 'm', fetch });
    await client.ask([{ role: 'user', content }]).catch(() => {});
    return body;
  };
  const content = [textPart('What?', { extra: { cache_control: { type: 'ephemeral' } } }), imagePart(png), filePart(bytes('%PDF-1.7'), { name: 'a.pdf' })];
  const data = base64(png), pdf = base64(bytes('%PDF-1.7'));
  assert.deepEqual((await sent('anthropic', content)).messages[0].content, [
    { type: 'text', text: 'What?', cache_control: { type: 'ephemeral' } },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
    { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: pdf } },
  ]);
  assert.deepEqual((await sent('openai_chat', content.slice(1))).messages[0].content, [
    { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
    { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } },
  ]);
  assert.deepEqual((await sent('gemini', content.slice(1, 2))).contents[0].parts, [{ inlineData: { mimeType: 'image/png', data } }]);
});

test('the result of a tool may be an image', () => {
  assert.deepEqual(toolResult('c1', [imagePart(png)]).content[0].content, [{ type: 'image', source: source('image/png', png) }]);
  assert.deepEqual(toolResult('c1', 'x').content[0], { type: 'tool_result', call_id: 'c1', content: [{ type: 'text', text: 'x' }], is_error: false });
});

test('a part that was not awaited is not sent', async () => {
  const client = new LlmClient({ mock: () => assert.fail('sent') });
  const content = [imagePart(new Blob([png]))];
  await assert.rejects(client.ask([{ role: 'user', content }]), { code: 'invalid_input', message: 'a part of the message is a promise; write await imagePart(…)' });
  await assert.rejects(client.askStream([{ role: 'user', content }]).final(), { message: /write await imagePart/ });
});

test('a data: URL is decoded as browsers do, and its bytes tell the type', () => {
  const letters = base64(png);
  const expected = { type: 'image', source: source('image/png', png) };
  assert.deepEqual(imagePart(`data:image/jpeg;base64,${letters}`), expected);
  assert.deepEqual(imagePart(`data:image/png;charset=utf-8;base64,${letters.slice(0, 10)}\n${letters.slice(10).replaceAll('+', '%2B').replaceAll('=', '%3d')}\n`), expected);
  assert.deepEqual(imagePart('data:image/gif,GIF89a%FF%d8%zz%6').source, source('image/gif', Buffer.from('GIF89a\xff\xd8%zz%6', 'latin1')));
  assert.deepEqual(filePart('data:,wörld%20%F0%9F%8E%89').source, source('text/plain', 'wörld 🎉'));
  for (const url of ['data:image/png;base64,???', `data:image/png;base64,${letters}%FF`, 'data:image/png;base64,AA=A', 'data:image/png']) {
    assert.throws(() => imagePart(url), { code: 'invalid_input', message: /^imagePart: the data: URL is not valid/ }, url);
  }
  assert.throws(() => imagePart(`data:application/pdf;base64,${base64(bytes('%PDF-1.7'))}`), { code: 'invalid_input', message: /use filePart/ });
});

test('no bytes, and options and arguments of a wrong type, are errors that name them', async () => {
  for (const [make, said] of [
    [() => imagePart(new Uint8Array(), { mediaType: 'image/png' }), 'imagePart got no bytes'],
    [() => filePart(new File([], 'a.pdf', { type: 'application/pdf' })), 'filePart got no bytes'],
    [() => imagePart('data:image/png;base64,'), 'imagePart got no bytes'],
    [() => imagePart(png, 'image/png'), 'imagePart: its options are a text; they must be an object'],
    [() => imagePart(png, { mediaType: 5 }), 'imagePart: mediaType is 5; it must be a text'],
    [() => filePart(png, { detail: 'low' }), 'filePart: unknown option detail; it may have name, mediaType, extra'],
    [() => imagePart({ fileId: undefined }), 'imagePart: fileId is undefined; it must be a text'],
    [() => textPart(undefined), 'textPart got undefined instead of a text'],
    [() => textPart('x', { cache_control: {} }), 'textPart: unknown option cache_control; it may have extra'],
    [() => toolResult('c1', { a: 1 }), 'toolResult got an object; give a text, such as JSON.stringify(result), or an array of parts'],
  ]) await assert.rejects(async () => make(), { name: 'InvalidInputError', message: said }, String(make));
  assert.deepEqual(imagePart(png, null), { type: 'image', source: source('image/png', png) });
  assert.deepEqual(imagePart(png, { mediaType: null, detail: null, extra: null }), imagePart(png));
  assert.deepEqual(textPart('x', null), { type: 'text', text: 'x' });
  // A request without a content-type has no type of its own either.
  const request = new Request('https://example.com', { method: 'POST', body: png });
  assert.deepEqual(await imagePart(request), imagePart(png));
});

test('base64 is the same without what hosts have for it', () => {
  const { Buffer } = globalThis;
  const { toBase64 } = Uint8Array.prototype;
  const samples = [1, 2, 3, 0x7ffd, 0x7ffe, 0x7fff, 100_001].map((length) => Uint8Array.from({ length }, (_, n) => n * 7 % 256).subarray(length > 3 ? 1 : 0));
  const expected = samples.map(base64);
  const made = () => samples.map((data) => filePart(data, { mediaType: 'x/y' }).source.data);
  assert.deepEqual(made(), expected);
  try {
    delete Uint8Array.prototype.toBase64;
    assert.deepEqual(made(), expected);
    globalThis.Buffer = undefined;
    assert.deepEqual(made(), expected);
  } finally {
    globalThis.Buffer = Buffer;
    if (toBase64) Object.defineProperty(Uint8Array.prototype, 'toBase64', { value: toBase64, configurable: true, writable: true });
  }
});
