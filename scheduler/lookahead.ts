/**
 * Owns the look one step ahead: where what a task makes will be drawn to, because other inputs of its users
 * lie or will lie there. Pure. Must not know: where the task itself then goes.
 */
import { expectedBytes } from './estimates.ts';
import { limits } from './limits.ts';
import type { NodeRecord, SchedulerState, TaskRecord } from './scheduler-state.ts';

/** So many bytes will have to be moved to or from the node unless the task runs there. */
export interface Pull {
  readonly node: NodeRecord;
  readonly bytes: number;
}

const none: readonly Pull[] = [];

/** Where a result lies or will lie. */
function placeOf(state: SchedulerState, { phase }: TaskRecord): NodeRecord | undefined {
  if (phase.name === 'held') for (const id of phase.replicas) return state.nodes.get(id);
  if (phase.name === 'assigned') return state.nodes.get(phase.node);
  if (phase.name === 'ready' && phase.parked !== undefined) return state.nodes.get(phase.parked);
  return undefined;
}

export function pullsOf(state: SchedulerState, task: TaskRecord): readonly Pull[] {
  if (task.waiters === 0) return none;
  const made = expectedBytes(state, task) ?? 0;
  if (made < limits.pulledBytes) return none;
  let pulls: Pull[] | undefined;
  let users = 0;
  for (const user of task.dependents) {
    if (++users > limits.usersAhead) break;
    if (user.phase.name !== 'waiting' || user.inputs.length < 2) continue;
    let heaviest: Pull | undefined;
    for (let index = 0; index < Math.min(user.inputs.length, limits.inputsAhead); index++) {
      const other = user.inputs[index]!;
      const node = other === task ? undefined : placeOf(state, other);
      if (node === undefined) continue;
      const bytes = Math.min(made, expectedBytes(state, other) ?? 0);
      if (heaviest === undefined || bytes > heaviest.bytes) heaviest = { node, bytes };
    }
    if (heaviest === undefined || heaviest.bytes < limits.pulledBytes) continue;
    pulls ??= [];
    pulls.push(heaviest);
  }
  return pulls ?? none;
}
