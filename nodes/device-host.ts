/**
 * Owns the thread of one device: runs that need it go there one at a time, and whatever its modules load (a
 * network, buffers on a card) stays warm between them. Started by the first run, and again after a crash, but
 * not for ever. Must not know: what the device is, the store, the scheduler.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { AsperitasError, type RunId } from '../runtime/index.ts';
import type { DeviceMethods, DeviceThreadData } from './device-thread.ts';
import { toSharedRequest } from './executor.ts';
import { machineLimits } from './machine-limits.ts';
import { RunLanes } from './run-lanes.ts';
import {
  fromThreadReply,
  type RunOptions,
  type RunOutcome,
  type RunReply,
  type RunRequest,
  type TaskRunner,
  type ThreadOptions,
  type ThreadRequest,
  toThreadCall,
} from './run-request.ts';
import { ThreadCalls } from './thread-calls.ts';
import { threadEnvironment } from './thread-environment.ts';

export interface DeviceHostOptions extends ThreadOptions {
  /** The resource's name, as in a task's `needs`. */
  readonly device: string;
  /** The number of its lane in traces: those below it are the executor's. */
  readonly lane: number;
  /** How long a cancelled body may go on. */
  readonly graceMs?: number | undefined;
  /** A run that takes longer, loading the modules apart, is ended with its thread. No limit unless told. */
  readonly runMs?: number | undefined;
}

interface DeviceThread {
  readonly worker: Worker;
  readonly calls: ThreadCalls<DeviceMethods>;
}

const threadFile = new URL('./device-thread.js', import.meta.url);

export class DeviceHost implements TaskRunner {
  readonly device: string;
  readonly #options: DeviceHostOptions;
  readonly #lanes: RunLanes;
  #thread: DeviceThread | undefined;
  /** When the last crashes were. */
  #crashesMs: number[] = [];

  private constructor(options: DeviceHostOptions) {
    this.device = options.device;
    this.#options = options;
    this.#lanes = new RunLanes(
      { lanes: 1, firstLane: options.lane, graceMs: options.graceMs },
      (call, kill) => this.#serve(call, kill),
    );
  }

  /** The thread is started by the first run. */
  static open(options: DeviceHostOptions): DeviceHost {
    return new DeviceHost(options);
  }

  run(request: RunRequest, options?: RunOptions): Promise<RunOutcome> {
    return this.#lanes.run(toSharedRequest(request), options);
  }

  cancel(run: RunId): void {
    this.#lanes.cancel(run);
  }

  async close(): Promise<void> {
    await this.#lanes.close();
    await this.#end();
  }

  async #serve(call: ThreadRequest, kill: AbortSignal): Promise<readonly RunReply[]> {
    const running = this.#thread;
    const { calls } = (this.#thread ??= this.#start());
    if (running === undefined) {
      const load = { ...call, requests: [] };
      const loaded = await this.#call(calls, load, { kill, limitMs: machineLimits.loadMs });
      if (!loaded[0]!.ok) return loaded;
    }
    return this.#call(calls, call, { kill, limitMs: this.#options.runMs });
  }

  async #call(
    calls: ThreadCalls<DeviceMethods>,
    request: ThreadRequest,
    { kill, limitMs }: { readonly kill: AbortSignal; readonly limitMs: number | undefined },
  ): Promise<readonly RunReply[]> {
    const signal = limitMs === undefined ? kill : AbortSignal.any([kill, AbortSignal.timeout(limitMs)]);
    try {
      return fromThreadReply(await calls.call('run', toThreadCall(request), { signal }));
    } catch (error) {
      // Cancelled, too slow, or dead: in every case this thread is of no more use.
      await this.#end();
      if (kill.aborted || !signal.aborted) throw error;
      const fields = { device: this.device, limitMs: limitMs! };
      const what = request.requests[0]?.fn ?? 'loading the modules';
      const message = `${what} on ${this.device} was ended: it took longer than ${limitMs} ms`;
      throw new AsperitasError('timeout', message, fields);
    }
  }

  #start(): DeviceThread {
    this.#checkCrashes();
    const { modules, digests, node, site, data, scheduler, token, tls, memoryBytes } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const memory = this.#lanes.memory;
    const about = { modules, digests, node, site, data, scheduler, token, tls, memoryBytes };
    const setup = { memory, ...about };
    const workerData: DeviceThreadData = { setup, port: port2 };
    const env = threadEnvironment(this.#options.env);
    const worker = new Worker(threadFile, { workerData, transferList: [port2], name: this.device, env });
    const thread = { worker, calls: new ThreadCalls<DeviceMethods>(worker, port1) };
    worker.once('exit', () => {
      // Absent or another one: this thread was ended on purpose.
      if (this.#thread?.worker !== worker) return;
      this.#thread = undefined;
      this.#crashesMs.push(performance.now());
      thread.calls.close();
    });
    return thread;
  }

  #checkCrashes(): void {
    const since = performance.now() - machineLimits.deviceRestartMs;
    this.#crashesMs = this.#crashesMs.filter((timeMs) => timeMs >= since);
    const crashes = this.#crashesMs.length;
    if (crashes <= machineLimits.deviceRestarts) return;
    const message = `the host of ${this.device} died ${crashes} times in a short time; look at its driver`;
    throw new AsperitasError('device-lost', message, { device: this.device, crashes });
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#thread = undefined;
    thread.calls.close();
    await thread.worker.terminate();
  }
}
