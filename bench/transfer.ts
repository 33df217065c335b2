/**
 * Measures what a node's machinery adds to its work: MB/s of data fetched from another process over loopback,
 * beside a raw TCP socket that carries the same bytes into shared memory, and tasks a second of the executor,
 * beside bare messages to a thread. With `--peer PYTHON`, Dask's communication layer on the same bytes.
 *
 *     node dist/bench/transfer.js [--repeats N] [--peer PYTHON]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, Worker } from 'node:worker_threads';
import { Executor } from '../nodes/executor.ts';
import { Fetcher } from '../nodes/fetcher.ts';
import { GarbageMeter } from '../nodes/garbage.ts';
import type { RunRequest } from '../nodes/run-request.ts';
import { allocateShared } from '../nodes/shared-frames.ts';
import { Store } from '../nodes/store.ts';
import { serveData } from '../nodes/transfer.ts';
import {
  encodePacked,
  type NodeId,
  type RunId,
  type SiteName,
  type TaskKey,
  webSocketTransport,
} from '../runtime/index.ts';
import { task } from '../scheduler/index.ts';
import { daskRates } from './support/dask-comm.ts';

const sizes = [8_000_000, 64 * 2 ** 20];
const pieceBytes = 4 * 2 ** 20;
const token = 'bench';

export const nothing = task('bench.nothing', () => null);

interface Addresses {
  readonly url: string;
  readonly port: number;
}

/** Answers each byte, the index of a size, with so many bytes. */
async function serveRaw(): Promise<Server> {
  const data = sizes.map((bytes) => new Uint8Array(new SharedArrayBuffer(bytes)).fill(1));
  const server = createServer(async (socket) => {
    socket.setNoDelay();
    for await (const requests of socket as AsyncIterable<Uint8Array>) {
      const bytes = data[requests[0]!]!;
      for (let start = 0; start < bytes.byteLength; start += pieceBytes) {
        if (!socket.write(bytes.subarray(start, start + pieceBytes))) await once(socket, 'drain');
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** The other process: serves the same data both ways until its parent goes. */
async function serve(): Promise<void> {
  const store = Store.open({ memoryBytes: 2 ** 31, folder: tmpdir() });
  for (const bytes of sizes) {
    store.put(`d${bytes}`, { header: new Uint8Array(8), frames: [allocateShared(bytes).fill(1)] });
  }
  const listener = await webSocketTransport.listen({
    token,
    hello: { role: 'data', node: 'server' },
    onConnection: (connection) => void serveData(connection, store),
  });
  const raw = await serveRaw();
  process.on('disconnect', () => process.exit());
  process.send!({ url: listener.url, port: (raw.address() as { port: number }).port } satisfies Addresses);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const garbage = new GarbageMeter(1);

interface Rates {
  readonly megabytesPerSecond: number[];
  /** Seconds of this process for each GB. */
  readonly costs: number[];
}

/** Times one transfer of so many bytes. */
async function measureOnce(bytes: number, transfer: () => Promise<unknown>, into: Rates): Promise<void> {
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  await transfer();
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(startCpu);
  into.megabytesPerSecond.push(bytes / 1e6 / seconds);
  into.costs.push(((user + system) / bytes) * 1000);
  garbage.released(bytes);
  await new Promise((resolve) => setImmediate(resolve));
}

function said({ megabytesPerSecond, costs }: Rates): string {
  const best = Math.max(...megabytesPerSecond).toFixed(0);
  return `${median(megabytesPerSecond).toFixed(0)} (best ${best}) MB/s, ${median(costs).toFixed(2)} s CPU/GB`;
}

/** Ways of a transfer, in turn; the first time of each is not counted. */
async function rates(
  bytes: number,
  repeats: number,
  ways: readonly (() => Promise<unknown>)[],
): Promise<string[]> {
  const found = ways.map((): Rates => ({ megabytesPerSecond: [], costs: [] }));
  const uncounted: Rates = { megabytesPerSecond: [], costs: [] };
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const [k, way] of ways.entries())
      await measureOnce(bytes, way, repeat === 0 ? uncounted : found[k]!);
  }
  return found.map(said);
}

async function fetchRaw(socket: Socket, index: number): Promise<Uint8Array> {
  const frame = allocateShared(sizes[index]!);
  let filled = 0;
  await new Promise<void>((resolve) => {
    const take = (data: Uint8Array): void => {
      frame.set(data, filled);
      filled += data.byteLength;
      if (filled < frame.byteLength) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
    socket.write(Uint8Array.of(index));
  });
  return frame;
}

/** Calls a second, sequentially and with many in flight. */
async function callRates(calls: number, call: () => Promise<unknown>): Promise<string> {
  for (let index = 0; index < 1000; index++) await call();
  let startMs = performance.now();
  for (let index = 0; index < calls; index++) await call();
  const oneByOne = calls / (performance.now() - startMs);
  startMs = performance.now();
  await Promise.all(Array.from({ length: calls }, call));
  const together = calls / (performance.now() - startMs);
  return `${oneByOne.toFixed(1)} k/s one by one, ${together.toFixed(1)} k/s together`;
}

async function rawThread(calls: number): Promise<string> {
  const answer =
    "const { parentPort: port } = require('node:worker_threads');" +
    "port.on('message', (message) => port.postMessage(message));";
  const worker = new Worker(answer, { eval: true });
  const waiting: (() => void)[] = [];
  worker.on('message', () => waiting.shift()!());
  const call = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      worker.postMessage(request(0));
    });
  const figures = await callRates(calls, call);
  await worker.terminate();
  return figures;
}

const args = encodePacked([]);

function request(run: number): RunRequest {
  return { run: run as RunId, key: `k${run}` as TaskKey, fn: 'bench.nothing', args, inputs: [] };
}

async function executorRates(threads: number, calls: number): Promise<string> {
  const executor = await Executor.start({ threads, modules: [import.meta.url], node: 'n', site: 's' });
  let run = 0;
  const figures = await callRates(calls, () => executor.run(request(++run)));
  await executor.close();
  return figures;
}

async function measure(repeats: number, python: string | undefined): Promise<void> {
  const child = fork(process.argv[1]!, ['--serve']);
  const [{ url, port }] = (await once(child, 'message')) as [Addresses];
  const fetcher = new Fetcher({ node: 'client', token });
  const replica = { node: 'server' as NodeId, site: 'a' as SiteName, url };
  const socket = connect(port, '127.0.0.1').setNoDelay();
  const rows: string[][] = [['what', 'asperitas', 'ceiling', 'Dask']];
  for (const [index, bytes] of sizes.entries()) {
    // Small ones more often: most of their first transfers is compiling.
    const times = Math.ceil(repeats * (bytes < 1e8 ? 10 : 1));
    const ways = [() => fetcher.fetch(`d${bytes}`, replica), () => fetchRaw(socket, index)];
    const [own, raw] = await rates(bytes, times, ways);
    const dask = python === undefined ? undefined : daskRates(python, bytes, times);
    const peer = dask === undefined ? '' : `${dask[0].toFixed(0)} (best ${dask[1].toFixed(0)}) MB/s`;
    rows.push([`${(bytes / 1e6).toFixed(0)} MB, node to node`, own!, `${raw} (raw TCP)`, peer]);
  }
  socket.destroy();
  await fetcher.close();
  child.disconnect();
  const ceiling = `${await rawThread(20_000)} (bare messages)`;
  for (const threads of [1, 2]) {
    const what = `empty tasks, ${threads} thread${threads > 1 ? 's' : ''}`;
    rows.push([what, await executorRates(threads, 20_000), threads === 1 ? ceiling : '', '']);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  rows.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column]!));
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
  }
}

// The threads of the executor load this file too, for its task.
if (isMainThread && process.argv.includes('--serve')) {
  await serve();
} else if (isMainThread) {
  const { values } = parseArgs({
    options: { repeats: { type: 'string', default: '9' }, peer: { type: 'string' } },
  });
  await measure(Number(values.repeats), values.peer);
}
