/**
 * Owns what must always be true of a worker's state between two events: every redundant field is derived
 * again and compared. Used by the simulation after every event. Pure. Must not know: how the state came
 * about.
 */
import { limits } from './limits.ts';
import { isAtWork } from './pause-core.ts';
import {
  capacityOf,
  type Datum,
  isOccupying,
  isPending,
  type RunRecord,
  sourceOf,
  type WorkerState,
} from './worker-state.ts';

type Expect = (holds: boolean, what: () => string) => void;

/** Everything that is wrong, one line each; empty when all is well. Takes time with the size of the state. */
export function check(state: WorkerState): string[] {
  const wrong: string[] = [];
  const expect: Expect = (holds, what) => {
    if (!holds) wrong.push(`${state.node}: ${what()}`);
  };
  if (state.left) return wrong;
  const queues = { ready: new Set(state.ready.items()), toFetch: new Set(state.toFetch.items()) };
  for (const [id, run] of state.runs) {
    expect(run.run === id, () => `run ${id} is filed under another id`);
    checkRun(state, run, { queues, expect });
  }
  for (const [key, datum] of state.data) {
    expect(datum.key === key, () => `${key} is filed under another key`);
    checkDatum(state, datum, expect);
  }
  for (const [run, { key, phase }] of state.made) {
    expect(
      phase.name === 'held' && phase.madeBy === run,
      () => `${key} does not know that run ${run} made it`,
    );
  }
  checkSums(state, expect);
  checkProgress(state, expect);
  return wrong;
}

interface Context {
  readonly queues: { readonly ready: ReadonlySet<RunRecord>; readonly toFetch: ReadonlySet<Datum> };
  readonly expect: Expect;
}

function checkRun(state: WorkerState, run: RunRecord, { queues, expect }: Context): void {
  const { run: id, phase } = run;
  let missing = 0;
  for (const [key, wanted] of run.needs) {
    const datum = state.data.get(key);
    expect(datum?.neededBy.has(run) === true, () => `${key} does not know that run ${id} needs it`);
    if (datum === undefined || datum.phase.name === 'held') continue;
    missing++;
    if (phase.name !== 'waiting') continue;
    expect(sourceOf(wanted) !== undefined, () => `run ${id} waits for ${key}, which can come from nowhere`);
    const coming = datum.phase.name === 'fetching' || queues.toFetch.has(datum);
    expect(coming, () => `run ${id} waits for ${key}, which nobody fetches`);
  }
  if (phase.name === 'waiting') {
    expect(phase.missing === missing, () => `run ${id}: ${phase.missing} missing counted, ${missing} found`);
    expect(missing > 0, () => `run ${id} waits for nothing`);
  } else if (phase.name === 'ready') {
    expect(missing === 0, () => `run ${id} is ready without ${missing} of its inputs`);
    expect(queues.ready.has(run), () => `run ${id} is ready but not queued`);
  }
  if (state.retiring) expect(!isPending(run), () => `run ${id} is kept though it can't start`);
}

function checkDatum(state: WorkerState, datum: Datum, expect: Expect): void {
  const { key, phase, neededBy, ordered } = datum;
  for (const run of neededBy) {
    const known = state.runs.get(run.run) === run && run.needs.has(key);
    expect(known, () => `${key} is needed by run ${run.run}, which does not know it`);
  }
  const wanted = neededBy.size > 0 || ordered !== undefined;
  expect(phase.name !== 'absent' || wanted, () => `${key} is remembered for nothing`);
  const waiting = ordered !== undefined || [...neededBy].some((run) => run.phase.name === 'waiting');
  expect(phase.name !== 'fetching' || waiting, () => `${key} is fetched for nobody`);
  if (phase.name !== 'held') return;
  expect(
    !phase.doomed || neededBy.size > 0,
    () => `${key} is doomed and needed by nobody, but not forgotten`,
  );
  const { madeBy } = phase;
  expect(madeBy === undefined || state.made.get(madeBy) === datum, () => `${key}: its run is unknown`);
}

function checkSums(state: WorkerState, expect: Expect): void {
  const used = new Map<string, number>();
  let [occupied, paused, resumed] = [0, 0, 0];
  for (const run of state.runs.values()) {
    if (!isOccupying(run)) continue;
    if (isAtWork(run)) occupied++;
    else paused++;
    if (run.pause === 'over') resumed++;
    for (const [name, amount] of run.takes) used.set(name, (used.get(name) ?? 0) + amount);
  }
  expect(occupied === state.occupied, () => `${state.occupied} runs counted, ${occupied} found`);
  expect(paused === state.paused, () => `${state.paused} runs counted as paused, ${paused} found`);
  for (const [name, amount] of state.used) {
    const found = used.get(name) ?? 0;
    expect(Math.abs(amount - found) < 1e-6, () => `${amount} of ${name} counted, ${found} found`);
    const within = amount <= capacityOf(state, name) + 1e-6 || occupied === 1 || resumed > 0;
    expect(within, () => `${amount} of ${name} used, ${capacityOf(state, name)} there`);
  }
  const fetching = [...state.data.values()].filter(({ phase }) => phase.name === 'fetching').length;
  expect(fetching === state.fetching, () => `${state.fetching} fetches counted, ${fetching} found`);
  expect(fetching <= limits.fetchesInFlight, () => `${fetching} fetches at once`);
}

/** A worker that could do something does it. */
function checkProgress(state: WorkerState, expect: Expect): void {
  const names = (name: string) => [...state.runs.values()].filter(({ phase }) => phase.name === name);
  if (state.occupied > 0 || state.retiring) return;
  // One that waits may hold what others need.
  expect(
    names('ready').length === 0 || state.paused > 0,
    () => 'a ready run is not started though nothing runs',
  );
  expect(
    names('waiting').length === 0 || state.fetching > 0,
    () => 'runs wait for inputs that nobody fetches',
  );
}
