// Which module a provider needs, and loading it before the first call.
import { core, type ModuleName } from '../border/load.js';
import { PROVIDERS, type ProviderName } from '../base/tables.js';

/** @internal The module with the dialect of this provider. Unknown names are refused elsewhere. */
export const moduleOf = (provider: string): ModuleName =>
  (PROVIDERS[provider as ProviderName]?.dialect === 'openai_chat' ? 'chat' : 'all');

/** Loads the core now, so that the first call of a client for this provider does not wait for it. */
export async function preload(provider: ProviderName = 'openai_compatible'): Promise<void> {
  await core(moduleOf(provider));
}
