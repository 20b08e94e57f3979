// Opens a run in files: takes the lock, reads existing results and checks the input. Nothing on the disk changes until
// everything has been checked.
import { check } from '../journal/check.js';
import { digester } from '../journal/digest.js';
import { Done } from '../journal/done.js';
import { refused } from '../journal/errors.js';
import type { Input } from '../journal/input.js';
import { compare, read, written, type Identity } from '../journal/settings.js';
import { Supply } from '../journal/supply.js';
import { isSame, openAppend, refusedFile, rename, replace } from './disk.js';
import { FilesJournal } from './journal.js';
import { lock } from './lock.js';
import { fs, unlessMissing, type FileHandle } from './node.js';
import { mend, scan, type Scanned } from './scan.js';
import { Writer, type Output, type SyncEvery } from './writer.js';

/** How often a held lock is tried again, and the pause before each try, in milliseconds. */
const [LOCK_TRIES, LOCK_PAUSE] = [20, 50];

/** @internal */
export interface FileSettings {
  readonly output: string;
  readonly errors: string;
  readonly force: boolean;
  readonly retryErrors: boolean;
  readonly every: SyncEvery;
}

/** @internal */
export async function openFiles(settings: FileSettings, input: Input, inputPath: string | undefined, identity: Identity): Promise<FilesJournal> {
  await refuseSame(settings, inputPath);
  const unlock = await takeLock(settings.output);
  const opened: FileHandle[] = [];
  try {
    return await openLocked(settings, input, identity, unlock, opened);
  } catch (error) {
    for (const file of opened) await file.close();
    unlock();
    throw error;
  }
}

async function openLocked(settings: FileSettings, input: Input, identity: Identity, unlock: () => void, opened: FileHandle[]): Promise<FilesJournal> {
  const { output, errors, retryErrors, every } = settings;
  await refuseAtProvider(`${output}.batches`);
  const run = await checkRun(settings, identity);
  const done = new Done();
  const answers = await scan(output, true, done);
  // Even if the file of errors is set aside below, it must be the journal's own.
  const wrong = await scan(errors, false, retryErrors ? new Done() : done);
  done.total = (await check(input, done, await digester())).items;
  if (retryErrors) await setAside(errors);
  const outputs: Output[] = [];
  for (const [path, scanned] of [[output, answers], [errors, retryErrors ? { length: 0, damaged: [] } : wrong]] as const) {
    const file = await openOutput(path, scanned);
    opened.push(file);
    outputs.push({ file, path });
  }
  const runPath = `${output}.run`;
  if (run) await replace(runPath, written(identity)).catch((error: unknown) => { throw refusedFile(runPath, 'written', error); });
  return new FilesJournal(new Supply(input, done), new Writer(outputs, every), done, [output, errors], unlock);
}

/** Takes the lock. Tries for a while, because a run of this program that was just closed may still hold it. */
async function takeLock(output: string): Promise<() => void> {
  const path = `${output}.lock`;
  for (let tries = 0; ; tries += 1) {
    const unlock = await lock(path).catch((error: unknown) => { throw refusedFile(path, 'written', error); });
    if (unlock) return unlock;
    if (tries === LOCK_TRIES) throw refused(`another process runs the batch of ${output}: wait until it ends, or choose another output`, 'locked');
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE));
  }
}

/** Refuses files that would overwrite each other. */
async function refuseSame({ output, errors }: FileSettings, input: string | undefined): Promise<void> {
  const files = [
    ...input === undefined ? [] : [['the input', input]], ['the output', output], ['the file of errors', errors],
    ['the settings of the run', `${output}.run`], ['the lock of the run', `${output}.lock`],
    ['the batches at the provider', `${output}.batches`],
  ] as [what: string, path: string][];
  for (const [at, [what, path]] of files.entries()) {
    for (const [other, its] of files.slice(at + 1)) {
      if (await isSame(path, its)) throw refused(`${what} and ${other} are the same file, ${path}: name another one`, 'same_file');
    }
  }
}

/** Compares with the run that is to be resumed. Returns whether its settings must be written. */
async function checkRun({ output, errors, force }: FileSettings, identity: Identity): Promise<boolean> {
  const path = `${output}.run`;
  const text = await unlessMissing(fs.readFile(path, 'utf8')).catch((error: unknown) => { throw refusedFile(path, 'read', error); });
  const before = text === undefined ? undefined : read(text);
  if (before && written(before) === written(identity)) return false;
  if (force) return true;
  if (before) compare(identity, before);
  for (const results of [output, errors]) {
    const there = await unlessMissing(fs.stat(results)).catch((error: unknown) => { throw refusedFile(results, 'read', error); });
    if (there?.isDirectory()) throw refusedFile(results, 'written', Object.assign(new Error('it is a folder'), { code: 'EISDIR' }));
    if (there && there.size > 0) {
      throw refused(`${results} already exists, and it is unknown how it was made, because ${path} is missing or has another version: choose `
        + 'another output, or force the run', 'foreign_output');
    }
  }
  return true;
}

/** Refuses to send items as chats that the program has sent in batches to the provider. A record that cannot be read may have some. */
async function refuseAtProvider(path: string): Promise<void> {
  const text = await unlessMissing(fs.readFile(path, 'utf8')).catch((error: unknown) => { throw refusedFile(path, 'read', error); });
  if (text === undefined) return;
  let batches: unknown;
  try {
    batches = (JSON.parse(text) as { records?: { batches?: unknown } } | null)?.records?.batches;
  } catch { /* damaged */ }
  if (Array.isArray(batches) && batches.length === 0) return;
  const number = Array.isArray(batches) ? String(batches.length) : 'an unknown number';
  throw refused(`items of this run may be in batches at the provider (${number}, see ${path}), and would be paid twice: go on with the program that `
    + 'created the batches (chatcore batch run --via provider), cancel them with it (--cancel), or delete the file if there are no such batches', 'at_provider');
}

/** Renames a file of errors, with the next free number, so that its items count as having no result. */
async function setAside(path: string): Promise<void> {
  const there = await unlessMissing(fs.stat(path));
  if (!there || there.size === 0) return;
  for (let number = 1; ; number += 1) {
    if (await unlessMissing(fs.stat(`${path}.${number}`))) continue;
    return rename(path, `${path}.${number}`).catch((error: unknown) => { throw refusedFile(path, 'renamed', error); });
  }
}

/** Opens a file of results for appending, after removing damaged lines. */
async function openOutput(path: string, scanned: Scanned): Promise<FileHandle> {
  try {
    if (scanned.damaged.length > 0) await mend(path, scanned, rename);
    return await openAppend(path, scanned.length);
  } catch (error) {
    throw refusedFile(path, 'written', error);
  }
}
