// Recognizes misspelt names of fields, by the same rules as Rust's `journal/jsonl/fields.rs`.

/** The fields that chatcore reads. */
const OWN = [
  'custom_id', 'method', 'url', 'body', 'model', 'prompt', 'system_prompt', 'messages', 'temperature', 'top_p', 'max_tokens',
  'max_completion_tokens', 'seed', 'stop', 'tools', 'tool_choice', 'reasoning_effort', 'response_format', 'stream', 'stream_options',
];

/** Fields of providers that differ from a known field in one letter: OpenRouter's list of fallback models. */
const OTHERS = ['models'];

/** A shorter name that differs in one letter is more likely a different field, such as `top_k`. */
const SHORT = 5;

const plain = (name: string) => name.replace(/[_-]/g, '').toLowerCase();

/**
 * @internal
 * The known field that an unknown field was probably meant to be, because the name differs only in case and separators
 * (`maxTokens`), or in one letter (`temprature`).
 */
export function misspelt(name: string): string | undefined {
  if (OWN.includes(name) || OTHERS.includes(name)) return undefined;
  const given = [...plain(name)];
  return OWN.find((own) => {
    const letters = [...plain(own)];
    return letters.length >= SHORT ? isNear(letters, given) : letters.join('') === given.join('');
  });
}

/** Whether one letter is added, missing or different, or two neighbours are swapped. */
function isNear(one: readonly string[], other: readonly string[]): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  if (long.length - short.length > 1) return false;
  let begin = 0;
  while (begin < short.length && short[begin] === long[begin]) begin += 1;
  let end = 0;
  while (end < short.length - begin && short[short.length - 1 - end] === long[long.length - 1 - end]) end += 1;
  const left = [short.length, long.length].map((length) => length - begin - end) as [number, number];
  if (left[0] <= 1 && left[1] <= 1) return true;
  return left[0] === 2 && left[1] === 2 && short[begin] === long[begin + 1] && short[begin + 1] === long[begin];
}
