// Which module a client needs, and loading it before the first call.
import { core, type ModuleName } from '../border/load.js';
import type { ClientOptions } from './options.js';
import { PROVIDERS, type ProviderName } from '../base/tables.js';

/** @internal The module with the dialect of this provider. Unknown names are refused elsewhere. */
export const moduleOf = (provider: string): ModuleName =>
  (PROVIDERS[provider as ProviderName]?.dialect === 'openai_chat' ? 'chat' : 'all');

/** @internal Whether the client has limits or hedging, which only the module with everything has. */
export const needsLimits = ({ limits, adaptive, hedging }: Pick<ClientOptions, 'limits' | 'adaptive' | 'hedging'>) =>
  Boolean(adaptive || hedging) || Object.values(limits ?? {}).some((value) => value != null);

/**
 * Loads the core now, so that the first call of a client for this provider, or with these options, does not wait for it.
 * Without an argument: the core of a client for `openai_compatible` without limits and hedging.
 */
export async function preload(client: ProviderName | Pick<ClientOptions, 'provider' | 'limits' | 'adaptive' | 'hedging'> = 'openai_compatible'): Promise<void> {
  const { provider = 'openai_compatible', ...options } = typeof client === 'string' ? { provider: client } : client;
  await core(needsLimits(options) ? 'all' : moduleOf(provider));
}
