/**
 * Owns the question whether a node has room for a task now: threads, named resources, memory. Pure. Must not
 * know: which task should go first.
 */
import { footprintOf } from './estimates.ts';
import { assumptions } from './limits.ts';
import { type Needs, waysOf } from './needs.ts';
import { couldRun, resourcesFree } from './ready-classes.ts';
import type { NodeRecord, SchedulerState, TaskRecord } from './scheduler-state.ts';

interface Way {
  readonly needs: Needs;
  readonly ahead: boolean;
}

export function fullness(node: NodeRecord): number {
  return (node.usedThreads + node.parkedCount) / Math.max(1, node.info.threads);
}

/** Whether the node has threads for the task now; `ahead`: also when it would not begin at once. */
function hasThreads(node: NodeRecord, task: TaskRecord, { needs, ahead }: Way): boolean {
  const after = node.usedThreads + node.reserved.threads + needs.threads;
  const { threads } = node.info;
  if (after <= threads) return true;
  if (!ahead) return false;
  // Inputs from elsewhere are fetched while others run; short tasks follow one another without a gap.
  const extra = task.inputs.length > 0 ? Math.max(1, Math.ceil(threads / 4)) : 0;
  if (after <= threads + extra + Math.min(threads, node.fetchingRuns)) return true;
  return (
    node.assignedSeconds < assumptions.aheadSeconds * threads && after <= assumptions.aheadTasks * threads
  );
}

/** Whether the memory that tasks at the node are expected to take leaves room for one more. What is larger
 * than all of it runs alone. */
function hasMemory(state: SchedulerState, node: NodeRecord, task: TaskRecord): boolean {
  const { memoryBytes } = node.info;
  // A run that waits for tasks of its own takes no thread: those must not wait for its memory.
  if (node.usedThreads === 0 || !(memoryBytes > 0)) return true;
  return node.reservedBytes + footprintOf(state, task) <= memoryBytes;
}

/** The first of the ways to run the task for which the node has room now. */
export function wayAt(
  state: SchedulerState,
  node: NodeRecord,
  { task, ahead }: { readonly task: TaskRecord; readonly ahead: boolean },
): Needs | undefined {
  const { hints } = task.spec;
  const first = task.needs;
  if (hints.orNeeds === undefined) {
    if (!resourcesFree(state, node, task) || !hasThreads(node, task, { needs: first, ahead }))
      return undefined;
    return hasMemory(state, node, task) ? first : undefined;
  }
  const fits = waysOf(hints).find(
    (needs) =>
      couldRun(node, needs) &&
      resourcesFree(state, node, { needs }) &&
      hasThreads(node, task, { needs, ahead }),
  );
  return fits !== undefined && hasMemory(state, node, task) ? fits : undefined;
}

/** Whether others must not go before it at a node that has no room for it yet: what takes several threads or
 * much memory would wait for ever behind small tasks. */
export function keepsTurn(state: SchedulerState, node: NodeRecord, task: TaskRecord): boolean {
  if (!resourcesFree(state, node, task)) return false;
  return task.needs.threads > 1 || !hasMemory(state, node, task);
}
