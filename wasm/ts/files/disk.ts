// Files, opened and replaced so that their names survive a power loss, and errors with advice.
// @ts-expect-error: no types of Node's here
import { basename as baseOf, dirname as folderOf, join as joined } from 'node:path';
import { failed, said } from '../journal/errors.js';
import { codeOf, fs, unlessMissing, type FileHandle } from './node.js';

const [basename, dirname, join] = [baseOf, folderOf, joined] as [(path: string) => string, (path: string) => string, (...parts: string[]) => string];
const { platform } = (globalThis as { process?: { platform?: string } }).process ?? {};

const OPENING: Readonly<Record<string, string>> = {
  ENOENT: 'check the path', EACCES: 'make the folder writable, or choose another folder', ENOSPC: 'make room on the disk',
  EISDIR: 'name a file, not a folder',
};
const WRITING: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk, then resume', EACCES: 'make it writable, then resume',
  ENOENT: 'the file was deleted or replaced while the batch ran: restore it, or start again with another output',
};
const adviceOf = (of: Readonly<Record<string, string>>, error: unknown, otherwise: string) => {
  const code = String(codeOf(error));
  return of[code === 'EPERM' || code === 'EROFS' ? 'EACCES' : code === 'EDQUOT' ? 'ENOSPC' : code] ?? otherwise;
};

/** @internal A file could not be opened, read or written while a run was opened. */
export const refusedFile = (path: string, what: string, error: unknown) =>
  failed(`${path} cannot be ${what}: ${said(error)}; ${adviceOf(OPENING, error, 'check the disk')}`, error);

/** @internal A file could not be written while a run was in progress. */
export const failedFile = (path: string, what: string, error: unknown) =>
  failed(`${path} could not be ${what}: ${said(error)}; results recorded before are kept; ${adviceOf(WRITING, error, 'resume when the disk works again')}`, error);

/** @internal Opens a file for appending, or creates it, and cuts it to `length` bytes if it is longer. */
export async function openAppend(path: string, length: number): Promise<FileHandle> {
  // A handle that only appends cannot cut the file on Windows.
  const whole = await unlessMissing(fs.open(path, 'r+')) ?? await fs.open(path, 'a');
  try {
    if ((await whole.stat()).size > length) await whole.truncate(length);
    await whole.sync();
  } finally {
    await whole.close();
  }
  const file = await fs.open(path, 'a');
  await syncFolder(path);
  return file;
}

/** @internal Creates a file or replaces it, in one step. */
export async function replace(path: string, content: string): Promise<void> {
  const file = await fs.open(`${path}.new`, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** @internal */
export async function rename(from: string, to: string): Promise<void> {
  await fs.rename(from, to);
  await syncFolder(to);
}

/** Makes the name of a file survive a power loss. On Windows a folder cannot be opened. */
async function syncFolder(path: string): Promise<void> {
  if (platform === 'win32') return;
  const folder = await fs.open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** @internal Whether both paths are the same file, or the same name if there is no file yet. */
export async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => fs.stat(path).catch(() => undefined)));
  if (a && b && platform !== 'win32') return a.dev === b.dev && a.ino === b.ino;
  const [own, its] = await Promise.all([one, other].map(canonical));
  return own === its;
}

/** The path without symbolic links, `.` and `..`. The file need not exist, but its folder must. */
async function canonical(path: string): Promise<string> {
  const ofFolder = async () => join(await fs.realpath(dirname(path)), basename(path));
  return fs.realpath(path).catch(ofFolder).catch(() => path);
}
