/**
 * Owns what a worker does about every event: `handle` takes the state from one event to the next and returns
 * what is to be done. Pure: no clock, no socket, no thread, no randomness; the same events give the same
 * instructions. The counterpart of scheduler/scheduler-core.ts. Must not know: connections, buffers, what any
 * task computes.
 */
import { assertNever, type Millis, type TaskKey } from '../runtime/index.ts';
import type { RunTrace, ToNode } from '../scheduler/protocol.ts';
import { limits } from './limits.ts';
import {
  datumOf,
  doom,
  fetchMore,
  firstWaiting,
  forgetMakers,
  hold,
  need,
  releaseNeeds,
  stopFetch,
  vanish,
} from './worker-data.ts';
import {
  capacityOf,
  type Datum,
  isOccupying,
  isPending,
  type Need,
  needsOf,
  type RunRecord,
  send,
  sourceOf,
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
  } else if (state.connected) {
    startReady(state);
    fetchMore(state);
  }
  return state.out;
}

function dispatch(state: WorkerState, event: WorkerEvent): void {
  switch (event.type) {
    case 'from-scheduler':
      if (state.connected) onMessage(state, event.message);
      return;
    case 'fetched':
      onFetched(state, event);
      return;
    case 'fetch-failed':
      onFetchFailed(state, event);
      return;
    case 'run-started': {
      const run = state.runs.get(event.run);
      if (run?.phase.name === 'running') send(state, { type: 'run-started', key: run.key, run: run.run });
      return;
    }
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
    case 'scheduler-joined':
      onSchedulerJoined(state);
      return;
    case 'scheduler-lost':
      onSchedulerLost(state);
      return;
    case 'stopping':
      retire(state);
      return;
    default:
      assertNever(event);
      return;
  }
}

function onMessage(state: WorkerState, message: ToNode): void {
  switch (message.type) {
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
        if (datum !== undefined) doom(state, datum);
      }
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

function onCompute(state: WorkerState, message: Extract<ToNode, { type: 'compute' }>): void {
  const { run, key, fn, args, hints, rank } = message;
  if (state.runs.has(run)) return;
  if (state.retiring) {
    send(state, { type: 'inputs-missing', key, run, inputs: [] });
    return;
  }
  const needs = new Map<TaskKey, Need>();
  for (const input of message.inputs) needs.set(input.key, { ...input, misses: new Map() });
  const fresh = {
    phase: { name: 'waiting', missing: 0 },
    bereft: false,
    localBytes: 0,
    remoteBytes: 0,
  } as const;
  const record: RunRecord = { run, key, fn, args, hints, rank, needs, ...fresh };
  state.runs.set(run, record);
  const absent = [...needs.values()].filter((wanted) => !need(state, wanted.key, record));
  record.phase = { name: 'waiting', missing: absent.length };
  let exhausted = false;
  for (const wanted of absent) if (!seek(state, record, wanted)) exhausted = true;
  if (exhausted) {
    giveBack(state, record);
  } else if (absent.length === 0) {
    record.phase = { name: 'ready' };
    state.ready.push(rank, record);
  }
}

/** Sees to it that an absent input will be fetched; false when no place is left to fetch it from. */
function seek(state: WorkerState, run: RunRecord, wanted: Need): boolean {
  // It is not here, whatever the scheduler believes.
  if (wanted.replicas.some(({ node }) => node === state.node)) wanted.misses.set(state.node, 'absent');
  if (sourceOf(wanted) === undefined) return false;
  const datum = datumOf(state, wanted.key);
  if (datum.phase.name === 'absent') state.toFetch.push(run.rank, datum);
  return true;
}

/** Ends a run that has not begun, and says which of its inputs could not be had from where. */
function giveBack(state: WorkerState, run: RunRecord): void {
  reportMissing(state, run);
  state.runs.delete(run.run);
  releaseNeeds(state, run);
}

function reportMissing(state: WorkerState, run: RunRecord): void {
  const inputs: { key: TaskKey; node: typeof state.node; reason: 'absent' | 'unreachable' }[] = [];
  for (const wanted of run.needs.values()) {
    if (state.data.get(wanted.key)?.phase.name === 'held') continue;
    for (const [node, reason] of wanted.misses) inputs.push({ key: wanted.key, node, reason });
  }
  send(state, { type: 'inputs-missing', key: run.key, run: run.run, inputs });
}

/** Takes a run back. One that has begun keeps its thread and its inputs until it has ended. */
function abort(state: WorkerState, run: RunRecord): void {
  if (run.phase.name === 'running') {
    run.phase = { name: 'ending' };
    state.out.push({ type: 'stop-run', run: run.run });
  } else if (isPending(run)) {
    state.runs.delete(run.run);
    releaseNeeds(state, run);
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
}

/** A datum did not come, or is gone: the runs that wait for it look elsewhere, or are given back. */
function seekAgain(state: WorkerState, datum: Datum, note: (wanted: Need) => void): void {
  for (const run of [...datum.neededBy]) {
    if (!isPending(run)) continue;
    const wanted = run.needs.get(datum.key)!;
    note(wanted);
    if (!seek(state, run, wanted)) giveBack(state, run);
  }
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

function onRunEnded(state: WorkerState, event: Of<'run-ended'>): void {
  const { outcome } = event;
  const run = state.runs.get(event.run);
  if (run?.phase.name !== 'running' && outcome.ok) state.out.push({ type: 'discard', run: event.run });
  if (run === undefined || !isOccupying(run)) return;
  state.occupied--;
  for (const [name, amount] of needsOf(run)) take(state, name, -amount);
  if (run.phase.name === 'running') {
    if (outcome.ok) {
      const bytes = keep(state, run, outcome.bytes);
      send(state, { type: 'run-done', key: run.key, run: run.run, bytes, trace: traceOf(state, run, event) });
    } else {
      reportFailed(state, run, { event, outcome });
    }
  }
  state.runs.delete(run.run);
  releaseNeeds(state, run);
}

/** Puts a result into the store and returns its size. A copy that lies there stays: others may be reading
 * it. */
function keep(state: WorkerState, run: RunRecord, bytes: number): number {
  const datum = datumOf(state, run.key);
  const { phase } = datum;
  if (phase.name === 'held') {
    state.out.push({ type: 'discard', run: run.run });
    // One that is announced on its own does not go when this run is aborted.
    if (phase.doomed) hold(state, datum, { bytes: phase.bytes, madeBy: run.run });
    return phase.bytes;
  }
  if (phase.name === 'fetching') stopFetch(state, datum);
  state.out.push({ type: 'keep', run: run.run, key: run.key });
  hold(state, datum, { bytes, madeBy: run.run });
  return bytes;
}

function reportFailed(
  state: WorkerState,
  run: RunRecord,
  end: { event: Of<'run-ended'>; outcome: Extract<Of<'run-ended'>['outcome'], { ok: false }> },
): void {
  if (run.bereft) {
    // Those that have come again meanwhile are not named.
    for (const { misses } of run.needs.values()) misses.set(state.node, 'absent');
    reportMissing(state, run);
    return;
  }
  const { error, retryable } = end.outcome;
  const trace = traceOf(state, run, end.event);
  send(state, { type: 'run-failed', key: run.key, run: run.run, error, retryable, trace });
}

function traceOf(state: WorkerState, run: RunRecord, event: Of<'run-ended'>): RunTrace {
  const { key, fn, localBytes, remoteBytes } = run;
  const { thread, startMs, endMs, outcome } = event;
  return {
    key,
    fn,
    node: state.node,
    site: state.site,
    thread,
    startMs,
    endMs,
    localBytes,
    remoteBytes,
    outcome: outcome.ok ? 'done' : 'failed',
  };
}

/** Starts ready runs in order. One that must wait for threads or a resource keeps them from those behind it,
 * but not others from them. When memory is short, one at a time. */
function startReady(state: WorkerState): void {
  const aside: RunRecord[] = [];
  const awaited = new Set<string>();
  while (aside.length < limits.lookAhead && !awaited.has('threads')) {
    if (state.pressed && state.occupied > 0) break;
    const run = state.ready.pop();
    if (run === undefined) break;
    if (run.phase.name !== 'ready' || state.runs.get(run.run) !== run) continue;
    const needs = needsOf(run).filter(([, amount]) => amount > 0);
    const lacking = needs.filter(([name, amount]) => amount > free(state, name)).map(([name]) => name);
    // When nothing runs, waiting would be for ever.
    const mustWait = lacking.length > 0 && state.occupied > 0;
    if (mustWait || needs.some(([name]) => awaited.has(name))) {
      for (const name of lacking) awaited.add(name);
      aside.push(run);
    } else {
      start(state, run);
    }
  }
  for (const run of aside) state.ready.push(run.rank, run);
}

function free(state: WorkerState, name: string): number {
  // Fractions such as 0.1 add up with errors.
  return capacityOf(state, name) - (state.used.get(name) ?? 0) + 1e-9;
}

function take(state: WorkerState, name: string, amount: number): void {
  state.used.set(name, state.occupied === 0 && amount <= 0 ? 0 : (state.used.get(name) ?? 0) + amount);
}

function start(state: WorkerState, record: RunRecord): void {
  record.phase = { name: 'running' };
  for (const [name, amount] of needsOf(record)) take(state, name, amount);
  state.occupied++;
  const { run, key, fn, args, hints, needs } = record;
  state.out.push({ type: 'start', run, key, fn, args, inputs: [...needs.keys()], hints });
}

/** Without the scheduler nothing new is begun. What runs may end, and its result be announced later. */
function onSchedulerLost(state: WorkerState): void {
  state.connected = false;
  for (const run of [...state.runs.values()]) if (isPending(run)) abort(state, run);
}

/** The scheduler takes all runs of the former connection for lost: none may go on beside its successor. */
function onSchedulerJoined(state: WorkerState): void {
  onSchedulerLost(state);
  for (const run of [...state.runs.values()]) abort(state, run);
  forgetMakers(state);
  state.connected = true;
  for (const { key, phase } of state.data.values()) {
    if (phase.name === 'held' && !phase.doomed)
      send(state, { type: 'replica-added', key, bytes: phase.bytes });
  }
  if (state.retiring) send(state, { type: 'retiring' });
}

/** Begins to leave: what runs may end; what has not begun is given back, to be done elsewhere meanwhile. */
function retire(state: WorkerState): void {
  if (state.retiring) return;
  state.retiring = true;
  send(state, { type: 'retiring' });
  for (const run of [...state.runs.values()]) if (isPending(run)) giveBack(state, run);
}

function leaveWhenDone(state: WorkerState): void {
  // Nobody would hear of what runs on without a scheduler; what is ending ends then too.
  const running = [...state.runs.values()].some(({ phase }) => phase.name === 'running');
  if (state.connected && running) return;
  state.left = true;
  state.out.push({ type: 'leave' });
}
