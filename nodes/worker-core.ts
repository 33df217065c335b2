/**
 * Owns what a worker does about every event: `handle` takes the state from one event to the next and returns
 * what is to be done. Pure: no clock, no socket, no thread, no randomness; the same events give the same
 * instructions. The counterpart of scheduler/scheduler-core.ts. Must not know: connections, buffers, what any
 * task computes.
 */
import { assertNever, type Millis, type TaskKey } from '../runtime/index.ts';
import type { TaskOrder } from '../scheduler/protocol.ts';
import { onRunPaused } from './pause-core.ts';
import { announce } from './worker-announce.ts';
import { cancelCopy, copyFailed, onCopy, onPushed } from './worker-copies.ts';
import { doom, fetchMore, firstWaiting, hold, vanish } from './worker-data.ts';
import { abort, giveBack, onCompute, onRunEnded, seekAgain, startReady } from './worker-runs.ts';
import {
  isPending,
  send,
  type WorkerEvent,
  type WorkerInstruction,
  type WorkerState,
} from './worker-state.ts';

type Of<T extends WorkerEvent['type']> = Extract<WorkerEvent, { type: T }>;

/** Takes one event in at the time `now` (which never goes back) and returns the instructions that follow. */
export function handle(state: WorkerState, event: WorkerEvent, now: Millis): WorkerInstruction[] {
  state.now = now;
  state.out = [];
  if (state.left) return state.out;
  dispatch(state, event);
  if (state.left) return state.out;
  if (state.forgotten.length > 0) {
    state.out.push({ type: 'forget', keys: state.forgotten });
    state.forgotten = [];
  }
  if (state.retiring) {
    leaveWhenDone(state);
  } else {
    startReady(state);
    fetchMore(state);
  }
  return state.out;
}

function dispatch(state: WorkerState, event: WorkerEvent): void {
  switch (event.type) {
    case 'from-scheduler':
      // One that is not welcomed yet is not listened to, unless it refuses this node.
      if (state.connected || startsConnection(event.message)) onMessage(state, event.message);
      return;
    case 'fetched':
      onFetched(state, event);
      return;
    case 'fetch-failed':
      onFetchFailed(state, event);
      return;
    case 'pushed':
      onPushed(state, event);
      return;
    case 'run-started': {
      const run = state.runs.get(event.run);
      if (run?.phase.name === 'running') send(state, { type: 'run-started', key: run.key, run: run.run });
      return;
    }
    case 'run-paused':
      onRunPaused(state, event);
      return;
    case 'run-ended':
      onRunEnded(state, event);
      return;
    case 'datum-lost':
      onDatumLost(state, event.key);
      return;
    case 'memory-noted':
      state.pressed = event.pressed;
      return;
    case 'ticked': {
      const { storedBytes, rssBytes } = event;
      send(state, { type: 'heartbeat', storedBytes, rssBytes, running: state.occupied });
      return;
    }
    case 'actors-noted':
      state.actors = event.living;
      return;
    case 'scheduler-lost':
      // What was given to this node goes on: it will be told of when the scheduler, or another, is there.
      state.connected = false;
      return;
    case 'stopping':
      retire(state);
      return;
    default:
      assertNever(event);
      return;
  }
}

function startsConnection({ type }: TaskOrder): boolean {
  return type === 'welcome' || type === 'refused';
}

function onMessage(state: WorkerState, message: TaskOrder): void {
  switch (message.type) {
    case 'welcome':
      onWelcome(state, message.epoch);
      return;
    case 'compute':
      onCompute(state, message);
      return;
    case 'abort': {
      const run = state.runs.get(message.run);
      if (run !== undefined) abort(state, run);
      const made = state.made.get(message.run);
      if (made !== undefined) doom(state, made);
      return;
    }
    case 'drop':
      for (const key of message.keys) {
        const datum = state.data.get(key);
        if (datum === undefined) continue;
        doom(state, datum);
        cancelCopy(state, datum);
      }
      return;
    case 'copy':
      onCopy(state, message);
      return;
    case 'dismiss':
      state.dismissed = true;
      return;
    case 'retire':
      retire(state);
      return;
    case 'refused':
      state.left = true;
      state.out.push({ type: 'leave', error: message.error });
      return;
    default:
      assertNever(message);
      return;
  }
}

function onFetched(state: WorkerState, { key, bytes, from, ms }: Of<'fetched'>): void {
  const datum = state.data.get(key);
  if (datum === undefined) {
    // It came although it was cancelled, and nobody knows it.
    state.forgotten.push(key);
    return;
  }
  const { phase } = datum;
  if (phase.name === 'held') return;
  // A cancelled fetch from elsewhere was faster than the one under way.
  if (phase.name === 'fetching' && phase.from.node !== from) state.out.push({ type: 'cancel-fetch', key });
  const run = firstWaiting(datum);
  const place = run?.needs.get(key)?.replicas.find(({ node }) => node === from);
  const site = phase.name === 'fetching' && phase.from.node === from ? phase.from.site : place?.site;
  if (run !== undefined) {
    if (site === undefined || site === state.site) run.localBytes += bytes;
    else run.remoteBytes += bytes;
  }
  hold(state, datum, { bytes, madeBy: undefined });
  send(state, { type: 'replica-added', key, bytes, from, fetchMs: ms });
}

function onFetchFailed(state: WorkerState, { key, from, reason }: Of<'fetch-failed'>): void {
  const datum = state.data.get(key);
  if (datum?.phase.name !== 'fetching' || datum.phase.from.node !== from) return;
  state.fetching--;
  datum.phase = { name: 'absent' };
  seekAgain(state, datum, (wanted) => {
    if (wanted.replicas.some(({ node }) => node === from)) wanted.misses.set(from, reason);
  });
  copyFailed(state, datum, { from, reason });
}

function onDatumLost(state: WorkerState, key: TaskKey): void {
  const datum = state.data.get(key);
  if (datum?.phase.name !== 'held') return;
  if (!datum.phase.doomed) send(state, { type: 'replica-lost', key });
  vanish(state, datum);
  for (const run of datum.neededBy) {
    if (run.phase.name === 'waiting') run.phase.missing++;
    else if (run.phase.name === 'ready') run.phase = { name: 'waiting', missing: 1 };
    else run.bereft = true;
  }
  seekAgain(state, datum, () => undefined);
}

/** A scheduler is there. One that was replaced is not worked for again: its successor has given out the same
 * tasks. */
function onWelcome(state: WorkerState, epoch: number): void {
  state.connected = false;
  if (epoch < state.epoch) {
    const reason = `a scheduler of epoch ${epoch} came after one of epoch ${state.epoch}`;
    state.out.push({ type: 'hang-up', reason });
    return;
  }
  state.epoch = epoch;
  state.connected = true;
  announce(state);
}

/** Begins to leave: what runs may end; what has not begun is given back, to be done elsewhere meanwhile. */
function retire(state: WorkerState): void {
  if (state.retiring) return;
  state.retiring = true;
  send(state, { type: 'retiring' });
  for (const run of [...state.runs.values()]) if (isPending(run)) giveBack(state, run);
  for (const datum of [...state.data.values()]) cancelCopy(state, datum);
}

function leaveWhenDone(state: WorkerState): void {
  // Nobody would hear of what runs on without a scheduler; what is ending ends then too.
  const running = [...state.runs.values()].some(({ phase }) => phase.name === 'running');
  if (state.connected && (running || state.actors > 0 || !state.dismissed)) return;
  state.left = true;
  state.out.push({ type: 'leave' });
}
