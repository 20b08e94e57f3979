import { LlmClient } from './chatcore/index.js';

onmessage = async ({ data: base }) => {
  const client = new LlmClient({ baseURL: `${base}/ok/v1`, model: 'm' });
  postMessage(String(await client.ask('hi')));
};
