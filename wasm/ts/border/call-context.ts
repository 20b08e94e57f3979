// What belongs to one call beside what the core is told of it: its own headers, and the heads of its answers.

/** @internal The head of an answer. */
export interface Head { readonly status: number; readonly headers: Readonly<Record<string, string>> }

/** @internal It goes with each request of a call, and comes back to the code that sends it. */
export class CallContext {
  /** Headers of this call alone, which the core never sees. */
  headers: Readonly<Record<string, string>> | undefined;
  #heads: Head[] = [];

  /** An attempt was answered. */
  answered(head: Head): void {
    this.#heads.push(head);
  }

  /** An answer was given up before its end. Where another attempt was answered too, that is the one that counts. */
  dropped(head: Head): void {
    if (this.#heads.length > 1) this.#heads = this.#heads.filter((other) => other !== head);
  }

  /** The head of the answer that the call came to, where one came. */
  get head(): Head | undefined {
    return this.#heads.at(-1);
  }
}
