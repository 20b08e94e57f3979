import type { Message } from '../base/types.js';

/** The result of the tool call `callId`, as the next message of the conversation. */
export function toolResult(callId: string, text: string, isError = false): Message {
  return { role: 'tool', content: [{ type: 'tool_result', call_id: callId, content: [{ type: 'text', text }], is_error: isError }] };
}
