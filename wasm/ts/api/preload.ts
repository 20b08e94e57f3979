// Which module a client needs, and loading it before the first call.
import { core, type ModuleName } from '../border/load.js';
import { checkClient } from './check.js';
import { fail } from './environment.js';
import type { ClientOptions } from './options.js';
import { providerOf } from './provider.js';
import { PROVIDERS, type ProviderName } from '../base/tables.js';

/** @internal The module with the dialect of this provider. Unknown names are refused elsewhere. */
export const moduleOf = (provider: string): ModuleName =>
  (PROVIDERS[provider as ProviderName]?.dialect === 'openai_chat' ? 'chat' : 'all');

/** @internal Whether the client has limits or hedging, which only the module with everything has. */
export const needsLimits = ({ limits, adaptive, hedging }: Pick<ClientOptions, 'limits' | 'adaptive' | 'hedging'>) =>
  Boolean(adaptive || hedging) || Object.values(limits ?? {}).some((value) => value != null);

/**
 * Loads the core now, so that the first call of a client for this provider, or with these options, does not wait for it.
 * Without an argument: the core of a client for `openai_compatible` without limits and hedging. Rejects with an LlmError: with
 * the code `config` for an argument that no client accepts, and if the core cannot be loaded.
 */
export async function preload(client: ProviderName | Pick<ClientOptions, 'provider' | 'limits' | 'adaptive' | 'hedging'> = 'openai_compatible'): Promise<void> {
  const options: ClientOptions = typeof client === 'string' ? { provider: client } : client;
  checkClient(options, fail, 'the argument of preload', 'the name of a provider, or an object with options of a client');
  const { provider = 'openai_compatible' } = options;
  providerOf(provider);
  await core(needsLimits(options) ? 'all' : moduleOf(provider));
}
