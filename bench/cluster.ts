/**
 * What a task costs on a cluster of real processes, from the client's call to its result: graphs of empty
 * tasks on two nodes of one thread each, and the same graphs on Dask with two workers of one thread each,
 * in the same run, where `--peer PYTHON` names a Python that has it.
 *
 *     node dist/bench/cluster.js [--size N] [--repeats N] [--peer PYTHON]
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../nodes/index.ts';
import { fold, type Lazy } from '../scheduler/index.ts';
import { one, total } from './support/small-tasks.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '10000' },
    repeats: { type: 'string', default: '3' },
    peer: { type: 'string' },
    // Taken so that one command line fits all benchmarks.
    core: { type: 'boolean' },
  },
});
const size = Math.max(1, Number(options.size));
const repeats = Math.max(1, Number(options.repeats));
let salt = 0;

/** Graphs by name, with their number of tasks; every call makes other tasks, as nothing may be reused. */
const graphs: Readonly<Record<string, { readonly tasks: number; readonly make: () => Lazy<number> }>> = {
  merge: {
    tasks: size + 1,
    make: () => total(Array.from({ length: size }, (_, k) => one(k + salt))),
  },
  tree: {
    tasks: 2 * size - 1,
    make: () =>
      fold(
        Array.from({ length: size }, (_, k) => one(k + salt)),
        (group) => total(group),
        { arity: 2 },
      ),
  },
  chain: {
    tasks: Math.ceil(size / 10),
    make: () => {
      let last = one(salt);
      for (let k = 1; k < Math.ceil(size / 10); k++) last = one(last);
      return last;
    },
  },
};

/** The least milliseconds of each graph. */
async function measure(): Promise<Record<string, number>> {
  const modules = [new URL('./support/small-tasks.js', import.meta.url).href];
  const cluster = await LocalCluster.start({ sites: { here: { nodes: 2, threads: 1 } }, modules });
  try {
    await cluster.compute(one(-1));
    const least: Record<string, number> = {};
    for (const [name, { make }] of Object.entries(graphs)) {
      for (let repeat = 0; repeat < repeats; repeat++) {
        salt += 1e6;
        const startedMs = performance.now();
        await cluster.compute(make());
        least[name] = Math.min(least[name] ?? Number.POSITIVE_INFINITY, performance.now() - startedMs);
      }
    }
    return least;
  } finally {
    await cluster.close();
  }
}

const daskProgram = `
import json, sys, time, distributed
from distributed import Client, LocalCluster
from dask import delayed
size, repeats = int(sys.argv[1]), int(sys.argv[2])
one = delayed(lambda value: value + 1, pure=False)
total = delayed(lambda values: sum(values), pure=False)
def merge():
    return total([one(k) for k in range(size)])
def tree():
    level = [one(k) for k in range(size)]
    while len(level) > 1:
        level = [total(level[k:k + 2]) if k + 1 < len(level) else level[k] for k in range(0, len(level), 2)]
    return level[0]
def chain():
    last = one(0)
    for _ in range(1, -(-size // 10)):
        last = one(last)
    return last
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            client.compute(one(0)).result()
            least = {}
            for make in (merge, tree, chain):
                for _ in range(repeats):
                    started = time.perf_counter()
                    client.compute(make(), optimize_graph=False).result()
                    took = 1000 * (time.perf_counter() - started)
                    least[make.__name__] = min(least.get(make.__name__, took), took)
            print(json.dumps({"version": distributed.__version__, "least": least}))
`;

interface Peer {
  readonly version: string;
  readonly least: Readonly<Record<string, number>>;
}

function measureDask(python: string): Peer {
  const { stdout, stderr, status } = spawnSync(python, ['-c', daskProgram, String(size), String(repeats)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${python} could not run Dask: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as Peer;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, k) => (k < 2 ? cell.padEnd(16) : cell.padStart(12))).join('');
}

const ours = await measure();
const peer = options.peer === undefined ? undefined : measureDask(options.peer);
console.log(row(['graph', 'system', 'tasks', 'ms', 'us a task']));
for (const [name, { tasks }] of Object.entries(graphs)) {
  const systems: [name: string, ms: number][] = [['asperitas', ours[name]!]];
  if (peer !== undefined) systems.push([`Dask ${peer.version}`, peer.least[name]!]);
  for (const [system, ms] of systems) {
    console.log(row([name, system, String(tasks), ms.toFixed(0), ((1000 * ms) / tasks).toFixed(1)]));
  }
}
if (peer === undefined) console.log('no peer: name a Python that has dask and distributed by --peer');
