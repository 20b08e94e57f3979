// The settings that a run of a batch must have in common with the run that it resumes.
import { PROVIDERS, type ProviderName } from '../base/tables.js';

/**
 * @internal
 * The dialect, base URL and model, and a digest of the key, which identifies the account. The same as Rust's
 * `Identity::of`.
 */
export async function identityOf(settings: string): Promise<Record<string, string>> {
  const { provider, baseURL, model, key } = JSON.parse(settings) as { provider: ProviderName | 'demo'; baseURL?: string; model?: string; key?: string };
  const its = provider === 'demo' ? { dialect: 'mock', baseURL: '', model: '' } : PROVIDERS[provider];
  return {
    dialect: its.dialect,
    // A query may hold a key.
    'base URL': (baseURL ?? its.baseURL).split('?')[0]!.replace(/\/+$/, ''),
    model: model ?? its.model,
    ...key !== undefined && { key: await digest(`chatcore run ${key}`) },
  };
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)), 0, 8);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
