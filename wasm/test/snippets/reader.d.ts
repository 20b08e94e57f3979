// The types of `reader.mjs`, and of packages that have none.
import type { ChatStream, LlmClient } from 'chatcore';
import type { OpenJournal } from 'chatcore/journal';
import type { RunnableTool } from 'chatcore/tools';
import type { z as Zod } from 'zod';

declare global {
  const client: LlmClient;
  const prompts: string[];
  const pages: string[];
  const load: (page: string) => Promise<string>;
  const show: (finished: number, total?: number) => void;
  const signal: AbortSignal;
  const tokens: { current(): Promise<{ value: string }> };
  const pdf: Uint8Array;
  const run: (name: string, input: unknown) => string;
  const weather: RunnableTool;
  const z: typeof Zod;
  const database: object;
  const button: HTMLButtonElement;
  const output: HTMLElement;
  const stream: ChatStream;
  const input: HTMLInputElement & { files: FileList };
  const RowsJournal: new (database: object, ...rest: unknown[]) => OpenJournal;
}
