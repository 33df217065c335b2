/**
 * Owns the word under which a task stays together with others: its author's, or with `together: 'roots'` the
 * root from which it comes. The bond is soft: it breaks where it costs more than it brings, and moves with
 * the group when a node is lost. Pure. Must not know: what nodes cost.
 */
import { limits } from './limits.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

/** Asks for groups by what tasks are made from. */
const byRoots = 'roots';

export function togetherWord(state: SchedulerState, task: TaskRecord): string | undefined {
  const { together } = task.spec.hints;
  return together === byRoots ? rootOf(state, task) : together;
}

/** The root at the end of the first inputs: what is joined stays with the first that it joins. */
function rootOf(state: SchedulerState, task: TaskRecord): string {
  const { roots } = state;
  let at = task;
  for (let step = 0; step < limits.rootSteps && at.inputs.length > 0; step++) {
    const known = roots.get(at);
    if (known !== undefined) break;
    at = at.inputs[0]!;
  }
  const root = roots.get(at) ?? at.spec.key;
  roots.set(task, root);
  return root;
}
