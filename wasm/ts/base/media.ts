// Bytes as base64, and their media type by how they begin.

/** @internal */
export function base64Of(bytes: Uint8Array): string {
  let text = '';
  // In pieces, because the number of arguments of a call is limited.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
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
