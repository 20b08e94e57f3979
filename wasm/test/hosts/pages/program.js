// The program of every bundler's page: a chat over the network, and a chat in a dialect whose module is loaded on demand.
import { LlmClient } from 'chatcore';

const ANTHROPIC = {
  id: 'x', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
};

export async function program(base = new URLSearchParams(location.search).get('base')) {
  try {
    const chat = await new LlmClient({ baseURL: `${base}/ok/v1`, model: 'm' }).ask('hi');
    const other = new LlmClient({ provider: 'anthropic', baseURL: `${location.origin}/anthropic`, model: 'm', fetch: async () => Response.json(ANTHROPIC) });
    return `${chat}, ${await other.ask('hi')}`;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}
