/**
 * Owns the runs of a worker from the order to the report: they wait for their inputs, start in order as there
 * is room, end, are given back or taken back. Pure. Must not know: connections, how data are fetched.
 */
import type { TaskKey } from '../runtime/index.ts';
import type { RunTrace, ToNode } from '../scheduler/protocol.ts';
import { limits } from './limits.ts';
import { datumOf, hold, need, releaseNeeds, stopFetch } from './worker-data.ts';
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
  type WorkerState,
} from './worker-state.ts';

type RunEnded = Extract<WorkerEvent, { type: 'run-ended' }>;

export function onCompute(state: WorkerState, message: Extract<ToNode, { type: 'compute' }>): void {
  const { run, key, fn, args, hints, rank, wary = false } = message;
  if (state.runs.has(run)) return;
  if (state.retiring) {
    send(state, { type: 'inputs-missing', key, run, inputs: [] });
    return;
  }
  const needs = new Map<TaskKey, Need>();
  const inlined = new Map<TaskKey, Uint8Array>();
  for (const input of message.inputs) {
    if (input.inline === undefined) needs.set(input.key, { ...input, misses: new Map() });
    else inlined.set(input.key, input.inline);
  }
  const inputs = message.inputs.map((input) => input.key);
  const fresh = {
    takes: needsOf(hints),
    phase: { name: 'waiting', missing: 0 },
    bereft: false,
    pause: 'never',
    localBytes: 0,
    remoteBytes: 0,
    givenMs: state.now,
    readyMs: state.now,
    startedMs: state.now,
  } as const;
  const record: RunRecord = { run, key, fn, args, hints, rank, needs, inputs, inlined, wary, ...fresh };
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
export function giveBack(state: WorkerState, run: RunRecord): void {
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
export function abort(state: WorkerState, run: RunRecord): void {
  if (run.phase.name === 'running') {
    run.phase = { name: 'ending' };
    state.out.push({ type: 'stop-run', run: run.run });
  } else if (isPending(run)) {
    state.runs.delete(run.run);
    releaseNeeds(state, run);
  }
}

/** A datum did not come, or is gone: the runs that wait for it look elsewhere, or are given back. */
export function seekAgain(state: WorkerState, datum: Datum, note: (wanted: Need) => void): void {
  for (const run of [...datum.neededBy]) {
    if (!isPending(run)) continue;
    const wanted = run.needs.get(datum.key)!;
    note(wanted);
    if (!seek(state, run, wanted)) giveBack(state, run);
  }
}

export function onRunEnded(state: WorkerState, event: RunEnded): void {
  const { outcome } = event;
  const run = state.runs.get(event.run);
  if (run?.phase.name !== 'running' && outcome.ok) state.out.push({ type: 'discard', run: event.run });
  if (run === undefined || !isOccupying(run)) return;
  if (run.pause === 'now') state.paused--;
  else state.occupied--;
  for (const [name, amount] of run.takes) take(state, name, -amount);
  if (run.phase.name === 'running') {
    if (outcome.ok) {
      learn(state, run.fn, event.endMs - event.startMs);
      const { key, hints } = run;
      const bytes = keep(state, run, outcome.bytes);
      const inline = hints.stay === true ? undefined : outcome.inline;
      const trace = traceOf(state, run, event);
      const done = { type: 'run-done', key, run: run.run, bytes, trace } as const;
      send(state, inline === undefined ? done : { ...done, inline });
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
  end: { event: RunEnded; outcome: Extract<RunEnded['outcome'], { ok: false }> },
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

function traceOf(state: WorkerState, run: RunRecord, event: RunEnded): RunTrace {
  const { key, fn, localBytes, remoteBytes } = run;
  const { thread, startMs, endMs, outcome, memory } = event;
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
    fetchMs: Math.round(run.readyMs - run.givenMs),
    queueMs: Math.round(run.startedMs - run.readyMs),
    ...memory,
    outcome: outcome.ok ? 'done' : 'failed',
  };
}

/** Starts ready runs in order. One that must wait for threads or a resource keeps them from those behind it,
 * but not others from them. When memory is short, one at a time. */
export function startReady(state: WorkerState): void {
  const aside: RunRecord[] = [];
  const awaited = new Set<string>();
  while (aside.length < limits.lookAhead && !awaited.has('threads')) {
    if (state.pressed && state.occupied > 0) break;
    const run = state.ready.pop();
    if (run === undefined) break;
    if (run.phase.name !== 'ready' || state.runs.get(run.run) !== run) continue;
    const brief = isBrief(state, run);
    const takes = brief ? oneBrief : run.takes;
    const lacking = takes.filter(([name, amount]) => amount > 0 && amount > free(state, name));
    // When nothing runs, waiting would be for ever.
    const runs = state.occupied + (lacking.some(([name]) => name !== 'threads') ? state.paused : 0);
    const mustWait = lacking.length > 0 && runs > 0;
    if (mustWait || takes.some(([name, amount]) => amount > 0 && awaited.has(name))) {
      for (const [name] of lacking) awaited.add(name);
      aside.push(run);
    } else {
      run.takes = takes;
      start(state, run, brief);
    }
  }
  for (const run of aside) state.ready.push(run.rank, run);
}

function free(state: WorkerState, name: string): number {
  // Fractions such as 0.1 add up with errors.
  return capacityOf(state, name) - (state.used.get(name) ?? 0) + 1e-9;
}

function take(state: WorkerState, name: string, amount: number): void {
  state.used.set(
    name,
    state.occupied + state.paused === 0 && amount <= 0 ? 0 : (state.used.get(name) ?? 0) + amount,
  );
}

/** Brief runs take turns on a thread, so that it need not wait for the next; together they fill it. */
const oneBrief = [['threads', 1 / limits.briefRuns]] as const;

function isBrief({ longest }: WorkerState, { fn, hints, wary }: RunRecord): boolean {
  if (wary || hints.needs !== undefined || 1000 * (hints.seconds ?? 0) > limits.briefMs) return false;
  return (longest.get(fn) ?? Number.POSITIVE_INFINITY) <= limits.briefMs;
}

/** One that takes long counts at once, and for a while. */
function learn({ longest }: WorkerState, fn: string, tookMs: number): void {
  longest.set(fn, Math.max(tookMs, 0.9 * (longest.get(fn) ?? 0)));
}

function start(state: WorkerState, record: RunRecord, brief: boolean): void {
  record.phase = { name: 'running' };
  record.startedMs = state.now;
  for (const [name, amount] of record.takes) take(state, name, amount);
  state.occupied++;
  const { run, key, fn, args, hints, inputs, inlined } = record;
  state.out.push({ type: 'start', run, key, fn, args, inputs, inlined, hints, brief });
}
