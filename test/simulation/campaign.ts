/** Many seeds, on several threads. Each thread asks for a range of seeds when it has done the last. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { type Outcome, simulate } from './simulation.ts';

/** What a campaign adds up to. */
export interface Tally {
  seeds: number;
  events: number;
  settled: number;
  hours: number;
  /** Faults that happened, by kind. */
  faults: Map<string, number>;
  /** Honest failures that clients were told of, by code. */
  failures: Map<string, number>;
  /** Outcomes that should not be. */
  bad: Outcome[];
}

interface Range {
  readonly first: number;
  readonly count: number;
}

/** Seeds that a thread is given at once. */
const rangeSeeds = 50;

export function emptyTally(): Tally {
  return { seeds: 0, events: 0, settled: 0, hours: 0, faults: new Map(), failures: new Map(), bad: [] };
}

function count(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}

function note(tally: Tally, outcome: Outcome): void {
  tally.seeds++;
  tally.events += outcome.events;
  tally.settled += outcome.settled;
  tally.hours += outcome.simulatedMs / 3_600_000;
  for (const act of outcome.acts) if (act.startsWith('fault:')) count(tally.faults, act.split(':')[2]!, 1);
  for (const [code, times] of outcome.failures) count(tally.failures, code, times);
  if (outcome.failure !== undefined) tally.bad.push(outcome);
}

function add(tally: Tally, more: Tally): void {
  for (const name of ['seeds', 'events', 'settled', 'hours'] as const) tally[name] += more[name];
  for (const [kind, times] of more.faults) count(tally.faults, kind, times);
  for (const [code, times] of more.failures) count(tally.failures, code, times);
  tally.bad.push(...more.bad);
}

function runRange({ first, count: seeds }: Range): Tally {
  const tally = emptyTally();
  for (let seed = first; seed < first + seeds; seed++) note(tally, simulate(seed));
  return tally;
}

/** Runs the seeds `first` to `first + count - 1`; stops early after `mostBad` failures. */
export async function campaign(
  { first, count: seeds }: Range,
  { threads, mostBad }: { readonly threads: number; readonly mostBad: number },
): Promise<Tally> {
  const tally = emptyTally();
  const end = first + seeds;
  let next = first;
  const takeRange = (): Range | undefined => {
    if (next >= end || tally.bad.length >= mostBad) return undefined;
    const range = { first: next, count: Math.min(rangeSeeds, end - next) };
    next += range.count;
    return range;
  };
  await Promise.all(
    Array.from({ length: Math.min(threads, Math.ceil(seeds / rangeSeeds)) }, async () => {
      const worker = new Worker(new URL(import.meta.url));
      try {
        for (let range = takeRange(); range !== undefined; range = takeRange()) {
          add(tally, await answerOf(worker, range));
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return tally;
}

function answerOf(worker: Worker, range: Range): Promise<Tally> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (tally: Tally) => {
      worker.off('error', reject);
      resolve(tally);
    });
    worker.postMessage(range);
  });
}

if (!isMainThread) parentPort?.on('message', (range: Range) => parentPort!.postMessage(runRange(range)));
