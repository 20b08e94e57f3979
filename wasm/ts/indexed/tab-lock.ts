// Keeps other tabs and workers away from a journal, by Web Locks. The lock ends with the page, however it ends.
import { refused } from '../journal/errors.js';

/** How long a lock that another page holds is waited for, in milliseconds: a page that is being reloaded still has it. */
const PATIENCE = 3000;

/** @internal Takes the lock of a journal, and returns the function that releases it. */
export function lockTab(name: string): Promise<() => void> {
  // Locks exist only in secure contexts.
  const { locks } = navigator as { locks?: LockManager };
  if (!locks) throw refused('a journal in the browser needs Web Locks, which pages have only over https or on localhost');
  return new Promise((resolve, reject) => {
    const held = () => new Promise<void>((release) => resolve(release));
    locks.request(`chatcore journal ${name}`, { signal: AbortSignal.timeout(PATIENCE) }, held).catch((error: unknown) => {
      reject(error instanceof DOMException && error.name === 'TimeoutError'
        ? refused(`another tab or worker of this site runs the batch ${name}: wait until it ends, or choose another name`, 'locked')
        : refused(`the lock of the journal ${name} cannot be taken`, undefined, error));
    });
  });
}
