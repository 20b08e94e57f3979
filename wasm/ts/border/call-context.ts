// State of one call that the core does not see: the call's own headers, and the heads of its responses.

/** @internal The head of a response. */
export interface Head { readonly status: number; readonly headers: Readonly<Record<string, string>> }

/** @internal Passed through the core with each request of a call, to the code that sends the request. */
export class CallContext {
  /** Headers of this call alone, which the core never sees. */
  headers: Readonly<Record<string, string>> | undefined;
  #heads: Head[] = [];

  /** Called when an attempt got a response. */
  answered(head: Head): void {
    this.#heads.push(head);
  }

  /** Called when a response was dropped before its end. If another attempt got a response too, that one counts. */
  dropped(head: Head): void {
    if (this.#heads.length > 1) this.#heads = this.#heads.filter((other) => other !== head);
  }

  /** The head of the response that the call ended with, if there was one. */
  get head(): Head | undefined {
    return this.#heads.at(-1);
  }
}
