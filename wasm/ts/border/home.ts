// Where a call is at home. Most hosts have one place for all timers and requests. On workerd each incoming
// request has its own: what one request made cannot be used by another one, and is gone when that request is.

/** @internal The place of one call. */
export interface Home {
  readonly number: number;
  /** Goes there, from wherever, and turns the core. */
  wake(): void;
  /** The call is over. */
  leave(): void;
}

/** @internal What a home turns: the core, at that home. */
export type Turn = (home: number) => void;

/** @internal Makes a home of the place where it is called. `onLost` is called, elsewhere, when that place is gone. */
export type MakeHome = (turn: Turn, onLost: () => void) => Home;

let make: MakeHome | undefined;

/** @internal For a host where calls have homes of their own. */
export function setHomes(makeHome: MakeHome): void {
  make = makeHome;
}

const everywhere: Home = { number: 0, wake() {}, leave() {} };

/** @internal The home of a call that begins here. */
export function homeHere(turn: Turn, onLost: () => void): Home {
  return make ? make(turn, onLost) : everywhere;
}
