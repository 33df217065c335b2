/**
 * Owns the threads of runs that wait for tasks of their own: given back while they wait, or a node whose runs
 * all wait could not run what they wait for. Other resources stay theirs. Pure. Must not know: who submits
 * tasks from inside a run.
 */
import {
  type AssignedPhase,
  type NodeRecord,
  noteLoad,
  type SchedulerState,
  type TaskRecord,
} from './scheduler-state.ts';

export function onRunPaused(
  state: SchedulerState,
  node: NodeRecord,
  {
    task,
    phase,
    paused,
  }: { readonly task: TaskRecord; readonly phase: AssignedPhase; readonly paused: boolean },
): void {
  if ((phase.paused ?? false) === paused) return;
  phase.paused = paused;
  node.usedThreads += paused ? -task.needs.threads : task.needs.threads;
  noteLoad(state, node);
  state.dirty.add(node);
}
