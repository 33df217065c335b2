/**
 * Measures the scheduler without work: tasks a second of the pure core (submit, place, finish; no sockets),
 * bytes of heap a task, and the whole path of client, scheduler and sockets in one process, with nodes that
 * claim at once to have finished. cluster.ts measures the same graphs on real nodes.
 *
 *     node dist/bench/scheduler.js [--core] [--repeats N] [--size N]
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { clientId, millis, type NodeId } from '../runtime/index.ts';
import { connect, startScheduler, task } from '../scheduler/index.ts';
import { clientLimits } from '../scheduler/limits.ts';
import type { NodeInfo } from '../scheduler/protocol.ts';
import { handle } from '../scheduler/scheduler-core.ts';
import { createState, type SchedulerEvent, type SchedulerState } from '../scheduler/scheduler-state.ts';
import { type BenchGraph, chain, merge, tree } from './support/graphs.ts';
import { finished, infoOf, startZeroWorker } from './support/zero-worker.ts';

const { values: options } = parseArgs({
  options: {
    core: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '3' },
    /** Tasks of the merge graph that goes over sockets. */
    size: { type: 'string', default: '20000' },
    peer: { type: 'string' },
  },
});

const cluster = { nodes: 10, threads: 4 } as const;
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

/** The core with nodes that finish everything in the turn in which they get it. */
class Loop {
  readonly state: SchedulerState = createState();
  readonly #infos = new Map<NodeId, NodeInfo>();
  #nowMs = 1;
  #reports: SchedulerEvent[] = [];
  /** Whether the client was told of its last want. */
  done = false;

  constructor() {
    for (let index = 0; index < cluster.nodes; index++) {
      const info = infoOf(`a${index}`, cluster.threads, `ws://10.0.0.${index}:7000`);
      this.#infos.set(info.node, info);
      this.feed({ type: 'node-joined', info });
    }
    this.feed({ type: 'client-joined', client });
  }

  feed(event: SchedulerEvent): void {
    for (const instruction of handle(this.state, event, millis(this.#nowMs))) {
      if (instruction.type === 'notify' && instruction.message.type === 'held') this.done = true;
      if (instruction.type !== 'send' || instruction.message.type !== 'compute') continue;
      const { message, to } = instruction;
      for (const report of finished(message, this.#infos.get(to)!, this.#nowMs)) {
        this.#reports.push({ type: 'from-node', node: to, message: report });
      }
    }
  }

  submit({ tasks, wants }: BenchGraph): void {
    for (let start = 0; start < tasks.length; start += clientLimits.submitTasks) {
      const piece = tasks.slice(start, start + clientLimits.submitTasks);
      const more = start + piece.length < tasks.length;
      const message = { type: 'submit', tasks: piece, wants: more ? [] : wants, more } as const;
      this.feed({ type: 'from-client', client, message });
    }
  }

  /** One turn: everything that was reported, then the placement. */
  turn(): void {
    this.#nowMs++;
    const reports = this.#reports;
    this.#reports = [];
    for (const report of reports) this.feed(report);
    this.feed({ type: 'drained' });
  }
}

interface Figures {
  readonly submitMs: number;
  readonly totalMs: number;
  /** Of all threads of the process: unlike the time, it hardly depends on what else the machine does. */
  readonly cpuMs: number;
  readonly turns: number;
  readonly heapBytes: number;
}

function measureCore(graph: BenchGraph): Figures {
  const loop = new Loop();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const started = now();
  loop.submit(graph);
  const submitted = since(started);
  collectGarbage();
  const heapBytes = process.memoryUsage().heapUsed - before;
  const resumed = now();
  let turns = 0;
  for (; !loop.done; turns++) loop.turn();
  const finished = since(resumed);
  const totalMs = submitted.ms + finished.ms;
  return { submitMs: submitted.ms, totalMs, cpuMs: submitted.cpuMs + finished.cpuMs, turns, heapBytes };
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
  for (const graph of [merge(100_000), tree(2 ** 15), chain(10_000)]) {
    const runs = Array.from({ length: repeats }, () => measureCore(graph));
    const { submitMs, totalMs, cpuMs, turns, heapBytes } = best(runs, (run) => run.cpuMs);
    const size = graph.tasks.length;
    const perTask = (ms: number): string => ((1000 * ms) / size).toFixed(1);
    console.log(line(`core: ${graph.name}`, size, totalMs));
    console.log(
      `    ${perTask(cpuMs)} us of processor time a task, ${perTask(submitMs)} us until submitted, ` +
        `${turns} turns, ${Math.round(heapBytes / size)} bytes of heap a task`,
    );
  }
}

const one = task('bench.one', (_, index: number) => index);
const all = task('bench.all', (_, parts: readonly number[]) => parts.length);

async function measureSockets(size: number): Promise<Moment> {
  const token = 'a secret for this process alone';
  const scheduler = await startScheduler({ token });
  const ends = await Promise.all(
    ['a1', 'a2'].map((name) => startZeroWorker(scheduler.url, token, { name, threads: 1 })),
  );
  const connected = await connect(scheduler.url, { token });
  const started = now();
  await connected.compute(all(Array.from({ length: size }, (_, index) => one(index))));
  const spent = since(started);
  await connected.close();
  for (const end of ends) await end();
  await scheduler.close();
  return spent;
}

const repeats = Math.max(1, Number(options.repeats));
benchCore(repeats);
if (!options.core) {
  const size = Math.max(1, Number(options.size));
  const runs: Moment[] = [];
  for (let index = 0; index < repeats; index++) runs.push(await measureSockets(size));
  const { ms, cpuMs } = best(runs, (run) => run.cpuMs);
  console.log(line(`client to client: merge of ${size}`, size, ms));
  console.log(`    ${((1000 * cpuMs) / size).toFixed(1)} us of processor time a task, all ends together`);
}
