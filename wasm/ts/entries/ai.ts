// `chatcore/ai`: a provider for Vercel's `ai`. It stands beside the other entries, and takes a client of any of them.
export { createChatcore, type AiClient, type AiProvider, type AiProviderOptions } from '../ai/provider.js';
export type * from '../ai/types.js';
