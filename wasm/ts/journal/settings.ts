// The settings that a run must have in common with the run that it resumes. The same as Rust's `Identity`.
import { refused } from './errors.js';

/** The settings of a run, by name. */
export type Identity = Readonly<Record<string, string>>;

/** @internal The version of this form. */
const VERSION = 1;

/** @internal The text that is stored beside the results. */
export const written = (identity: Identity) => JSON.stringify({
  chatcore_run: VERSION, identity: Object.fromEntries(Object.entries(identity).sort(([one], [other]) => (one < other ? -1 : 1))),
}, null, 2);

/** @internal The settings in a stored text; undefined if they are of another version. */
export function read(text: string): Identity | undefined {
  try {
    const { chatcore_run: version, identity } = JSON.parse(text) as { chatcore_run?: unknown; identity?: unknown };
    const isRead = version === VERSION && typeof identity === 'object' && identity !== null
      && Object.values(identity).every((value) => typeof value === 'string');
    return isRead ? identity as Identity : undefined;
  } catch {
    return undefined;
  }
}

/** @internal Throws an LlmError that names all differences from the run that is to be resumed. */
export function compare(now: Identity, before: Identity): void {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].sort();
  const differences = names.filter((name) => now[name] !== before[name]).map((name) => {
    const [is, was] = [now[name], before[name]];
    if (was === undefined) return `${name} was not set and is now ${name === 'key' ? 'set' : is}`;
    if (is === undefined) return `${name}${name === 'key' ? ' was set' : ` was ${was}`} and is no longer set`;
    return name === 'key' ? 'the key has changed' : `${name} was ${was} and is now ${is}`;
  });
  if (differences.length === 0) return;
  throw refused(`this output was begun by a run with other settings: ${differences.join('; ')}; restore the settings, choose another output, `
    + 'or force the run', 'another_run');
}
