// Bytes as base64, and the type of a picture by its first bytes.

/** @internal */
export function base64Of(bytes: Uint8Array): string {
  let text = '';
  // In pieces, because the number of arguments of a call is limited.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

const TYPES = { iVBOR: 'image/png', '/9j/': 'image/jpeg', R0lG: 'image/gif', UklGR: 'image/webp' };

/** @internal The media type of a picture in base64; PNG if it is not a known type. */
export const imageType = (base64: string): string =>
  Object.entries(TYPES).find(([start]) => base64.startsWith(start))?.[1] ?? 'image/png';
