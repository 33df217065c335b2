/**
 * Owns the published data sets: the names under which clients leave results for one another, kept until
 * somebody unpublishes them. Pure. Must not know: what the values are.
 */
import { assertNever, type ClientId, clientId } from '../runtime/index.ts';
import { keeperOf } from './keeper-core.ts';
import { limits } from './limits.ts';
import { retire, tellFailed, tellHeld } from './lineage-core.ts';
import type { ToClient, ToScheduler } from './protocol.ts';
import { notify, type SchedulerState } from './scheduler-state.ts';

export type DatasetRequest = Extract<
  ToScheduler,
  { type: 'publish' | 'unpublish' | 'get-dataset' | 'list-datasets' }
>;
export type Dataset = Extract<DatasetRequest, { type: 'publish' }>['value'];
type Answer = Omit<Extract<ToClient, { type: 'dataset-answer' }>, 'type' | 'request'>;

export function onDatasetRequest(state: SchedulerState, client: ClientId, message: DatasetRequest): void {
  const answer = (about: Answer): void => {
    notify(state, client, { type: 'dataset-answer', request: message.request, ...about });
  };
  switch (message.type) {
    case 'publish':
      answer(publish(state, message));
      return;
    case 'unpublish':
      answer(unpublish(state, message.name));
      return;
    case 'get-dataset': {
      const value = state.datasets.get(message.name);
      answer(value === undefined ? unknown(message.name) : { value });
      if (value !== undefined) want(state, client, value);
      return;
    }
    case 'list-datasets':
      answer({ names: [...state.datasets.keys()].sort() });
      return;
    default:
      assertNever(message);
  }
}

function problem(code: string, message: string): Answer {
  return { problem: { code, message } };
}

function unknown(name: string): Answer {
  return problem('no-such-dataset', `no data set ${name} is published`);
}

function keeperId(name: string): ClientId {
  return clientId(`#dataset ${name}`);
}

function publish(
  state: SchedulerState,
  { name, value }: Extract<DatasetRequest, { type: 'publish' }>,
): Answer {
  if (state.datasets.has(name)) {
    return problem('dataset-exists', `a data set ${name} is published already: unpublish it first`);
  }
  if (state.datasets.size >= limits.datasets) {
    return problem('too-many-datasets', `${limits.datasets} data sets are published: unpublish some`);
  }
  const lost = value.keys.find((key) => !state.tasks.has(key));
  if (lost !== undefined) {
    return problem('unknown-input', `no task ${lost} is known (released already?)`);
  }
  state.datasets.set(name, value);
  keeperOf(state, keeperId(name));
  want(state, keeperId(name), value);
  return {};
}

/** A data set of an earlier scheduler; its tasks and its keeper's wants are known already. */
export function restoreDataset(state: SchedulerState, name: string, value: Dataset): void {
  if (state.datasets.has(name) || !value.keys.every((key) => state.tasks.has(key))) return;
  state.datasets.set(name, value);
  keeperOf(state, keeperId(name));
  want(state, keeperId(name), value);
}

function unpublish(state: SchedulerState, name: string): Answer {
  if (!state.datasets.delete(name)) return unknown(name);
  const id = keeperId(name);
  const tasks = [...state.clients.get(id)!.wants];
  state.clients.delete(id);
  for (const task of tasks) task.wantedBy.delete(id);
  retire(state, tasks);
  return {};
}

function want(state: SchedulerState, id: ClientId, { keys }: Dataset): void {
  const client = state.clients.get(id)!;
  for (const key of keys) {
    // Its keeper sees to it that it is known.
    const task = state.tasks.get(key)!;
    task.wantedBy.add(id);
    client.wants.add(task);
    tellHeld(state, task, new Set([id]));
    tellFailed(state, task, id);
  }
}
