// Keeps a second process away from a run. The lock ends with the process, however it ends.
//
// Rust's journals lock the file by flock(2), which Node cannot call. The program `flock` of util-linux or BusyBox can lock
// a file that this process has opened: the lock belongs to the open file, so it stays when the program has ended. macOS
// and Windows lock a file when they open it.
//
// The file is deleted when the lock is released, as Rust's journals do, except on Windows: another process may have opened
// it there by then, and would get no lock for a while. So a lock counts only if its file still has the name.
// @ts-expect-error: no types of Node's here
import { spawn as spawnProgram } from 'node:child_process';
// @ts-expect-error: no types of Node's here
import { createServer as serve } from 'node:net';
import { closeFile, codeOf, deleteFile, fs, openFile, statFile, unlessMissing } from './node.js';

interface Server { once(event: string, listen: (error?: unknown) => void): Server; listen(path: string, then: () => void): Server; close(): void; unref(): void }
interface Child { once(event: 'error' | 'exit', listen: (told: unknown) => void): Child }

const spawn = spawnProgram as (program: string, words: string[], options: object) => Child;
const createServer = serve as () => Server;
const { platform } = (globalThis as { process?: { platform?: string } }).process ?? {};

const [READ_WRITE, CREATE] = [2, platform === 'win32' ? 0x100 : platform === 'linux' ? 0o100 : 0x200];
/** Opens a file only if it is not locked, and locks it: O_EXLOCK and O_NONBLOCK of macOS, UV_FS_O_EXLOCK of Windows. */
const LOCKING: Readonly<Record<string, number>> = { darwin: 0x20 | 0x4, freebsd: 0x20 | 0x4, win32: 0x10000000 };

/** @internal Takes the lock, and returns the function that releases it; undefined if another process has it. */
export async function lock(path: string): Promise<(() => void) | undefined> {
  for (;;) {
    const taken = await take(path);
    if (!taken) return undefined;
    const [there, own] = [await unlessMissing(fs.stat(path)), statFile(taken.fd)];
    if (platform === 'win32') return taken.free;
    if (there?.dev === own.dev && there.ino === own.ino) {
      return () => {
        try {
          deleteFile(path);
        } catch { /* it stays, and its lock is free */ }
        taken.free();
      };
    }
    // Its last owner deleted the file after it was opened here, so another process may lock a new file of this name.
    taken.free();
  }
}

interface Taken { readonly fd: number; free(): void }

async function take(path: string): Promise<Taken | undefined> {
  const locking = LOCKING[String(platform)];
  if (locking !== undefined) {
    try {
      const fd = openFile(path, READ_WRITE | CREATE | locking, 0o666);
      return { fd, free: () => closeFile(fd) };
    } catch (error) {
      if (['EAGAIN', 'EWOULDBLOCK', 'EBUSY', 'EACCES'].includes(String(codeOf(error))) && await fs.stat(path).catch(() => undefined)) return undefined;
      throw error;
    }
  }
  const fd = openFile(path, 'a');
  const status = await new Promise<unknown>((resolve) => {
    spawn('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).once('exit', resolve).once('error', () => resolve('missing'));
  });
  if (status === 0) return { fd, free: () => closeFile(fd) };
  const free = status === 'missing' ? await bySocket(fd).catch((error: unknown) => { closeFile(fd); throw error; }) : undefined;
  if (free) return { fd, free: () => { free(); closeFile(fd); } };
  closeFile(fd);
  return undefined;
}

/**
 * A lock for Linux without the program `flock`: a socket whose name is not in the file system. It keeps away only other
 * processes with this lock, in the same network namespace.
 */
async function bySocket(fd: number): Promise<(() => void) | undefined> {
  const { dev, ino } = statFile(fd);
  const server = createServer();
  const error = await new Promise((resolve) => {
    server.once('error', resolve).listen(`\0chatcore ${dev} ${ino}`, () => resolve(undefined));
  });
  if (error === undefined) {
    server.unref();
    return () => server.close();
  }
  if (codeOf(error) === 'EADDRINUSE') return undefined;
  throw error;
}
