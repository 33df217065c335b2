/**
 * Owns the threads that run a node's tasks: a pool that replaces those that die, so that a task which ends
 * its thread fails alone. The only importer of piscina. Must not know: the store, the scheduler, what tasks
 * do.
 */
import { Piscina } from 'piscina';
import { type EncodedValue, fromWireError, type RunId } from '../runtime/index.ts';
import type { EarlyMessage } from './executor-thread.ts';
import { machineLimits } from './machine-limits.ts';
import { RunLanes } from './run-lanes.ts';
import {
  fromThreadReply,
  type PauseNote,
  type RunOptions,
  type RunOutcome,
  type RunRequest,
  type TaskRunner,
  type ThreadOptions,
  type ThreadSetup,
  toThreadCall,
} from './run-request.ts';
import { toSharedParts } from './shared-frames.ts';
import { threadEnvironment } from './thread-environment.ts';

export interface ExecutorOptions extends ThreadOptions {
  readonly threads: number;
  /** What the JavaScript objects of all threads together may take; typed arrays do not count.
   * `threadHeapBytes` a thread unless told. */
  readonly heapBytes?: number | undefined;
  /** How long a cancelled body may go on. */
  readonly graceMs?: number | undefined;
}

/** A thread as piscina's balancer is shown it. */
interface PoolThread {
  readonly id: number;
  readonly currentUsage: number;
}

const threadFile = new URL('./executor-thread.js', import.meta.url).href;

/** A request whose bulk data reach a thread without a copy. */
export function toSharedRequest(request: RunRequest): RunRequest {
  return { ...request, inputs: request.inputs.map(toSharedParts) };
}

export class Executor implements TaskRunner {
  readonly threads: number;
  readonly #pool: Piscina;
  readonly #lanes: RunLanes;
  /** Runs that wait for tasks of their own, by the number of their thread. */
  readonly #paused = new Map<number, number>();

  private constructor(options: ExecutorOptions) {
    const { threads, modules, digests, node, site, data, heapBytes, graceMs } = options;
    const { scheduler, token, tls, memoryBytes } = options;
    this.threads = threads;
    this.#lanes = new RunLanes(
      { lanes: threads, spareLanes: machineLimits.pausedRuns, graceMs },
      async (request, kill) => {
        return fromThreadReply(
          (await this.#pool.run(toThreadCall(request), { signal: kill })) as EncodedValue,
        );
      },
    );
    const { memory } = this.#lanes;
    const about = { modules, digests, node, site, data, scheduler, token, tls, memoryBytes };
    const setup: ThreadSetup = { memory, ...about };
    const oneHeapBytes = heapBytes === undefined ? machineLimits.threadHeapBytes : heapBytes / threads;
    this.#pool = new Piscina({
      filename: threadFile,
      name: 'serve',
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      // A thread whose run waits for others takes another run meanwhile; the lanes count them.
      concurrentTasksPerWorker: 1 + machineLimits.pausedRuns,
      loadBalancer: (_, workers) => this.#freeThread(workers),
      recordTiming: false,
      // An idle thread goes on with its event loop, so that it can collect what the last run left.
      atomics: 'disabled',
      workerData: setup,
      env: threadEnvironment(options.env),
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(oneHeapBytes / 2 ** 20),
        maxYoungGenerationSizeMb: machineLimits.youngHeapBytes / 2 ** 20,
      },
    });
    this.#pool.on('message', (message: EarlyMessage | PauseNote) => this.#hear(message));
    this.#pool.on('error', (error: Error) => this.#onIdleThreadDied(error));
  }

  /** Starts the threads and loads the modules in each.
   * @throws AsperitasError `module-not-loaded`, or `thread-died` where a module ends its thread. */
  static async start(options: ExecutorOptions): Promise<Executor> {
    const executor = new Executor(options);
    const loads = await Promise.all(
      Array.from({ length: options.threads }, () => executor.#lanes.run(undefined)),
    );
    const failure = loads.find((load) => load.outcome === 'failed');
    if (failure?.outcome !== 'failed') return executor;
    await executor.close();
    throw fromWireError(failure.error);
  }

  run(request: RunRequest, options?: RunOptions): Promise<RunOutcome> {
    return this.#lanes.run(toSharedRequest(request), options);
  }

  cancel(run: RunId): void {
    this.#lanes.cancel(run);
  }

  async close(): Promise<void> {
    await this.#lanes.close();
    await this.#pool.destroy();
  }

  #hear(message: EarlyMessage | PauseNote): void {
    if ('paused' in message) {
      this.#onPaused(message);
    } else {
      const { packed, ...about } = message;
      this.#lanes.takeEarly({ ...about, replies: fromThreadReply(packed) });
    }
  }

  /** A thread on which nothing is at work. */
  #freeThread<T extends PoolThread>(threads: readonly T[]): T | null {
    // Piscina's word for one run is infinity.
    const runsOn = ({ currentUsage }: PoolThread): number => (currentUsage === Infinity ? 1 : currentUsage);
    const atWork = (thread: PoolThread): number => runsOn(thread) - (this.#paused.get(thread.id) ?? 0);
    return threads.find((one) => runsOn(one) === 0) ?? threads.find((one) => atWork(one) < 1) ?? null;
  }

  #onPaused({ run, paused, threadId }: PauseNote): void {
    const runs = Math.max(0, (this.#paused.get(threadId) ?? 0) + (paused ? 1 : -1));
    if (runs === 0) this.#paused.delete(threadId);
    else this.#paused.set(threadId, runs);
    this.#lanes.pause(run, paused);
  }

  /** A thread died while it had no run. Where it was the last, as when new ones die at once, nobody would
   * ever take up the runs that wait in the pool: they fail now, and the next run starts a thread again. */
  #onIdleThreadDied(error: Error): void {
    if (this.#pool.threads.length === 0) this.#lanes.fail(error);
  }
}
