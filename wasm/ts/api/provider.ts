// The providers by their names.
import { fail } from './environment.js';
import { nearest } from './nearest.js';
import { PROVIDERS, type ProviderName } from '../base/tables.js';

/** @internal The row of a provider in the table. Throws an LlmError with the code `config` for a name that is none. */
export function providerOf(name: string): (typeof PROVIDERS)[ProviderName] {
  if (Object.hasOwn(PROVIDERS, name)) return PROVIDERS[name as ProviderName];
  const names = Object.keys(PROVIDERS);
  const meant = nearest(name, names);
  throw fail(`the provider is ${name}, which is not the name of a provider: ${meant ? `did you mean ${meant}? It` : 'it'} must be one of `
    + `${names.join(', ')}; for any other server with OpenAI's chat completions, use openai_compatible and set baseURL`, 'unknown_provider');
}
