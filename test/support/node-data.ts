/**
 * Data and requests as a node has them, for tests of its machinery.
 */

import type { RunOutcome, RunRequest } from '../../nodes/run-request.ts';
import { toSharedParts } from '../../nodes/shared-frames.ts';
import {
  type DatumParts,
  decodeValue,
  encodePacked,
  encodeValue,
  type RunId,
  type TaskKey,
} from '../../runtime/index.ts';

/** Where the threads find the tasks of the tests. */
export const testModules = [new URL('./test-tasks.js', import.meta.url).href];

export function datum(value: unknown): DatumParts {
  return toSharedParts(encodeValue(value));
}

export function decoded({ header, frames }: DatumParts): unknown {
  return decodeValue(header, frames);
}

/** Numbers that no other seed gives, `bytes` of them. */
export function numbers(bytes: number, seed = 1): Float64Array {
  const array = new Float64Array(bytes / 8);
  let state = seed;
  for (let index = 0; index < array.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    array[index] = state;
  }
  return array;
}

let lastRun = 0;

/** A run of a task; dependencies stand among the arguments as `{ $task: index }`. */
export function request(
  called: { readonly taskName: string } | string,
  args: readonly unknown[] = [],
  inputs: readonly DatumParts[] = [],
): RunRequest {
  const run = ++lastRun as RunId;
  const fn = typeof called === 'string' ? called : called.taskName;
  return { run, key: `key-${run}` as TaskKey, fn, args: encodePacked(args), inputs };
}

/** The value of a run that must have succeeded. */
export function resultOf(outcome: RunOutcome): unknown {
  if (outcome.outcome === 'done') return decoded(outcome.parts);
  throw new Error(outcome.outcome === 'failed' ? outcome.error.message : outcome.outcome);
}

/** The code of a run that must have failed, and whether it may be tried again. */
export function failureOf(outcome: RunOutcome): readonly [string | undefined, boolean] {
  if (outcome.outcome === 'failed') return [outcome.error.code, outcome.retryable];
  throw new Error(`the run was ${outcome.outcome}`);
}
