/**
 * Owns the question whether a node has room for a task now: its threads. Pure. Must not know:
 * which task should go first.
 */
import { assumptions } from './limits.ts';
import type { NodeRecord, TaskRecord } from './scheduler-state.ts';

export function fullness(node: NodeRecord): number {
  return (node.usedThreads + node.parkedCount) / Math.max(1, node.info.threads);
}

/** Whether the node has threads for the task now; `ahead`: also when it would not begin at once. */
export function hasThreads(node: NodeRecord, task: TaskRecord, ahead: boolean): boolean {
  const after = node.usedThreads + node.reserved.threads + task.needs.threads;
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
