/**
 * Owns the values that wait in queues, on boards and in answers: results that they name are kept alive as
 * long. Pure. Must not know: queues and boards.
 */
import { type ClientId, clientId } from '../runtime/index.ts';
import type { CoordinationValue, Kept } from './coordination-state.ts';
import { keeperOf } from './keeper-core.ts';
import { retire } from './lineage-core.ts';
import type { SchedulerState } from './scheduler-state.ts';

const prefix = '#kept ';

/** Keeps a value, or names the result in it that is not known any more. */
export function keep(state: SchedulerState, value: CoordinationValue): Kept | { readonly unknown: string } {
  const unknown = value.keys.find((key) => !state.tasks.has(key));
  if (unknown !== undefined) return { unknown };
  if (value.keys.length === 0) return { value, keeper: undefined };
  const keeper = clientId(`${prefix}${state.coordination.nextKeeper++}`);
  const { wants } = keeperOf(state, keeper);
  for (const key of value.keys) {
    const task = state.tasks.get(key)!;
    task.wantedBy.add(keeper);
    wants.add(task);
  }
  return { value, keeper };
}

/** Whether a record among those of clients is a keeper of these: what waits in queues and on boards goes with
 * its scheduler, and so do they. */
export function isKeeperOfValue(id: ClientId): boolean {
  return id.startsWith(prefix);
}

/** Forgets a value that nobody here needs any longer. */
export function letGoOf(state: SchedulerState, kept: Kept | undefined): void {
  const keeper = kept?.keeper;
  const record = keeper === undefined ? undefined : state.clients.get(keeper);
  if (record === undefined) return;
  const tasks = [...record.wants];
  state.clients.delete(keeper!);
  for (const task of tasks) task.wantedBy.delete(keeper!);
  retire(state, tasks);
}
