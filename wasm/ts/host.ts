// What the core asks of the host. What it waits for has a number; when it has come, the core is told the number.
import { ON_ABORT, type Init } from './fetch.js';
import type { Glue, Host } from './glue.js';

/** @internal What the host tells: an instance of the core, and the promises that wait for it. */
export interface Teller {
  readonly glue: Glue;
  quietly(work: () => void): void;
  soon(): void;
  settle(number: number, isOk: boolean, text: string, cause: unknown): void;
}

type News = (glue: Glue) => void;

/** @internal */
export function makeHost(core: Teller): Host {
  const tell = (news: News) => core.quietly(() => news(core.glue));
  const timers = new Map<number, ReturnType<typeof setTimeout>>();

  /** Begins something, and tells the core what comes of it, or why it failed. */
  const telling = async <T>(number: number, begin: () => Promise<T>, of: (value: T) => News) => {
    let news: News;
    try {
      news = of(await begin());
    } catch (error) {
      news = failure(number, error);
    }
    tell(news);
  };

  let last = { lines: '', method: '', url: '', headers: {} };

  return {
    soon: () => core.soon(),
    sleep(number, milliseconds) {
      timers.set(number, setTimeout(() => tell((glue) => glue.rang(number)), milliseconds));
    },
    clear(number) {
      clearTimeout(timers.get(number));
      timers.delete(number);
    },
    done: (number, isOk, text, cause) => core.settle(number, isOk, text, cause),
    send(fetch, number, lines, body, more) {
      // Mostly the same ones again.
      if (lines !== last.lines) last = { lines, ...requestHead(lines) };
      const { method, url } = last;
      let response: Response;
      let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
      let isShort = false;
      let controller: AbortController | undefined;
      let aborted = false;
      let onAbort: (() => void) | undefined;
      const init: Init = {
        // A copy, because the memory of the module may move under the host.
        method, headers: { ...last.headers }, body: body.slice(), redirect: 'manual',
        // Made when it is asked for: it is dear.
        get signal() {
          controller ??= new AbortController();
          if (aborted) controller.abort();
          return controller.signal;
        },
        [ON_ABORT](run) {
          onAbort = run;
          if (aborted) run();
        },
      };
      void telling(number, () => fetch(url, init, more), (answer) => {
        response = answer;
        let head = String(response.status || response.type);
        response.headers.forEach((value, name) => {
          // Up to 99,999 bytes, which need not be read in pieces.
          if (name === 'content-length') isShort = value.length <= 5;
          head += `\n${name}\n${value}`;
        });
        return (glue) => glue.head(number, head);
      });
      return {
        read(number) {
          const { body } = response;
          // Hosts have a shorter way for one piece.
          if (!body || isShort) {
            void telling(number, () => response.arrayBuffer(), (bytes) =>
              (glue) => glue.piece(number, new Uint8Array(bytes), true));
          } else {
            void telling(number, () => (reader ??= body.getReader()).read(), ({ done, value }) =>
              (glue) => glue.piece(number, value ?? new Uint8Array(), done));
          }
        },
        abort() {
          aborted = true;
          controller?.abort();
          onAbort?.();
        },
      };
    },
  };
}

/** The method, the URL and the headers of a request. */
function requestHead(lines: string): { method: string; url: string; headers: Record<string, string> } {
  const [method, url, ...pairs] = lines.split('\n') as [string, string, ...string[]];
  const headers: Record<string, string> = {};
  for (let n = 0; n < pairs.length; n += 2) headers[pairs[n]!] = pairs[n + 1]!;
  return { method, url, headers };
}

const property = (of: unknown, name: string): unknown => {
  try {
    return (of as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
};

const text = (of: unknown, name: string) => {
  const value = property(of, name);
  return typeof value === 'string' ? value : '';
};

/** What the host says of an error, and of the one that caused it. */
function failure(number: number, error: unknown): News {
  const cause = property(error, 'cause');
  const code = text(cause, 'code') || text(error, 'code');
  let message = text(error, 'message') || 'the host gave no reason';
  for (const more of [text(cause, 'message'), code]) if (!message.includes(more)) message += `: ${more}`;
  return (glue) => glue.failed(number, error, code, message);
}
