/**
 * Owns how a new scheduler comes to know what an earlier one knew: it takes the journal's records in, one
 * after the other, then waits for the nodes before it gives out any work. And the snapshot that stands for a
 * long journal. Replaying it and then records that it already contains changes nothing. Pure. Must not know:
 * how records are kept.
 */
import { assertNever, type ClientId, type TaskKey } from '../runtime/index.ts';
import { noteOffer } from './barren-core.ts';
import { register, releaseSome, want } from './client-core.ts';
import { expectHolders } from './coordination-core.ts';
import { restoreDataset } from './dataset-core.ts';
import { spreadDeadlines } from './deadline-core.ts';
import type { JournalRecord } from './journal-records.ts';
import { letGo } from './keeper-core.ts';
import { isKeeperOfValue } from './kept-values.ts';
import { limits } from './limits.ts';
import { fail, retire } from './lineage-core.ts';
import type { NodeInfo, TaskSpec } from './protocol.ts';
import { heed } from './said-core.ts';
import { createClient, createNode, isActive, noteLoad, type SchedulerState } from './scheduler-state.ts';

/** Takes in what an earlier scheduler recorded. */
export function onRecordReplayed(state: SchedulerState, record: JournalRecord): void {
  switch (record.type) {
    case 'node-known':
      expect(state, record.info);
      return;
    case 'node-forgotten':
      state.nodes.delete(record.node);
      return;
    case 'client-known': {
      const { client, secret, heard, kept } = record;
      const known = state.clients.get(client);
      if (known !== undefined) known.heard = heard;
      else state.clients.set(client, { ...createClient(secret), heard, kept, goneSince: state.now });
      return;
    }
    case 'client-forgotten':
      while (!releaseSome(state, record.client));
      state.clients.delete(record.client);
      return;
    case 'said': {
      const client = state.clients.get(record.client);
      if (client === undefined) return;
      client.heard = record.heard;
      heed(state, record.client, record.message);
      return;
    }
    case 'task-failed': {
      const task = state.tasks.get(record.key);
      if (task !== undefined && isActive(task)) fail(state, task, record.error, record.culprit);
      return;
    }
    case 'let-go': {
      const task = state.tasks.get(record.key);
      if (task === undefined) return;
      letGo(state, task);
      retire(state, [task]);
      return;
    }
    case 'tasks':
      for (const spec of record.tasks) {
        if (!state.tasks.has(spec.key)) register(state, record.owner, spec);
      }
      return;
    case 'wants':
      if (!state.clients.has(record.client)) return;
      for (const key of record.keys) if (state.tasks.has(key)) want(state, record.client, key);
      return;
    case 'announced':
      announce(state, record.client, record.keys);
      return;
    case 'dataset':
      restoreDataset(state, record.name, record.value);
      return;
    default:
      assertNever(record);
      return;
  }
}

/** A node that is said to be there is waited for. */
function expect(state: SchedulerState, info: NodeInfo): void {
  const node = createNode(info, state.now);
  node.awaySince = state.now;
  node.unconfirmed = undefined;
  state.nodes.set(info.node, node);
  noteOffer(state, info);
  noteLoad(state, node);
}

function announce(state: SchedulerState, id: ClientId, keys: readonly TaskKey[]): void {
  const client = state.clients.get(id);
  if (client === undefined) return;
  for (const key of keys) {
    const task = state.tasks.get(key);
    if (task === undefined || client.announced.has(task)) continue;
    client.announced.add(task);
    task.announced++;
  }
}

/** All that was recorded is known: the time that nodes and clients have for coming back begins. */
export function onJournalReplayed(state: SchedulerState): void {
  const tasks = [...state.tasks.values()];
  if (tasks.some(({ spec }) => spec.hints.deadlineMs !== undefined)) spreadDeadlines(state, tasks);
  // A snapshot names tasks that were given up while it was written.
  retire(state, tasks);
  for (const node of state.nodes.values()) node.awaySince = state.now;
  for (const client of state.clients.values()) client.goneSince = state.now;
  expectHolders(state);
  state.recoveringSince = state.nodes.size > 0 ? state.now : undefined;
}

/** Whether nothing may be placed yet: what nodes hold and run is being told, or may be in a moment. */
export function isRecovering(state: SchedulerState): boolean {
  const { recoveringSince, nodes, now } = state;
  if (recoveringSince === undefined) return false;
  if (now - recoveringSince <= limits.recoveryMs) {
    for (const { awaySince, unconfirmed } of nodes.values()) {
      if (awaySince !== undefined || unconfirmed !== undefined) return true;
    }
  }
  state.recoveringSince = undefined;
  return false;
}

/** What a new scheduler must know, read from the state as it goes on changing: what is recorded meanwhile
 * comes after it. */
export function* snapshotOf(state: SchedulerState): Generator<JournalRecord, void, void> {
  for (const { info } of state.nodes.values()) yield { type: 'node-known', info };
  for (const [client, { secret, heard, kept }] of state.clients) {
    if (!isKeeperOfValue(client)) yield { type: 'client-known', client, secret, heard, kept };
  }
  yield* tasksOf(state);
  for (const [client, { wants, announced }] of state.clients) {
    if (isKeeperOfValue(client)) continue;
    for (const keys of keysOf(wants)) yield { type: 'wants', client, keys };
    for (const keys of keysOf(announced)) yield { type: 'announced', client, keys };
  }
  for (const { spec, phase } of state.tasks.values()) {
    if (phase.name !== 'failed') continue;
    yield { type: 'task-failed', key: spec.key, error: phase.error, culprit: phase.culprit };
  }
  for (const [name, value] of state.datasets) yield { type: 'dataset', name, value };
}

/** In the order of their coming, in which inputs are before their users. */
function* tasksOf(state: SchedulerState): Generator<JournalRecord, void, void> {
  let tasks: TaskSpec[] = [];
  let owner: ClientId | undefined;
  let bytes = 0;
  for (const task of state.tasks.values()) {
    const full = tasks.length >= limits.recordTasks || bytes >= limits.recordBytes;
    if (owner !== undefined && tasks.length > 0 && (full || task.owner !== owner)) {
      yield { type: 'tasks', owner, tasks };
      tasks = [];
      bytes = 0;
    }
    owner = task.owner;
    tasks.push(task.spec);
    bytes += task.spec.args.byteLength;
  }
  if (owner !== undefined && tasks.length > 0) yield { type: 'tasks', owner, tasks };
}

function* keysOf(tasks: Iterable<{ readonly spec: TaskSpec }>): Generator<readonly TaskKey[], void, void> {
  let keys: TaskKey[] = [];
  for (const { spec } of tasks) {
    keys.push(spec.key);
    if (keys.length < limits.recordTasks) continue;
    yield keys;
    keys = [];
  }
  if (keys.length > 0) yield keys;
}
