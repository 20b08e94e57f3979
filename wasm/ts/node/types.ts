// What is used of Node's own classes, whose types this package does without.

type Listener = (...values: never[]) => void;

/** @internal */
export interface Emitter {
  on(event: string, listen: Listener): unknown;
  off(event: string, listen: Listener): unknown;
}
