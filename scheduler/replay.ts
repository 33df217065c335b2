/**
 * Owns the replay of a recorded log: the state after its events. Pure. Must not know: who wants it.
 */
import type { LogEntry } from './black-box.ts';
import { handle } from './scheduler-core.ts';
import { createState, type SchedulerState } from './scheduler-state.ts';

/** The state after the events of a log that starts with the first event (`log.complete`). */
export function replay(log: readonly LogEntry[], firstRun: number): SchedulerState {
  const state = createState(firstRun);
  for (const { event, now } of log) handle(state, event, now);
  return state;
}
