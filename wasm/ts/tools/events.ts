// The steps of a loop, as events, and what it returns.
import type { ChatEvent, ChatResponse, JsonObject, AnyMessage, ToolCallPart, ToolResultPart, Usage } from '../base/types.js';

/**
 * One step of a loop. A call is identified by its index among the calls of its turn, because some providers give calls no
 * ids. Each asked call gets exactly one result, in the order in which the calls end.
 */
export type ToolLoopEvent =
  /** A turn begins: the conversation is sent to the model. Turns count from 1. */
  | { type: 'turn_start'; turn: number }
  /** A piece of the model's answer. */
  | { type: 'content'; event: ChatEvent }
  /** The model asks for a call. */
  | { type: 'call_asked'; index: number; call: ToolCallPart }
  /** The call will run with these arguments, which the approval hook may have changed. */
  | { type: 'call_approved'; index: number; arguments: JsonObject }
  /** The approval hook refuses the call. Its result follows, an error with the reason. */
  | { type: 'call_refused'; index: number; reason: string }
  /** The result of a call, which is sent to the model. */
  | { type: 'call_result'; index: number; result: ToolResultPart }
  /** A turn ended: the model has answered, and each of its calls has a result. */
  | { type: 'turn_end'; turn: number; usage: Usage | null; totalUsage: Usage | null; cost: number | null }
  /** The model has answered. This event comes once, as the last one. */
  | { type: 'finish'; turns: number };

/** The answer of a loop, and what it took. `String(answer)` is its text. */
export interface ToolLoopAnswer {
  /** The text of the answer. */
  readonly text: string;
  /** The last answer of the model. Its `usage` and `attempts` are those of the last turn alone. */
  readonly response: ChatResponse;
  /**
   * The whole conversation: the messages of the call, every answer, the results of every call, and the last answer. Add a
   * message and ask again to go on.
   */
  readonly messages: AnyMessage[];
  /** What all turns together cost; null if the provider never said. */
  readonly usage: Usage | null;
  /** The cost of all turns together; null without a `price`. */
  readonly cost: number | null;
  /** How many times the model was asked. */
  readonly turns: number;
  /** How many times a request was sent, with the retries of all turns. */
  readonly attempts: number;
  toString(): string;
}

/** The answer of a loop with a `schema`. */
export interface TypedToolLoopAnswer<T> extends ToolLoopAnswer {
  /** The validated value of the last answer. */
  readonly value: T;
}

/** The limit that ended a loop before the model had answered. */
export type ToolLoopLimit = 'turns' | 'tokens' | 'cost' | 'time';

/** What a loop had done when it ended with an error. The conversation can be sent again, because each of its calls has a result. */
export interface UnfinishedLoop {
  /** The conversation so far. A call that the end of the loop stopped has an error as its result. */
  readonly messages: AnyMessage[];
  /** The limit that was reached; null if a turn failed or the loop was aborted. */
  readonly limit: ToolLoopLimit | null;
  /** What all turns together cost; null if the provider never said. */
  readonly usage: Usage | null;
  /** The cost of all turns together; null without a `price`. */
  readonly cost: number | null;
  /** How many answers the model has given. */
  readonly turns: number;
}
