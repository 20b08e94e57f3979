import { LlmClient } from 'chatcore';

export const runtime = 'edge';
export async function GET(request) {
  const base = new URL(request.url).searchParams.get('base');
  const client = new LlmClient({ baseURL: `${base}/ok/v1`, model: 'm' });
  return new Response(String(await client.ask('hi')));
}
