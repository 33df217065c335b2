/**
 * Owns the answers to "what happened to this task" and "why is it not running". Pure. Must not know: who
 * asks.
 */
import type { TaskKey } from '../runtime/index.ts';
import { placementCosts, whyReady } from './explain-placement.ts';
import type { SchedulerState } from './scheduler-state.ts';

/** One task's life as far as it is remembered: a line for each change of phase, oldest first. */
export function story(state: SchedulerState, key: TaskKey): string[] {
  return state.transitions
    .of(key)
    .map(({ seq, now, from, to, detail }) => `#${seq} at ${now} ms: ${from} -> ${to} (${detail})`);
}

/** Why a task is where it is, in one line. */
export function explain(state: SchedulerState, key: TaskKey): string {
  const task = state.tasks.get(key);
  if (task === undefined) return `${key} is not known: never submitted, or released`;
  const { phase } = task;
  switch (phase.name) {
    case 'released':
      return `${key} is kept only so that results made from it can be made again`;
    case 'waiting': {
      const absent = task.inputs.filter((input) => input.phase.name !== 'held');
      const few = absent.slice(0, 3).map((input) => `${input.spec.key} (${input.phase.name})`);
      return `${key} waits for ${absent.length} inputs: ${few.join(', ')}${absent.length > 3 ? ', ...' : ''}`;
    }
    case 'ready': {
      const costs = placementCosts(state, task);
      const weighed = costs.length > 0 ? `; would cost ${costs.join(', ')}` : '';
      return `${key} is ready; ${whyReady(state, task)}${weighed}`;
    }
    case 'assigned': {
      const verb = phase.started ? 'runs' : 'is queued';
      return `${key} ${verb} on ${phase.node} since ${phase.since} ms as run ${phase.run}`;
    }
    case 'held':
      return `${key} is held (${phase.bytes} bytes) on ${[...phase.replicas].join(', ')}`;
    case 'failed': {
      const cause = phase.culprit === key ? '' : ` because ${phase.culprit} failed`;
      return `${key} failed${cause}: ${phase.error.message}`;
    }
  }
}
