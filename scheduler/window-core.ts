/**
 * Owns the bounded windows: of the tasks of one group (`maxInFlight`) only so many are under way at a time,
 * from their placement until their results are released; the others wait in order of rank. A task's own
 * inputs don't count against it, or a chain within a group would wait for itself. Pure. Must not know: nodes.
 */
import { nothingPlanned } from './incoming-core.ts';
import { setPhase } from './lineage-core.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';
import { type Window, windowOf } from './window-state.ts';

function hasRoom({ members }: Window, task: TaskRecord): boolean {
  const { limit } = task.spec.hints.maxInFlight!;
  let others = members.size;
  for (const input of task.inputs) if (members.has(input)) others--;
  // A window of nothing would never move.
  return others < Math.max(1, limit);
}

/** Whether a ready task may be placed; otherwise it has been put before its window. */
export function isAdmitted(state: SchedulerState, task: TaskRecord): boolean {
  const { maxInFlight } = task.spec.hints;
  if (maxInFlight === undefined || task.phase.name !== 'ready') return true;
  const { group } = maxInFlight;
  const window = windowOf(state, group);
  if (window.members.has(task)) return true;
  window.waiting.push(task, task.phase);
  state.openedWindows.add(group);
  return false;
}

/** Another phase, so that the entry in the queue before the window is stale. */
function letIn(state: SchedulerState, window: Window, task: TaskRecord): TaskRecord {
  window.members.add(task);
  const phase = { name: 'ready', parked: undefined, seconds: 0, plan: nothingPlanned } as const;
  setPhase(state, task, phase, `in flight with ${window.members.size - 1} others of its group`);
  return task;
}

/** The tasks that enter windows in which there is room. */
export function takeAdmitted(state: SchedulerState): TaskRecord[] {
  if (state.openedWindows.size === 0) return [];
  const admitted: TaskRecord[] = [];
  for (const group of state.openedWindows) {
    const window = windowOf(state, group);
    let next = window.waiting.peek();
    while (next !== undefined && hasRoom(window, next)) {
      admitted.push(letIn(state, window, next));
      next = window.waiting.peek();
    }
    if (next === undefined && window.members.size === 0) state.windows.delete(group);
  }
  state.openedWindows.clear();
  return admitted;
}

/** When nothing runs anywhere and a full window holds only results that others of its group must join before
 * anything goes on, one more is let in: a bound that can't be kept must not stop everything. */
export function forceWindows(state: SchedulerState): void {
  if (state.windows.size === 0 || state.counts.assigned > 0 || state.fresh.length > 0) return;
  for (const [group, window] of state.windows) {
    const next = window.waiting.peek();
    if (next === undefined || state.openedWindows.has(group)) continue;
    let needed = false;
    let stuck = true;
    for (const { phase, waiters } of window.members) {
      if (phase.name !== 'held') stuck = false;
      if (waiters > 0) needed = true;
    }
    if (stuck && needed) state.fresh.push(letIn(state, window, next));
  }
}
