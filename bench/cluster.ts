/**
 * What a task costs on a cluster of real processes, from the client's call to its verified result: graphs of
 * empty tasks on two nodes of one thread each, real WebSockets. With `--peer PYTHON`, a Python that has Dask,
 * the same graphs on Dask with two workers of one thread each, the two in turn, round by round.
 *
 *     node dist/bench/cluster.js [--rounds N] [--graphs merge-10K,tree-15] [--peer PYTHON]
 */
import { parseArgs } from 'node:util';
import { LocalCluster } from '../nodes/index.ts';
import { type Cluster, fold } from '../scheduler/index.ts';
import { DaskPeer } from './support/dask-peer.ts';
import { cpuOfTree } from './support/process-cpu.ts';
import { one, total } from './support/small-tasks.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    graphs: { type: 'string' },
    peer: { type: 'string' },
    // Taken so that one command line fits all benchmarks.
    core: { type: 'boolean' },
    repeats: { type: 'string' },
  },
});

/** Of the last `sequential`, in milliseconds: on a busy machine the mean tells of the other processes. */
let waitsMs: number[] = [];

type Shape = (cluster: Cluster, size: number, salt: number) => Promise<number>;

/** Each gives the number that its tasks must have made, so that what is counted is completions. No two rounds
 * have the same `salt`, so that nothing is found again. */
const shapes = {
  merge: (cluster, size, salt) => cluster.compute(total(count(size).map((k) => one(k + salt)))),
  tree: (cluster, size, salt) => {
    const leaves = count(size).map((k) => total([2 * k + salt, 2 * k + 1 + salt]));
    return cluster.compute(fold(leaves, (group) => total(group), { arity: 2 }));
  },
  sequential: async (cluster, size, salt) => {
    let sum = 0;
    waitsMs = [];
    for (let k = 0; k < size; k++) {
      const startedMs = performance.now();
      sum += await cluster.compute(one(k + salt));
      waitsMs.push(performance.now() - startedMs);
    }
    return sum;
  },
  /** 1 when the first result of many has come; the others are cancelled. */
  first: async (cluster, size, salt) => {
    for await (const end of cluster.asCompleted(count(size).map((k) => one(k + salt)))) {
      return 'value' in end && end.value! > salt && end.value! <= salt + size ? 1 : 0;
    }
    return 0;
  },
} as const satisfies Record<string, Shape>;

function count(size: number): number[] {
  return Array.from({ length: size }, (_, k) => k);
}

interface Bench {
  readonly name: string;
  readonly shape: keyof typeof shapes;
  readonly size: number;
  readonly tasks: number;
}

/** Those of the RSDS paper, and two of Coiled's. */
const benches: readonly Bench[] = [
  ...[10, 25, 50, 100].map((thousands): Bench => {
    const size = 1000 * thousands;
    return { name: `merge-${thousands}K`, shape: 'merge', size, tasks: size + 1 };
  }),
  { name: 'tree-15', shape: 'tree', size: 2 ** 14, tasks: 2 ** 15 - 1 },
  // So many that what is counted is not compiling alone.
  { name: 'sequential', shape: 'sequential', size: 1000, tasks: 1000 },
  { name: 'first of 100K', shape: 'first', size: 100_000, tasks: 1 },
];

function wanted({ shape, size }: Bench, salt: number): number {
  if (shape === 'first') return 1;
  const sum = (many: number): number => many * salt + (many * (many - 1)) / 2;
  return shape === 'tree' ? sum(2 * size) : sum(size) + size;
}

/** Microseconds a task: by the clock and of processor time, all processes together. */
interface Round {
  readonly wallUs: number;
  readonly cpuUs: number;
}

async function measured(
  bench: Bench,
  salt: number,
  system: { readonly cpuMs: () => number; readonly run: () => Promise<number> },
): Promise<Round> {
  const beforeMs = system.cpuMs();
  const startedMs = performance.now();
  const value = await system.run();
  const ms = performance.now() - startedMs;
  const cpuMs = system.cpuMs() - beforeMs;
  if (value !== wanted(bench, salt))
    throw new Error(`${bench.name}: ${value} instead of ${wanted(bench, salt)}`);
  return { wallUs: (1000 * ms) / bench.tasks, cpuUs: (1000 * cpuMs) / bench.tasks };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function cells(rounds: readonly Round[]): string[] {
  const walls = rounds.map(({ wallUs }) => wallUs);
  const [least, most] = [Math.min(...walls), Math.max(...walls)];
  const cpu = Math.min(...rounds.map(({ cpuUs }) => cpuUs));
  return [median(walls).toFixed(0), `${least.toFixed(0)}-${most.toFixed(0)}`, cpu.toFixed(0)];
}

let salt = 0;

async function measureBench(
  bench: Bench,
  cluster: Cluster,
  peer: DaskPeer | undefined,
): Promise<readonly string[]> {
  const [ours, theirs]: [Round[], Round[]] = [[], []];
  // The first round of each is not counted: much of it is compiling.
  for (let round = 0; round <= Math.max(1, Number(options.rounds)); round++) {
    salt += 1e6;
    const run = (): Promise<number> => shapes[bench.shape](cluster, bench.size, salt);
    const peerCpuMs = (): number => (peer === undefined ? 0 : cpuOfTree(peer.pid));
    const own = await measured(bench, salt, { cpuMs: () => cpuOfTree(process.pid) - peerCpuMs(), run });
    if (round > 0) ours.push(own);
    if (peer === undefined || (round === 0 && bench.tasks > 1000)) continue;
    const { shape, size } = bench;
    const runPeer = async (): Promise<number> => (await peer.run(shape, size, salt)).value;
    const other = await measured(bench, salt, { cpuMs: peerCpuMs, run: runPeer });
    if (round > 0) theirs.push(other);
  }
  const least = (rounds: readonly Round[]): number => Math.min(...rounds.map(({ wallUs }) => wallUs));
  const compared =
    theirs.length === 0 ? [] : [...cells(theirs), `${(least(theirs) / least(ours)).toFixed(1)}x`];
  return [bench.name, String(bench.tasks), ...cells(ours), (1e6 / least(ours)).toFixed(0), ...compared];
}

function row(texts: readonly string[]): string {
  return `| ${texts.map((text, k) => (k === 0 ? text.padEnd(14) : text.padStart(12))).join(' | ')} |`;
}

const chosen = options.graphs?.split(',');
const modules = [new URL('./support/small-tasks.js', import.meta.url).href];
const cluster = await LocalCluster.start({ sites: { here: { nodes: 2, threads: 1 } }, modules });
const peer = options.peer === undefined ? undefined : await DaskPeer.start(options.peer);
try {
  const own = ['us a task', 'least-most', 'cpu us', 'tasks/s'];
  const other = peer === undefined ? [] : [`Dask us`, 'least-most', 'cpu us', 'ratio'];
  console.log(row(['graph', 'tasks', ...own, ...other]));
  for (const bench of benches) {
    if (chosen !== undefined && !chosen.includes(bench.name)) continue;
    console.log(row(await measureBench(bench, cluster, peer)));
    if (bench.shape !== 'sequential') continue;
    const sorted = waitsMs.toSorted((a, b) => a - b);
    const at = (share: number): string => sorted[Math.floor(share * sorted.length)]!.toFixed(2);
    console.log(`one result, last round: ${at(0.05)} ms (5 %), ${at(0.5)} (half), ${at(0.95)} (95 %)`);
  }
  if (peer === undefined) console.log('no peer: name a Python that has dask and distributed by --peer');
  else console.log(`Dask.distributed ${peer.version}`);
} finally {
  await peer?.close();
  await cluster.close();
}
