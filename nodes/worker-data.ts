/**
 * Owns the data of a worker: how they come to be held, needed, given up and fetched. A datum that some run
 * needs is never forgotten under it: it is doomed, and goes with the last such run. Whatever the scheduler
 * counts on here was announced by `run-done` or `replica-added` and is taken back by `replica-lost`, in
 * order, so that it is right about this node whatever crosses on the way. Pure. Must not know: how runs are
 * chosen.
 */
import type { RunId, TaskKey } from '../runtime/index.ts';
import { limits } from './limits.ts';
import { type Datum, type RunRecord, send, sourceOf, type WorkerState } from './worker-state.ts';

/** The record of a datum, made if there is none. */
export function datumOf(state: WorkerState, key: TaskKey): Datum {
  let datum = state.data.get(key);
  if (datum === undefined) {
    datum = { key, phase: { name: 'absent' }, neededBy: new Set(), ordered: undefined };
    state.data.set(key, datum);
  }
  return datum;
}

export function tidy(state: WorkerState, datum: Datum): void {
  const { phase, neededBy, ordered } = datum;
  if (phase.name === 'absent' && neededBy.size === 0 && ordered === undefined) state.data.delete(datum.key);
}

/** The datum lies in the store: runs that wait for it may become ready. */
export function hold(
  state: WorkerState,
  datum: Datum,
  { bytes, madeBy }: { readonly bytes: number; readonly madeBy: RunId | undefined },
): void {
  const { phase } = datum;
  if (phase.name === 'fetching') state.fetching--;
  if (phase.name === 'held' && phase.madeBy !== undefined) state.made.delete(phase.madeBy);
  datum.ordered = undefined;
  datum.phase = { name: 'held', bytes, madeBy, doomed: false };
  if (madeBy !== undefined) state.made.set(madeBy, datum);
  if (phase.name === 'held') return;
  for (const run of datum.neededBy) {
    if (run.phase.name === 'waiting' && --run.phase.missing === 0) {
      run.phase = { name: 'ready' };
      run.readyMs = state.now;
      state.ready.push(run.rank, run);
    }
  }
}

/** Notes that a run needs a datum; true if it is held. One that was to be forgotten stays after all. */
export function need(state: WorkerState, key: TaskKey, run: RunRecord): boolean {
  const datum = datumOf(state, key);
  datum.neededBy.add(run);
  const { phase } = datum;
  if (phase.name !== 'held') return false;
  if (phase.doomed) {
    datum.phase = { ...phase, doomed: false };
    send(state, { type: 'replica-added', key, bytes: phase.bytes });
  }
  return true;
}

/** The run is over, or will never begin: its inputs may go if they are doomed, or stop coming. */
export function releaseNeeds(state: WorkerState, run: RunRecord): void {
  for (const key of run.needs.keys()) {
    const datum = state.data.get(key);
    if (datum?.neededBy.delete(run) !== true) continue;
    const awaited = datum.ordered !== undefined || firstWaiting(datum) !== undefined;
    if (datum.phase.name === 'fetching' && !awaited) stopFetch(state, datum);
    if (datum.phase.name === 'held' && datum.phase.doomed && datum.neededBy.size === 0) forget(state, datum);
    tidy(state, datum);
  }
}

export function stopFetch(state: WorkerState, datum: Datum): void {
  state.fetching--;
  datum.phase = { name: 'absent' };
  state.out.push({ type: 'cancel-fetch', key: datum.key });
}

/** The scheduler no longer counts on the datum: it goes now, or when the last run that needs it ends. */
export function doom(state: WorkerState, datum: Datum): void {
  const { phase, key } = datum;
  if (phase.name !== 'held' || phase.doomed) return;
  send(state, { type: 'replica-lost', key });
  datum.phase = { ...phase, doomed: true };
  if (datum.neededBy.size === 0) forget(state, datum);
}

function forget(state: WorkerState, datum: Datum): void {
  vanish(state, datum);
  state.forgotten.push(datum.key);
}

/** No `abort` of an earlier connection will come: what was made here is a copy like any other, but for the
 * results of the runs to be spared. */
export function forgetMakers(state: WorkerState, spared: ReadonlySet<RunId>): void {
  for (const [run, datum] of state.made) {
    if (spared.has(run)) continue;
    if (datum.phase.name === 'held') datum.phase = { ...datum.phase, madeBy: undefined };
    state.made.delete(run);
  }
}

/** The datum is no longer in the store. */
export function vanish(state: WorkerState, datum: Datum): void {
  const { phase } = datum;
  if (phase.name === 'held' && phase.madeBy !== undefined) state.made.delete(phase.madeBy);
  datum.phase = { name: 'absent' };
  tidy(state, datum);
}

/** Begins fetches in the order of the runs that need them while there is room. When memory is short they come
 * one by one, and only if nothing runs that might free some. */
export function fetchMore(state: WorkerState): void {
  const whenPressed = state.occupied > 0 ? 0 : 1;
  const room = state.pressed ? whenPressed : limits.fetchesInFlight;
  while (state.fetching < room) {
    const datum = state.toFetch.pop();
    if (datum === undefined) return;
    const first = firstWaiting(datum);
    // Queued twice, or no longer needed; the record may even be one that was given up.
    const wanted = first?.needs.get(datum.key) ?? datum.ordered;
    if (datum.phase.name !== 'absent' || wanted === undefined) continue;
    const from = sourceOf(wanted)!;
    datum.phase = { name: 'fetching', from };
    state.fetching++;
    state.out.push({ type: 'fetch', key: datum.key, bytes: wanted.bytes, from });
  }
}

/** Of the runs that wait for the datum, the one that comes first. */
export function firstWaiting(datum: Datum): RunRecord | undefined {
  let first: RunRecord | undefined;
  for (const run of datum.neededBy) {
    if (run.phase.name === 'waiting' && (first === undefined || run.rank < first.rank)) first = run;
  }
  return first;
}
