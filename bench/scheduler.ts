/**
 * Measures the scheduler without work: processor time of the pure core (submit, place, finish, release; no
 * sockets), bytes of heap a task, the longest that an event and a turn hold up all others; and processor time
 * and stalls of a scheduler in a process of its own, whose nodes claim at once to have finished.
 * cluster.ts measures the same graphs on real nodes.
 *
 *     node dist/bench/scheduler.js [--core] [--tasks N,N] [--repeats N] [--size N]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Connection, clientId, webSocketTransport } from '../runtime/index.ts';
import { startScheduler } from '../scheduler/index.ts';
import { clientLimits } from '../scheduler/limits.ts';
import { CoreLoop } from './support/core-loop.ts';
import { type BenchGraph, chain, map, merge, sums, tree } from './support/graphs.ts';
import { startZeroWorker } from './support/zero-worker.ts';

const { values: options } = parseArgs({
  options: {
    core: { type: 'boolean', default: false },
    /** Tasks of the graphs for the core. */
    tasks: { type: 'string', default: '100000,1000000' },
    /** Shows the longest event of every kind. */
    kinds: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '3' },
    /** Tasks of the graphs that go over sockets; of the last, ten times as many. */
    size: { type: 'string', default: '100000' },
    serve: { type: 'boolean', default: false },
    peer: { type: 'string' },
  },
});

const sizes = options.tasks.split(',').map(Number);
const client = clientId('bench');

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

interface Moment {
  readonly ms: number;
  readonly cpuMs: number;
}

function now(): Moment {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), cpuMs: (user + system) / 1000 };
}

function since(start: Moment): Moment {
  const end = now();
  return { ms: end.ms - start.ms, cpuMs: end.cpuMs - start.cpuMs };
}

interface Figures {
  readonly name: string;
  readonly tasks: number;
  /** Of all threads of the process: unlike the time, it hardly depends on what else the machine does. */
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly longest: readonly [kind: string, ms: number];
  readonly longestTurnMs: number;
  readonly lossMs: number | undefined;
}

/** Submission, work and release of a graph; `lose`: and the loss of a node while the results are held. */
function measureCore(graph: BenchGraph, lose: boolean): Figures {
  const loop = new CoreLoop();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const started = now();
  loop.submit(graph);
  const submitted = since(started);
  collectGarbage();
  const heapBytes = process.memoryUsage().heapUsed - before;
  const resumed = now();
  loop.finish(graph.wants.length);
  const worked = since(resumed);
  let lossMs: number | undefined;
  if (lose) {
    const longestTurnMs = loop.longestTurnMs;
    loop.longestTurnMs = 0;
    loop.loseNode();
    lossMs = loop.longestTurnMs;
    loop.longestTurnMs = Math.max(longestTurnMs, lossMs);
  }
  const releasing = now();
  loop.release(graph.wants);
  const released = since(releasing);
  const longest = [...loop.longestMs].reduce((most, one) => (one[1] > most[1] ? one : most));
  if (options.kinds) console.log(graph.name, Object.fromEntries(loop.longestMs));
  return {
    name: graph.name,
    tasks: graph.tasks.length,
    cpuMs: submitted.cpuMs + worked.cpuMs + released.cpuMs,
    heapBytes,
    longest,
    longestTurnMs: loop.longestTurnMs,
    lossMs,
  };
}

function best<T>(runs: readonly T[], of: (run: T) => number): T {
  return runs.reduce((least, run) => (of(run) < of(least) ? run : least));
}

function line(name: string, tasks: number, ms: number): string {
  const rate = Math.round(tasks / (ms / 1000)).toLocaleString('en');
  const each = ((1000 * ms) / tasks).toFixed(1);
  const figures = `${ms.toFixed(0).padStart(6)} ms ${rate.padStart(8)} tasks/s ${each.padStart(6)} us a task`;
  return `${name.padEnd(32)} ${figures}`;
}

function benchCore(repeats: number): void {
  for (const size of sizes) {
    const graphs = [() => merge(size), () => map(size), () => tree(size >> 1), () => chain(size)];
    for (const [index, make] of graphs.entries()) {
      const runs = Array.from({ length: repeats }, () => measureCore(make(), index === 1));
      const { name, tasks, cpuMs, heapBytes } = best(runs, (run) => run.cpuMs);
      const { longest, longestTurnMs, lossMs } = best(runs, (run) => run.longestTurnMs);
      const each = ((1000 * cpuMs) / tasks).toFixed(1);
      console.log(
        `core: ${name.padEnd(18)} ${each.padStart(6)} us of processor time a task, ` +
          `${Math.round(heapBytes / tasks)} bytes of heap each, longest event ${longest[1].toFixed(0)} ms ` +
          `(${longest[0]}), longest turn ${longestTurnMs.toFixed(0)} ms` +
          (lossMs === undefined ? '' : `, a node lost in ${lossMs.toFixed(0)} ms`),
      );
    }
  }
}

const token = 'a secret for this process alone';

/** What the scheduler's process has used and suffered since it was last asked. */
interface Usage {
  readonly cpuMs: number;
  readonly longestStallMs: number;
}

/** The other process: a scheduler, which tells its usage when it is asked, until its parent goes. */
async function serve(): Promise<void> {
  const scheduler = await startScheduler({ token });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let started = now();
  process.on('message', () => {
    const longestStallMs = delay.max / 1e6;
    process.send!({ cpuMs: since(started).cpuMs, longestStallMs } satisfies Usage);
    started = now();
    delay.reset();
  });
  process.on('disconnect', () => process.exit());
  process.send!(scheduler.url);
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  const answer = once(child, 'message');
  child.send('usage');
  return (await answer)[0] as Usage;
}

/** Submits a graph as a client does, and waits for its end. */
async function runGraph(connection: Connection, { tasks, wants }: BenchGraph): Promise<void> {
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  connection.onMessage(({ type, key }) => {
    if (type === 'held' && key === wants[0]) ended();
  });
  for (let start = 0; start < tasks.length; start += clientLimits.submitTasks) {
    const piece = tasks.slice(start, start + clientLimits.submitTasks);
    const more = start + piece.length < tasks.length;
    connection.send({ type: 'submit', tasks: piece, wants: more ? [] : wants, more });
    await new Promise(setImmediate);
    await connection.drained();
  }
  await end;
  connection.send({ type: 'release', keys: wants });
}

/** The scheduler in a process of its own, with two nodes that claim at once to have finished. */
async function benchSockets(graphs: readonly BenchGraph[], repeats: number): Promise<void> {
  const child = fork(process.argv[1]!, ['--serve']);
  const [url] = (await once(child, 'message')) as [string];
  const ends = await Promise.all(
    ['a1', 'a2'].map((name) => startZeroWorker(url, token, { name, threads: 1 })),
  );
  const connection = await webSocketTransport.dial(url, { token, hello: { role: 'admin', client } });
  for (const graph of graphs) {
    const runs: (Usage & { readonly ms: number })[] = [];
    for (let repeat = 0; repeat <= repeats; repeat++) {
      await usageOf(child);
      const started = now();
      await runGraph(connection, graph);
      const { ms } = since(started);
      // The first is not counted: much of it is compiling.
      const usage = await usageOf(child);
      if (repeat > 0) runs.push({ ...usage, ms });
    }
    const { ms, cpuMs } = best(runs, (run) => run.cpuMs);
    const { longestStallMs } = best(runs, (run) => run.longestStallMs);
    const size = graph.tasks.length;
    console.log(line(`over sockets: ${graph.name}`, size, ms));
    console.log(
      `    ${((1000 * cpuMs) / size).toFixed(1)} us of the scheduler's processor time a task, ` +
        `its longest stall ${longestStallMs.toFixed(0)} ms`,
    );
  }
  connection.close();
  for (const end of ends) await end();
  child.disconnect();
}

if (options.serve) {
  await serve();
} else {
  const repeats = Math.max(1, Number(options.repeats));
  benchCore(repeats);
  const size = Math.max(1000, Number(options.size));
  if (!options.core) await benchSockets([merge(size), sums(size), sums(10 * size)], repeats);
}
