// UTF-8, also where the host has no TextEncoder and no TextDecoder, as in Jest's jsdom.

/** @internal */
export const Encoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> } =
  typeof TextEncoder === 'function' ? TextEncoder as never : class { encode = encode; };

/** @internal Decodes whole texts only; it does not stream. */
export const Decoder: new (label?: string, options?: object) => { decode(bytes?: Uint8Array): string } =
  typeof TextDecoder === 'function' ? TextDecoder : class { decode = decode; };

/** @internal A lone surrogate becomes U+FFFD, as in the host's encoder. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const letter of text) {
    let code = letter.codePointAt(0)!;
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | code >> 6, 0x80 | code & 63);
    else if (code < 0x10000) bytes.push(0xe0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63);
    else bytes.push(0xf0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63);
  }
  return Uint8Array.from(bytes);
}

/** @internal Only for valid UTF-8, such as the core's output and requests. */
export function decode(bytes: Uint8Array = new Uint8Array()): string {
  const letters: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at++]!;
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let code = more === 0 ? first : first & (0x3f >> more);
    for (let n = 0; n < more; n += 1) code = code << 6 | bytes[at++]! & 63;
    letters.push(String.fromCodePoint(code));
  }
  return letters.join('');
}
