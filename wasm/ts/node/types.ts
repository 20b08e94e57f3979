// The parts of Node's classes that are used, because this package does not depend on Node's types.

type Listener = (...values: never[]) => void;

/** @internal */
export interface Emitter {
  on(event: string, listen: Listener): unknown;
  off(event: string, listen: Listener): unknown;
}
