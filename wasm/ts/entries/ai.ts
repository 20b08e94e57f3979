// `chatcore/ai`: a provider for Vercel's `ai`. It is a separate entry, and takes a client from any other entry.
export { createChatcore, type AiClient, type AiProvider, type AiProviderOptions } from '../ai/provider.js';
export type * from '../ai/types.js';
