// The home of a call: where its timers and requests are made. Most hosts have one home for all calls. On workerd each
// incoming request has its own: a timer or a connection that one request made cannot be used by another request, and
// is gone when its request ends.

/** @internal The home of one call. */
export interface Home {
  readonly number: number;
  /** Makes the core poll its tasks at this home. May be called from any home. */
  wake(): void;
  /** Called when the call has ended. */
  leave(): void;
}

/** @internal Makes the core poll its tasks at a home. */
export type Turn = (home: number) => void;

/** @internal Makes a home for the request that runs now. `onLost` is called from another request when that request is gone. */
export type MakeHome = (turn: Turn, onLost: () => void) => Home;

let make: MakeHome | undefined;

/** @internal Called by the entry for a host where each call has its own home. */
export function setHomes(makeHome: MakeHome): void {
  make = makeHome;
}

const everywhere: Home = { number: 0, wake() {}, leave() {} };

/** @internal The home of a call that begins here. */
export function homeHere(turn: Turn, onLost: () => void): Home {
  return make ? make(turn, onLost) : everywhere;
}
