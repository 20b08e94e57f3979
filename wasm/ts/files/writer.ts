// Writes lines in groups: lines that come while a group is written are written together. Written lines are synced, so that
// they survive a power loss, in larger groups.
import { timer } from '../api/helpers.js';
import { failedFile } from './disk.js';
import { fs, type FileHandle } from './node.js';

/** @internal When written lines are synced. With an interval of 0, a line counts as recorded only when it is synced. */
export interface SyncEvery { readonly lines: number; readonly intervalMs: number }

/** @internal A file and its path. */
export interface Output { readonly file: FileHandle; readonly path: string }

interface Waiting { readonly number: number; resolve(): void; reject(error: unknown): void }

/** @internal */
export class Writer {
  readonly #outputs: readonly Output[];
  readonly #every: SyncEvery;
  #pending: string[][];
  /** How many lines were queued, written and synced in all. */
  #queued = 0;
  #written = 0;
  #synced = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #clear: (() => void) | undefined;
  #failure: { error: unknown } | undefined;

  constructor(outputs: readonly Output[], every: SyncEvery) {
    this.#outputs = outputs;
    this.#every = every;
    this.#pending = outputs.map(() => []);
  }

  /** Throws the error of a write that failed before. */
  check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Writes a line to an output. Resolves when the line survives the end of the process. */
  write(to: number, line: string): Promise<void> {
    this.check();
    this.#pending[to]!.push(line);
    this.#queued += 1;
    const number = this.#queued;
    const written = new Promise<void>((resolve, reject) => { this.#waiting.push({ number, resolve, reject }); });
    this.#writing ??= this.#writeGroups().catch((error: unknown) => this.#fail(error)).then(() => { this.#writing = undefined; });
    return written;
  }

  async #writeGroups(): Promise<void> {
    // Lines that other callbacks of this turn queue belong to the same group.
    await Promise.resolve();
    while (this.#written < this.#queued) {
      const [group, queued] = [this.#pending, this.#queued];
      this.#pending = this.#outputs.map(() => []);
      for (const [to, lines] of group.entries()) {
        const { file, path } = this.#outputs[to]!;
        if (lines.length > 0) await file.appendFile(lines.join('')).catch((error: unknown) => { throw failedFile(path, 'written', error); });
      }
      this.#written = queued;
      if (this.#every.intervalMs > 0) this.#resolve(queued);
      if (this.#every.intervalMs === 0 || this.#written - this.#synced >= this.#every.lines) void this.#sync().catch(() => {});
      else this.#plan();
    }
  }

  /** Resolves when all lines queued so far are synced. */
  async sync(): Promise<void> {
    const queued = this.#queued;
    await this.#writing;
    this.check();
    while (this.#synced < queued) await this.#sync();
  }

  /** Syncs, then closes the files. Throws the first error. */
  async close(): Promise<void> {
    try {
      await this.#writing;
      await this.#syncing?.catch(() => {});
      if (!this.#failure) await this.sync();
    } finally {
      this.#clear?.();
      for (const { file } of this.#outputs) await file.close();
    }
  }

  #plan(): void {
    this.#clear ??= timer(this.#every.intervalMs, () => {
      this.#clear = undefined;
      void this.#sync().catch(() => {});
    });
  }

  /** Syncs the lines that are written now. */
  async #sync(): Promise<void> {
    while (this.#syncing) await this.#syncing;
    this.check();
    const written = this.#written;
    if (this.#synced >= written) return;
    this.#clear?.();
    this.#clear = undefined;
    this.#syncing = Promise.all(this.#outputs.map(syncFile)).then(() => {
      this.#synced = written;
      this.#resolve(written);
    }, (error: unknown) => this.#fail(error)).finally(() => { this.#syncing = undefined; });
    await this.#syncing;
    this.check();
  }

  #resolve(to: number): void {
    const rest: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.number <= to) waiting.resolve();
      else rest.push(waiting);
    }
    this.#waiting = rest;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
  }
}

async function syncFile({ file, path }: Output): Promise<void> {
  try {
    await file.datasync();
    // Writes to a deleted file succeed, but are lost.
    const [there, own] = [await fs.stat(path), await file.stat()];
    if (there.ino !== own.ino || there.dev !== own.dev) throw Object.assign(new Error('another file now has its name'), { code: 'ENOENT' });
  } catch (error) {
    throw failedFile(path, 'made safe', error);
  }
}
