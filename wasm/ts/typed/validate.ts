// Validates a value by a Standard Schema.
import type { SchemaIssue, StandardSchema } from '../base/schema.js';

/** @internal What is wrong with a value, and where: the path is such as `items[2].price`, or `.` for the root. */
export interface Fault { path: string; reason: string; issues?: readonly SchemaIssue[] }

/** @internal The validated value, or the first fault. */
export async function validated<Output>(schema: StandardSchema<unknown, Output>, value: unknown): Promise<{ value: Output } | { fault: Fault }> {
  const result = await schema['~standard'].validate(value);
  if (!result.issues) return { value: result.value };
  const [issue] = result.issues;
  return { fault: { path: pathOf(issue), reason: issue?.message ?? 'is refused by the validator', issues: result.issues } };
}

function pathOf(issue: SchemaIssue | undefined): string {
  let path = '';
  for (const step of issue?.path ?? []) {
    const key = typeof step === 'object' ? step.key : step;
    path += typeof key === 'number' ? `[${key}]` : `${path && '.'}${String(key)}`;
  }
  return path || '.';
}

/** @internal A reason without its quotations of the value, because a server may echo a key in them. */
export function withoutQuotes(reason: string): string {
  const [first, last] = [reason.indexOf('"'), reason.lastIndexOf('"')];
  return first < last ? `${reason.slice(0, first)}…${reason.slice(last + 1)}` : reason;
}
