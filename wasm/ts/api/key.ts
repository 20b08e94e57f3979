// Checks a key, and tells its provider if its form shows it. The core has the same rules (core/src/credentials/key.rs,
// core/src/provider/key_form.rs); the tests of both read core/cases/keys.json.
import { Flaw } from './address.js';
import { codedError } from '../base/errors.js';
import { KEY_FORMS, KEY_MIN_LENGTH } from '../base/tables.js';
import { unquoted } from '../base/unquote.js';
import { spoken } from '../base/wording.js';

/** @internal A key as it is sent, or what is wrong with it. The reason does not hold the key. */
export function keyOf(given: string): string | Flaw {
  const key = unquoted(given);
  const flaw = (code: string, why: string) => new Flaw(code, `the API key ${why}`);
  if (key === '') return flaw('key_empty', 'is empty; give an apiKey');
  if (/^bearer /i.test(key)) return flaw('key_bearer', 'begins with the word Bearer; leave that out, it is added when the key is sent');
  if (/^[^=]*_(KEY|TOKEN)\s*=/.test(key)) {
    return flaw('key_assignment', 'begins with the name of a variable and `=`; give only what follows');
  }
  const place = key.search(/[^!-~]/);
  if (place >= 0) {
    const letter = key[place]!;
    const [code, what] = /[\r\n]/.test(letter) ? ['key_line_break', 'a line break'] : /[ \t]/.test(letter) ? ['key_space', 'a space']
      : letter > '\x7f' ? ['key_not_ascii', 'a character that is not ASCII'] : ['key_control', 'a control character'];
    return flaw(code!, `has ${what} in it (at character ${place} of ${key.length}); copy it again`);
  }
  if (/^["'`]|["'`]$/.test(key)) {
    return flaw('key_quote', 'begins or ends with an unmatched quotation mark; leave the quotation marks out');
  }
  return key;
}

/** @internal Returns a key for one attempt. Calls `note` with each key that it got from the caller's function. */
export type GiveKey = (note: (key: string) => void) => Promise<string>;

/** @internal Wraps the caller's function that returns a key. The core checks the form of the key. */
export function keyGiver(ask: () => string | Promise<string>, ofAnother: (key: string) => Flaw | undefined): GiveKey {
  return async (note) => {
    const given: unknown = await ask();
    if (typeof given !== 'string') throw codedError('it returned no string', 'key_none');
    const key = unquoted(given);
    note(key);
    const flaw = ofAnother(key);
    if (flaw) throw codedError(flaw.why, flaw.code);
    return key;
  };
}

/** @internal Why a key cannot be meant for `provider`, the default: its form is another provider's. */
export function foreign(key: string, provider: string): Flaw | undefined {
  const form = key.length < KEY_MIN_LENGTH ? undefined : KEY_FORMS.find(({ prefix }) => key.startsWith(prefix));
  if (!form || form.set === `LLM_PROVIDER=${provider}`) return undefined;
  return new Flaw('key_of_another_provider', spoken(`the API key looks like a key for ${form.owner}, but would be sent to ${provider}, `
    + `the default provider: set ${form.set} (or provider: '${provider}' to send it there anyway)`));
}
