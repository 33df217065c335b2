/**
 * Owns the fusing of chains in a graph: tasks of which each is made from the one before it alone, and nobody
 * else uses that one, become one task that runs their bodies one after the other, on one thread, without a
 * word to the scheduler or a result put by between them. The last one's key stays. Pure. Must not know:
 * sizes, durations, how bodies are run (chain.ts).
 */
import type { TaskKey } from '../runtime/index.ts';
import { chainOf, isChain } from './chain.ts';
import { limits } from './limits.ts';
import type { Hints, TaskSpec } from './protocol.ts';

export interface FuseOptions {
  readonly encode: (value: unknown) => Uint8Array;
  /** Results that must be had by themselves. */
  readonly isWanted: (key: TaskKey) => boolean;
}

/** The graph with its chains fused. Inputs come before users, before and after. */
export function fuseChains(tasks: readonly TaskSpec[], options: FuseOptions): TaskSpec[] {
  const byKey = new Map(tasks.map((task) => [task.key, task]));
  const users = new Map<TaskKey, number>();
  for (const { inputs } of tasks) for (const key of inputs) users.set(key, (users.get(key) ?? 0) + 1);
  /** By the last task of each, the chain so far. */
  const chains = new Map<TaskKey, TaskSpec[]>();
  for (const task of tasks) {
    const [input] = task.inputs;
    const before = input === undefined || task.inputs.length > 1 ? undefined : byKey.get(input);
    const chain = before === undefined ? undefined : chains.get(before.key);
    const fits =
      chain !== undefined &&
      chain.length < limits.fusedTasks &&
      users.get(before!.key) === 1 &&
      !options.isWanted(before!.key) &&
      canFollow(before!, task);
    if (fits) {
      chains.delete(before!.key);
      chain.push(task);
    }
    chains.set(task.key, fits ? chain : [task]);
  }
  return tasks.flatMap((task) => {
    const chain = chains.get(task.key);
    if (chain === undefined) return [];
    return chain.length === 1 ? [task] : [fused(chain, options.encode)];
  });
}

/** Whether one run may do both: what binds or counts a run must be the same for the two. */
function canFollow(first: TaskSpec, second: TaskSpec): boolean {
  if (first.name !== undefined || second.name !== undefined) return false;
  if (isChain(first.fn) || isChain(second.fn)) return false;
  const [a, b] = [first.hints, second.hints];
  const alike = (['site', 'stay', 'retries', 'deadlineMs', 'dropIfLate'] as const).every(
    (name) => a[name] === b[name],
  );
  // A bias that only one of them has holds for both; two that differ pull apart.
  const apart = (['near', 'together', 'priority'] as const).some(
    (name) => a[name] !== undefined && b[name] !== undefined && a[name] !== b[name],
  );
  return alike && !apart && JSON.stringify(a.needs ?? null) === JSON.stringify(b.needs ?? null);
}

function fused(chain: readonly TaskSpec[], encode: FuseOptions['encode']): TaskSpec {
  const last = chain.at(-1)!;
  const { fn, args } = chainOf(chain, encode);
  const hints: Record<string, unknown> = {};
  for (const task of chain) Object.assign(hints, task.hints);
  // The size of what stays; the time of all, where all have been told.
  delete hints.bytes;
  if (last.hints.bytes !== undefined) hints.bytes = last.hints.bytes;
  delete hints.seconds;
  if (chain.every((task) => task.hints.seconds !== undefined)) {
    hints.seconds = chain.reduce((sum, task) => sum + task.hints.seconds!, 0);
  }
  return { key: last.key, fn, args, inputs: chain[0]!.inputs, hints: hints as Hints };
}
