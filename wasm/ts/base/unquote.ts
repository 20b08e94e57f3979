const BLANK = '[\\s\\ufeff\\u200b]*';
const AROUND = new RegExp(`^${BLANK}|${BLANK}$`, 'g');

/** @internal Strips the white space, byte order marks and pairs of quotes around a text, such as a value from an `.env` file. */
export function unquoted(given: string): string {
  let text = given.replace(AROUND, '');
  for (const quote of ['"', "'", '"', "'"]) {
    const inner = text.slice(1, -1);
    // `"a" "b"` is not one quoted text.
    if (text.length >= 2 && text.startsWith(quote) && text.endsWith(quote) && !inner.includes(quote)) text = inner.replace(AROUND, '');
  }
  return text;
}
