// A client whose fetch answers each request with the next of a list, and the list of its requests.
import { LlmClient } from '../dist/node.js';

const USAGE = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };

/** A whole answer of chat completions. */
export const whole = (message, finish_reason = 'stop') => Response.json({
  id: 'chat-1', model: 'm-1', usage: USAGE,
  choices: [{ index: 0, finish_reason, message: { role: 'assistant', ...typeof message === 'string' ? { content: message } : message } }],
}, { headers: { 'x-request-id': 'req-1' } });

/** A streamed answer: deltas, or pieces of text. */
export function streamed(deltas, finish_reason = 'stop') {
  const chunk = (delta, more = {}) => ({ id: 'chat-1', model: 'm-1', choices: [{ index: 0, delta: typeof delta === 'string' ? { content: delta } : delta, ...more }] });
  const events = [...deltas.map((delta) => chunk(delta)), chunk({}, { finish_reason }), { id: 'chat-1', choices: [], usage: USAGE }];
  return new Response([...events.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''),
    { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req-1' } });
}

/** A tool call of chat completions. */
export const toolCall = (index, id, name, args) => ({ index, id, type: 'function', function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) } });

/** An answer that asks for tools. */
export const calling = (...calls) => whole({ content: null, tool_calls: calls.map(([id, name, args], n) => toolCall(n, id, name, args)) }, 'tool_calls');

/** A client that gets these answers, one for each request (the last one again and again), and the list of its requests. */
export function asked(answers, options = {}) {
  const requests = [];
  const fetch = async (url, { body, headers, signal }) => {
    const request = { url, headers, signal, ...JSON.parse(new TextDecoder().decode(body)) };
    requests.push(request);
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    return typeof answer === 'string' ? (request.stream ? streamed([answer]) : whole(answer)) : answer(request);
  };
  const client = new LlmClient({ provider: 'openai_compatible', baseURL: 'https://llm.example/v1', model: 'm', apiKey: 'k-0123456789', fetch, ...options });
  return { client, requests };
}
