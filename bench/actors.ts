/**
 * What asking an actor costs: over WebSockets, between real processes. One caller that waits for every
 * answer; one that keeps many asks under way; several callers of several actors. And the same on Dask's
 * actors, in the same run, where `--peer PYTHON` names a Python that has it.
 *
 *     node dist/bench/actors.js [--size N] [--repeats N] [--peer PYTHON]
 */
import { fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LocalCluster } from '../nodes/index.ts';
import type { ActorRef } from '../scheduler/index.ts';
import { connect } from '../scheduler/index.ts';
import { Adder } from './support/adder.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '20000' },
    repeats: { type: 'string', default: '5' },
    peer: { type: 'string' },
    // Given by this program to the callers that it starts.
    caller: { type: 'string' },
    // Taken so that one command line fits all benchmarks.
    core: { type: 'boolean' },
  },
});
const size = Math.max(100, Number(options.size));
const repeats = Math.max(1, Number(options.repeats));
/** Asks under way at once. */
const windowOf = 1000;
/** Callers, each in a process of its own, and actors. */
const many = 2;

type Ref = ActorRef<(typeof Adder)['messages']>;

async function oneByOne(ref: Ref, asks: number): Promise<void> {
  for (let k = 0; k < asks; k++) await ref.ask('add', { by: 1 });
}

/** Keeps a window of asks under way, to each of the actors in turn. Every answer is checked. */
async function pipelined(refs: readonly Ref[], asks: number): Promise<void> {
  let answered = 0;
  for (let from = 0; from < asks; from += windowOf) {
    const count = Math.min(windowOf, asks - from);
    const answers = Array.from({ length: count }, (_, k) => refs[k % refs.length]!.ask('add', { by: 1 }));
    answered += (await Promise.all(answers)).filter((value) => value > 0).length;
  }
  if (answered !== asks) throw new Error(`${asks - answered} asks were not answered`);
}

/** A process that asks all actors when it is told to. */
async function beCaller(about: string): Promise<void> {
  const { url, token, names } = JSON.parse(about) as { url: string; token: string; names: string[] };
  const cluster = await connect(url, { token });
  const refs = await Promise.all(names.map((name) => cluster.actor(Adder, name)));
  await pipelined(refs, windowOf);
  process.send!('ready');
  process.on('message', (asks: number) => {
    void pipelined(refs, asks).then(() => process.send!('done'));
  });
  process.on('disconnect', () => process.exit(0));
}

/** The most asks a second of each way of asking. */
async function measure(): Promise<Record<string, number>> {
  const modules = [new URL('./support/adder.js', import.meta.url).href];
  const cluster = await LocalCluster.start({ sites: { here: { nodes: 2, threads: 1 } }, modules });
  const best: Record<string, number> = {};
  const time = async (name: string, asks: number, body: () => Promise<unknown>): Promise<void> => {
    const startedMs = performance.now();
    await body();
    best[name] = Math.max(best[name] ?? 0, (1000 * asks) / (performance.now() - startedMs));
  };
  try {
    const names = Array.from({ length: many }, (_, k) => `adder ${k}`);
    const refs: Ref[] = [];
    for (const [k, name] of names.entries()) {
      refs.push(await cluster.spawn(Adder, 0, { name, near: `here-${(k % 2) + 1}` }));
    }
    const about = JSON.stringify({ url: cluster.url, token: cluster.token, names });
    const callers = names.map(() => fork(fileURLToPath(import.meta.url), ['--caller', about]));
    const hear = (word: string): Promise<unknown> =>
      Promise.all(
        callers.map(
          (caller) =>
            new Promise<void>((resolve) => {
              const listen = (said: unknown): void => {
                if (said !== word) return;
                caller.off('message', listen);
                resolve();
              };
              caller.on('message', listen);
            }),
        ),
      );
    await hear('ready');
    await oneByOne(refs[0]!, 500);
    for (let repeat = 0; repeat < repeats; repeat++) {
      await time('1:1 sync', size / 20, () => oneByOne(refs[0]!, size / 20));
      await time('1:1 pipelined', size, () => pipelined(refs.slice(0, 1), size));
      await time(`${many}:${many} pipelined`, many * size, () => {
        const done = hear('done');
        for (const caller of callers) caller.send(size);
        return done;
      });
    }
    for (const caller of callers) caller.disconnect();
    return best;
  } finally {
    await cluster.close();
  }
}

const daskProgram = `
import json, sys, time, threading, distributed
from distributed import Client, LocalCluster, worker_client
size, repeats, window = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
class Adder:
    def __init__(self):
        self.value = 0
    def add(self, by):
        self.value += by
        return self.value
def pipelined(actors, asks):
    for start in range(0, asks, window):
        futures = [actors[k % len(actors)].add(1) for k in range(min(window, asks - start))]
        for future in futures:
            future.result()
def sync(actor, asks):
    for _ in range(asks):
        actor.add(1).result()
def measure(best, name, asks, body):
    started = time.perf_counter()
    body()
    best[name] = max(best.get(name, 0), asks / (time.perf_counter() - started))
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            workers = list(client.scheduler_info()["workers"])
            actors = [client.submit(Adder, actor=True, workers=[w], pure=False).result() for w in workers]
            sync(actors[0], 50)
            best = {}
            for _ in range(repeats):
                measure(best, "1:1 sync", size // 8, lambda: sync(actors[0], size // 8))
                measure(best, "1:1 pipelined", size, lambda: pipelined(actors[:1], size))
            print(json.dumps({"version": distributed.__version__, "best": best}))
`;

interface Peer {
  readonly version: string;
  readonly best: Readonly<Record<string, number>>;
}

/** Dask's actors, with fewer asks, since it is slower. */
function measureDask(python: string): Peer {
  const words = [String(Math.ceil(size / 10)), String(repeats), String(windowOf)];
  const { stdout, stderr, status } = spawnSync(python, ['-c', daskProgram, ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${python} could not run Dask: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as Peer;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, k) => (k < 2 ? cell.padEnd(18) : cell.padStart(14))).join('');
}

async function main(): Promise<void> {
  const ours = await measure();
  const peer = options.peer === undefined ? undefined : measureDask(options.peer);
  console.log(row(['asking', 'system', 'asks a second', 'us an ask']));
  for (const [name, rate] of Object.entries(ours)) {
    const systems: [system: string, rate: number | undefined][] = [['asperitas', rate]];
    if (peer !== undefined) systems.push([`Dask ${peer.version}`, peer.best[name]]);
    for (const [system, figure] of systems) {
      if (figure === undefined) continue;
      console.log(row([name, system, figure.toFixed(0), (1e6 / figure).toFixed(1)]));
    }
  }
  if (peer === undefined) console.log('no peer: name a Python that has dask and distributed by --peer');
}

if (options.caller === undefined) await main();
else await beCaller(options.caller);
