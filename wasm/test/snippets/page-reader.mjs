// The names that are the reader's own, for the programs that run in a page.
import { LlmClient } from 'chatcore';

const client = new LlmClient({ baseURL: '/api/v1', model: 'm' });
Object.assign(globalThis, {
  client,
  button: document.createElement('button'),
  output: document.body,
  stream: client.chatStream('Why is the sky blue?'),
  prompts: ['one', 'two'],
  input: { files: [new File(['{"prompt":"one"}\n'], 'in.jsonl', { type: 'text/plain' })] },
});
