// The parts of `node:fs` that are used, because this package does not depend on Node's types.
// @ts-expect-error: no types of Node's here
import { closeSync, createReadStream, fstatSync, openSync, promises, unlinkSync } from 'node:fs';

/** @internal */
export interface Stats { readonly dev: number; readonly ino: number; readonly size: number; isFile(): boolean; isDirectory(): boolean }

/** @internal */
export interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }>;
  appendFile(data: string | Uint8Array): Promise<void>;
  writeFile(data: string | Uint8Array): Promise<void>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  stat(): Promise<Stats>;
  close(): Promise<void>;
}

interface Fs {
  open(path: string, flags: string): Promise<FileHandle>;
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  rename(from: string, to: string): Promise<void>;
  stat(path: string): Promise<Stats>;
  realpath(path: string): Promise<string>;
}

/** @internal */
export const fs = promises as Fs;
/** @internal */
export const openFile = openSync as (path: string, flags: number | string, mode?: number) => number;
/** @internal */
export const closeFile = closeSync as (fd: number) => void;
/** @internal */
export const statFile = fstatSync as (fd: number) => Stats;
/** @internal */
export const deleteFile = unlinkSync as (path: string) => void;
/** @internal */
export const readStream = createReadStream as (path: string, options: object) => AsyncIterable<Uint8Array>;

/** @internal The word with which Node names an error, such as `ENOENT`. */
export const codeOf = (error: unknown) => (error as { code?: unknown } | undefined)?.code;

/** @internal A value, or undefined if the file does not exist. */
export async function unlessMissing<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
