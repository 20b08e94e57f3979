// Bytes as base64, and their media type by how they begin.
import { Encoder } from './text.js';

/** What hosts have for it: Node, Deno and Bun a `Buffer`, new engines a method. Both are much faster than `btoa`. */
interface Host { Buffer?: { from(buffer: ArrayBufferLike, at: number, length: number): { toString(encoding: 'base64'): string } } }

/** @internal */
export function base64Of(bytes: Uint8Array & { toBase64?(): string }): string {
  if (bytes.toBase64) return bytes.toBase64();
  const { Buffer } = globalThis as Host;
  if (Buffer) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  let text = '';
  // In pieces, because the number of arguments of a call is limited; of three bytes each, because those are four letters.
  for (let at = 0; at < bytes.length; at += 0x7ffe) {
    text += btoa(String.fromCharCode.apply(null, bytes.subarray(at, at + 0x7ffe) as unknown as number[]));
  }
  return text;
}

/** @internal The bytes and the declared type of a `data:` URL; undefined for another, and for one whose base64 is wrong. */
export function ofDataUrl(url: string): { type: string; base64: string } | undefined {
  const [start, type, more] = /^data:([^,;]*)([^,]*),/i.exec(url) ?? [];
  if (start === undefined) return undefined;
  const rest = url.slice(start.length);
  if (!/;\s*base64\s*$/i.test(more!)) return { type: type || 'text/plain', base64: base64Of(unescaped(rest)) };
  // Tools wrap base64 in lines.
  const base64 = rest.replace(/%[0-9a-f]{2}/gi, (one) => String.fromCharCode(Number(`0x${one.slice(1)}`))).replace(/\s+/g, '');
  return /[^A-Za-z0-9+/=]|=[^=]/.test(base64) ? undefined : { type: type || 'text/plain', base64 };
}

/** The bytes of a text with escapes such as `%FF`, which need not be UTF-8. */
function unescaped(text: string): Uint8Array {
  const bytes = new Encoder().encode(text);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 1, to += 1) {
    bytes[to] = bytes[at]!;
    const hex = bytes[at] === 0x25 ? String.fromCharCode(...bytes.subarray(at + 1, at + 3)) : '';
    if (!/^[0-9a-f]{2}$/i.test(hex)) continue;
    bytes[to] = Number(`0x${hex}`);
    at += 2;
  }
  return bytes.subarray(0, to);
}

const TYPES: readonly (readonly [start: RegExp, type: string])[] = [
  [/^\x89PNG/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8/, 'image/gif'],
  [/^RIFF....WEBP/s, 'image/webp'],
  [/^....ftypavi[fs]/s, 'image/avif'],
  [/^....ftyp(hei[cx]|mif1)/s, 'image/heic'],
  [/^%PDF-/, 'application/pdf'],
  [/^RIFF....WAVE/s, 'audio/wav'],
  [/^(ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb])/, 'audio/mpeg'],
  [/^OggS/, 'audio/ogg'],
  [/^fLaC/, 'audio/flac'],
  [/^....ftypM4A/s, 'audio/mp4'],
];

/** @internal The media type of an image, a PDF or audio in base64; undefined for others, and for fewer than 12 bytes. */
export function typeOf(base64: string): string | undefined {
  // A text that is no base64 has no type.
  if (!/^[A-Za-z0-9+/]{16}/.test(base64)) return undefined;
  const start = atob(base64.slice(0, 16));
  return TYPES.find(([begins]) => begins.test(start))?.[1];
}
