import { invalidInput } from '../base/errors.js';
import type { Message, Part } from '../base/types.js';
import { said } from './kinds.js';

/**
 * The result of the tool call `callId`, as the next message of the conversation: a text, or parts such as an image, if the
 * provider accepts them.
 */
export function toolResult(callId: string, result: string | readonly Part[], isError = false): Message {
  if (typeof result !== 'string' && !Array.isArray(result)) {
    throw invalidInput(`toolResult got ${said(result)}; give a text, such as JSON.stringify(result), or an array of parts`);
  }
  const content: readonly Part[] = typeof result === 'string' ? [{ type: 'text', text: result }] : result;
  return { role: 'tool', content: [{ type: 'tool_result', call_id: callId, content, is_error: isError }] };
}
