/**
 * Owns what deadlines do: the less time is left, the earlier a task comes among those of its priority, and
 * one that is to be dropped when late isn't begun once its time has passed. All by the scheduler's own clock:
 * that of a node or client is never compared with it. Pure. Must not know: nodes, how tasks are placed.
 */
import { secondsOf } from './estimates.ts';
import { limits } from './limits.ts';
import { fail, schedulerError } from './lineage-core.ts';
import { isActive, type SchedulerState, send, type TaskRecord } from './scheduler-state.ts';

/** Takes in the deadlines of tasks just submitted, of which inputs come before their users: what a task is
 * made from must begin so much earlier. */
export function spreadDeadlines(state: SchedulerState, tasks: readonly TaskRecord[]): void {
  for (let index = tasks.length - 1; index >= 0; index--) {
    const task = tasks[index]!;
    const { deadlineMs } = task.spec.hints;
    const own = deadlineMs === undefined ? Number.POSITIVE_INFINITY : deadlineMs;
    const ends = Math.min(own, task.due + 1000 * secondsOf(state, task));
    if (ends === Number.POSITIVE_INFINITY) continue;
    // A task that is queued keeps its place.
    if (!isActive(task)) task.due = ends - 1000 * secondsOf(state, task);
    for (const input of task.inputs) {
      const due = task.due - 1000 * secondsOf(state, input);
      if (due < input.due && !isActive(input)) input.due = due;
    }
    if (deadlineMs !== undefined) state.deadlines.push({ task, deadlineMs });
  }
}

/** Whether the task isn't to be begun any more. */
export function isTooLate(state: SchedulerState, { spec }: TaskRecord): boolean {
  const { deadlineMs, dropIfLate } = spec.hints;
  return dropIfLate === true && deadlineMs !== undefined && state.now > deadlineMs;
}

/** Ends a task for which there is no time left. */
export function dropLate(state: SchedulerState, task: TaskRecord): void {
  const { phase, spec } = task;
  if (phase.name === 'assigned') send(state, phase.node, { type: 'abort', run: phase.run });
  state.lateness.dropped++;
  const late = state.now - spec.hints.deadlineMs!;
  const message = `task ${spec.key} was not begun: its deadline passed ${late} ms ago`;
  fail(state, task, schedulerError('late', message, spec.key), spec.key);
}

/** Far deadlines must not keep what has long ended. */
function forgetEnded({ deadlines, tasks }: SchedulerState): void {
  if (deadlines.entries.length <= 2 * tasks.size + limits.idleDeadlines) return;
  const live = deadlines.entries.filter(({ task }) => tasks.get(task.spec.key) === task);
  while (deadlines.first !== undefined) deadlines.pop();
  for (const entry of live) deadlines.push(entry);
}

/** Looks after the tasks whose deadlines have passed since it last looked. */
export function checkDeadlines(state: SchedulerState): void {
  const { deadlines } = state;
  forgetEnded(state);
  for (let { first } = deadlines; first !== undefined; { first } = deadlines) {
    const { task, deadlineMs } = first;
    if (deadlineMs >= state.now) return;
    deadlines.pop();
    if (state.tasks.get(task.spec.key) !== task || !isActive(task)) continue;
    const begun = task.phase.name === 'assigned' && task.phase.started;
    if (isTooLate(state, task) && !begun) dropLate(state, task);
    else state.lateness.missed++;
  }
}
