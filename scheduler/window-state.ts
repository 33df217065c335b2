/**
 * Owns what is known of bounded windows: who is under way and who waits to be. Pure. Must not know: how tasks
 * are let in (window-core.ts).
 */
import { ReadyQueue } from './ready-queue.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

export interface Window {
  /** Parked, queued for a node, assigned or held. */
  readonly members: Set<TaskRecord>;
  readonly waiting: ReadyQueue<TaskRecord>;
}

export function windowOf(state: SchedulerState, group: string): Window {
  let window = state.windows.get(group);
  if (window === undefined) {
    window = { members: new Set(), waiting: new ReadyQueue() };
    state.windows.set(group, window);
  }
  return window;
}

/** A task of a group has changed its phase: it may have left its window, or be one whose run or result a node
 * brought with it. */
export function noteWindow(state: SchedulerState, task: TaskRecord): void {
  const { name } = task.phase;
  const { group } = task.spec.hints.maxInFlight!;
  if (name === 'assigned' || name === 'held') windowOf(state, group).members.add(task);
  else if (name !== 'ready' && state.windows.get(group)?.members.delete(task) === true) {
    state.openedWindows.add(group);
  }
}
