/**
 * Owns what is wanted without a client: tasks that are to run to their end though nobody waits (`forget`),
 * and published data sets. Each has a keeper, a record among those of clients that is never connected and
 * never goes. Pure. Must not know: connections, who published what.
 */
import { type ClientId, clientId, type TaskKey } from '../runtime/index.ts';
import {
  type ClientRecord,
  createClient,
  isActive,
  record,
  type SchedulerState,
  type TaskRecord,
} from './scheduler-state.ts';

const forgotten = clientId('#forgotten');

/** The record of a keeper; made when first asked for. */
export function keeperOf(state: SchedulerState, id: ClientId): ClientRecord {
  let keeper = state.clients.get(id);
  if (keeper === undefined) {
    keeper = { ...createClient(), kept: true, goneSince: state.now };
    state.clients.set(id, keeper);
  }
  return keeper;
}

/** Has tasks run to their ends whoever releases them. */
export function onForget(state: SchedulerState, keys: readonly TaskKey[]): void {
  for (const key of keys) {
    const task = state.tasks.get(key);
    if (task === undefined || !isActive(task)) continue;
    task.wantedBy.add(forgotten);
    keeperOf(state, forgotten).wants.add(task);
  }
}

/** A task has ended: whoever only wanted it to run wants it no longer. */
export function letGo(state: SchedulerState, task: TaskRecord): void {
  if (!task.wantedBy.delete(forgotten)) return;
  state.clients.get(forgotten)?.wants.delete(task);
  record(state, { type: 'let-go', key: task.spec.key });
}
