// Runs the calls of one turn, as core/src/toolbox/calls.rs does.
import { whenAborted } from '../base/abort.js';
import type { JsonObject, Part, ToolCallPart, ToolResultPart } from '../base/types.js';
import { timer } from '../api/helpers.js';
import type { ToolLoopEvent } from './events.js';
import { capped, failed, outcomeOf, thrown, type Outcome } from './output.js';
import { prepare, type Prepared } from './prepare.js';
import type { LoopSettings } from './settings.js';
import { doesNotFit, type RunnableTool, type ToolContext } from './tool.js';

/** @internal What the calls need of their loop. */
export interface Runner {
  settings: LoopSettings;
  /** Aborted when the loop ends early. */
  signal: AbortSignal;
  /** Checks arguments against a JSON schema. Resolves to the fault, if there is one. */
  check(schema: object, json: string): Promise<{ path: string; reason: string } | undefined>;
}

interface Ready { index: number; tool: RunnableTool; context: ToolContext; stop: AbortController }
type Next = { index: number; outcome: Outcome } | { asked: Ready; decision: unknown } | 'stopped';

/**
 * @internal
 * Runs the calls, and returns a result for each of them, in their order. If the loop ends early, the calls that still run
 * are aborted, and their results say so.
 *
 * ```text
 *  waiting ─► asking (one at a time, in order) ─► approved ─► running (a limited number) ─► results
 * ```
 */
export async function* runCalls(
  { settings, signal, check }: Runner, calls: readonly ToolCallPart[], turn: number, isCut: boolean,
): AsyncGenerator<ToolLoopEvent, ToolResultPart[]> {
  const results: (ToolResultPart | undefined)[] = calls.map(() => undefined);
  const waiting = prepare(settings.toolbox, calls, isCut).map((prepared, index) => ({ prepared, index }));
  const approved: Ready[] = [];
  const begun = new Set<number>();
  const running = new Map<number, Promise<Next>>();
  let asking: Promise<Next> | undefined;
  let stopped!: Promise<Next>;
  const forget = await new Promise<() => void>((begin) => {
    stopped = new Promise((resolve) => {
      begin(whenAborted(signal, () => resolve('stopped')));
      if (signal.aborted) resolve('stopped');
    });
  });

  const end = (index: number, { content, isError }: Outcome): ToolLoopEvent => {
    // A result without any part is no valid message for some providers.
    const parts: readonly Part[] = content.length ? capped(content, settings.maxResult) : [{ type: 'text', text: '' }];
    const result = results[index] = { type: 'tool_result', call_id: calls[index]!.id, content: parts, is_error: isError };
    return { type: 'call_result', index, result };
  };
  const approve = (ready: Ready): ToolLoopEvent => {
    approved.push(ready);
    return { type: 'call_approved', index: ready.index, arguments: ready.context.arguments };
  };
  const readyOf = (index: number, { tool, arguments: given }: Exclude<Prepared, { error: Outcome }>): Ready => {
    const { id: callId, name } = calls[index]!;
    const stop = new AbortController();
    return { index, tool, stop, context: { callId, name, arguments: given, turn, signal: stop.signal } };
  };

  try {
    for (const [index, call] of calls.entries()) yield { type: 'call_asked', index, call };
    for (;;) {
      while (!asking && waiting.length > 0 && !signal.aborted) {
        const { prepared, index } = waiting.shift()!;
        if ('error' in prepared) {
          yield end(index, prepared.error);
          continue;
        }
        const ready = readyOf(index, prepared);
        if (settings.approval) asking = decisionOf(settings.approval, ready);
        else yield approve(ready);
      }
      while (running.size < settings.concurrency && approved.length > 0 && !signal.aborted) {
        const ready = approved.shift()!;
        begun.add(ready.index);
        running.set(ready.index, runOne(ready, ready.tool.timeoutMs ?? settings.toolTimeoutMs, signal, check));
      }
      if (!asking && running.size === 0 && !signal.aborted) break;
      const next = await Promise.race([stopped, ...running.values(), ...asking ? [asking] : []]);
      if (next === 'stopped') {
        for (const index of calls.keys()) if (!results[index]) yield end(index, stoppedOutcome(begun.has(index), signal));
        break;
      }
      if ('outcome' in next) {
        running.delete(next.index);
        yield end(next.index, next.outcome);
        continue;
      }
      asking = undefined;
      const { asked, decision } = next;
      const changed = argumentsOf(decision);
      if (decision === true) {
        yield approve(asked);
      } else if (changed) {
        yield approve({ ...asked, context: { ...asked.context, arguments: changed } });
      } else {
        const reason = reasonOf(decision);
        yield { type: 'call_refused', index: asked.index, reason };
        yield end(asked.index, failed(reason));
      }
    }
  } finally {
    forget();
  }
  return results as ToolResultPart[];
}

/** Asks the hook. If it throws, the decision is undefined. */
async function decisionOf(approval: NonNullable<LoopSettings['approval']>, asked: Ready): Promise<Next> {
  let decision: unknown;
  try {
    decision = await approval(asked.context);
  } catch { /* refused */ }
  return { asked, decision };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const argumentsOf = (decision: unknown): JsonObject | undefined =>
  (isObject(decision) && isObject(decision.arguments) && !Array.isArray(decision.arguments) ? decision.arguments as JsonObject : undefined);

/** Anything that is no approval refuses. */
const reasonOf = (decision: unknown) =>
  (isObject(decision) && typeof decision.refuse === 'string' ? decision.refuse : 'the approval of the call failed');

function stoppedOutcome(hasBegun: boolean, signal: AbortSignal): Outcome {
  const why = signal.reason === TIME_UP ? 'because the time for this conversation was up' : 'because this conversation was aborted';
  return failed(hasBegun ? `stopped before it had ended, ${why}; it may have had effects` : `not run, ${why}`);
}

/** @internal The reason of a loop's signal when its time is up. */
export const TIME_UP = new Error("the time limit of the tool loop is up");

/** Runs one call under its time limit. What it throws is an error. */
function runOne({ index, tool, context, stop }: Ready, limitMs: number, signal: AbortSignal, check: Runner['check']): Promise<Next> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome, reason?: unknown) => {
      forget();
      clear();
      resolve({ index, outcome });
      if (reason) stop.abort(reason);
    };
    const forget = whenAborted(signal, () => end(failed(''), signal.reason));
    const clear = limitMs === Infinity ? () => {} : timer(limitMs, () => {
      const why = `the tool did not end within ${span(limitMs)}; it was stopped, and may have had effects`;
      end(failed(why), new DOMException(why, 'TimeoutError'));
    });
    const run = async () => {
      if (tool.checksSchema) {
        const fault = await check(tool.definition.parameters, JSON.stringify(context.arguments));
        if (fault) throw doesNotFit(fault.path, fault.reason);
        context.signal.throwIfAborted();
      }
      return outcomeOf(await tool.run(context));
    };
    run().then(end, (error: unknown) => end(thrown(error)));
  });
}

/** Milliseconds in words, as the core writes them. */
const span = (milliseconds: number) => (milliseconds < 1000 ? `${milliseconds}ms` : `${milliseconds / 1000}s`);
