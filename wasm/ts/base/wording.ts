// The core's messages name options as Rust and the environment do. This file replaces them with JavaScript's names. Each
// phrase is replaced as a whole, so that text from a server is not changed. A test checks that no phrase is missing.

/** Phrases of the core, each with `{what is there|what is here}` in place of what differs. */
const PHRASES: readonly string[] = [
  "the model's name ({LLM_MODEL|model})",
  'the base URL ({LLM_BASE_URL|baseURL})',
  'wait, or lower {LLM_ASYNC_WORKERS|workers}',
  'raise {max_tokens|maxTokens}, or ask for less reasoning ({reasoning_effort|reasoningEffort})',
  '{let the call wait (`.when_full(WhenFull::Wait)`; `.patient()` for one call of many, or a BatchProcessor)|leave waitForQueue true, so that the call waits}'
    + ', or raise {LLM_ASYNC_QUEUE_SIZE or LLM_ASYNC_WORKERS|queueSize or workers}',
  'the API key is empty; {set LLM_API_KEY|give an apiKey}',
  'no model is set; set {LLM_MODEL, or name a model in the request|model for the client or for the call}',
  'leave it out with {.temperature(None)|temperature: null}',
  'leave it out with {.max_tokens(None)|maxTokens: null}',
  'shorten it, or raise {max_request_bytes|maxRequestBytes}',
  'shorten it, lower {max_tokens|maxTokens}, or raise {tokens_per_minute or token_burst|limits.tokensPerMinute or limits.tokenBurst}',
  'set {LLM_ALLOW_HTTP=true (Provider::allow_http)|allowHttp: true}, if you trust the network',
  "cannot be set for one call; {Provider::with_header replaces|the client's headers replace} it for all calls",
  '{put the key in LLM_API_KEY|give the key as apiKey} and leave only the host',
  '; set {LLM_BASE_URL|baseURL} to ',
  'set {LLM_BASE_URL or Provider::with_base_url|baseURL}',
  ' or {LLM_API_KEY, or Provider::with_api_key, or USE_MOCK_LLM=true for the offline demo|give an apiKey, or mock: true for an offline} model',
  'the call it belongs to; use {Message::tool_result|toolResult()}',
  'no JSON mode without a schema; use {ResponseFormat::JsonSchema|a responseFormat of the type json_schema}',
  'send its bytes {with Part::image_base64|as base64}',
  'send its URL{ with Part::image_url or its bytes with Part::image_base64|, or its bytes as base64}',
  'the text {with Part::text|in a part of the type text}',
  'or send its transcript {with Part::text|in a part of the type text}',
  'put the schema into the prompt with {.in_prompt()|schemaInPrompt: true}',
  'or {await the call with .repairs(n)|set repairs without a stream}, so that the model corrects its answer',
  'or set {.repairs(n)|repairs}, so that the model corrects its answer',
  'its JSON was complete; raise {max_tokens|maxTokens}',
  'for example with {gather_with_limit|gatherWithLimit}',
  '{max_tokens|maxTokens} is 0, so there would be no answer',
];

/** A phrase as it is there ($1), or here ($2). */
const side = (phrase: string, which: '$1' | '$2') => phrase.replace(/\{(.*?)\|(.*?)\}/g, which);

const PATTERNS: readonly (readonly [of: RegExp, here: string])[] = [
  [/\btop_p is (\S+); it must be from/g, 'topP is $1; it must be from'],
  [/\bset LLM_PROVIDER=openai_compatible, LLM_BASE_URL=(\S+) and LLM_MODEL/g, "set provider: 'openai_compatible', baseURL: '$1' and a model"],
  [/\bset LLM_PROVIDER=(\w+) and LLM_MODEL/g, "set provider: '$1' and a model"],
  [/\bset LLM_PROVIDER=(\w+)/g, "set provider: '$1'"],
  [/\bmax_tokens is (\d+); to reason, this model needs at least (\d+): raise max_tokens, or set/g,
    'maxTokens is $1; to reason, this model needs at least $2: raise maxTokens, or set'],
  [/\bmax_tokens is (\d+); to reason, this model needs more/g, 'maxTokens is $1; to reason, this model needs more'],
  // What browsers say if a server of another origin does not allow the page. They hide the reason from the page.
  [/(: (?:Failed to fetch|NetworkError when|Load failed)[^;]*; check the network, )the proxy and (the base URL \(baseURL\))/g,
    '$1$2, and that the server allows this page (CORS)'],
];

/** @internal A message of the core in the words of this package. */
export function spoken(message: string): string {
  let text = message;
  for (const phrase of PHRASES) text = text.split(side(phrase, '$1')).join(side(phrase, '$2'));
  for (const [of, here] of PATTERNS) text = text.replace(of, here);
  return text;
}
