// The host that the program runs on, and its environment variables.
import { LlmError } from '../base/errors.js';
import { SETTINGS, type Variable } from '../base/tables.js';
import { unquoted } from '../base/unquote.js';

interface Host {
  process?: { env?: Record<string, string | undefined> };
  window?: unknown; document?: unknown; importScripts?: unknown;
  location?: { href: string };
}
const host = globalThis as unknown as Host;

/** @internal */
export const fail = (message: string, providerCode?: string) => new LlmError(message, { code: 'config', providerCode });

let isServer = false;

/** @internal Called by an entry for a server: only its owner can read the program, whatever globals it has. */
export function setServer(): void {
  isServer = true;
}

/** @internal Whether the program runs in a page or a worker, where everybody who opens the page can read it. */
export function isPage(): boolean {
  if (isServer) return false;
  return (typeof host.window !== 'undefined' && typeof host.document !== 'undefined')
    || typeof host.importScripts === 'function';
}

/** @internal The address of the page, which a base URL may be relative to. */
export const pageAddress = () => host.location?.href;

/** @internal The variables that are not blank, without quotes around their values. */
export class Variables {
  readonly #all: Readonly<Record<string, string | undefined>>;

  constructor(isPage: boolean) {
    let all = {};
    try {
      if (!isPage) all = host.process?.env ?? {};
    } catch { /* a host that does not let its environment be read */ }
    this.#all = all;
  }

  text(name: Variable): string | undefined {
    try {
      return unquoted(this.#all[name] ?? '') || undefined;
    } catch {
      return undefined;
    }
  }

  isOn(name: keyof typeof SETTINGS): boolean {
    const value = this.text(name) ?? SETTINGS[name].default;
    if (/^(1|true|yes|on)$/i.test(value)) return true;
    if (/^(0|false|no|off)$/i.test(value)) return false;
    throw fail(`${name} is ${value}; it must be true or false (1/0, yes/no, on/off)`);
  }

  /** Reads a number of seconds, and returns it in milliseconds. */
  milliseconds(name: Variable): number | undefined {
    const seconds = this.text(name);
    if (seconds === undefined) return undefined;
    if (!/^[\d.]+(e\d+)?$/i.test(seconds) || !(Number(seconds) > 0 && Number(seconds) <= 1e9)) {
      throw fail(`${name} is ${seconds}; it must be a number of seconds, more than 0 and at most 1e9`);
    }
    return Number(seconds) * 1000;
  }
}
