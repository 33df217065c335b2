/**
 * Owns the way of a run to what carries it out: the host of the device that it needs, or the pool of threads.
 * Must not know: which runs there are, or where their data come from.
 */
import type { RunId } from '../runtime/index.ts';
import type { Hints } from '../scheduler/protocol.ts';
import { DeviceHost } from './device-host.ts';
import { Executor, type ExecutorOptions } from './executor.ts';
import type { RunOptions, RunOutcome, RunRequest } from './run-request.ts';

export interface RunnerOptions extends ExecutorOptions {
  /** Names of devices, as in a task's `needs`; each has a host of its own. */
  readonly devices: readonly string[];
}

export class Runner {
  readonly #executor: Executor;
  readonly #devices: ReadonlyMap<string, DeviceHost>;

  private constructor(executor: Executor, devices: ReadonlyMap<string, DeviceHost>) {
    this.#executor = executor;
    this.#devices = devices;
  }

  /** Starts the threads; devices start with their first runs.
   * @throws AsperitasError `module-not-loaded`, `thread-died` */
  static async start(options: RunnerOptions): Promise<Runner> {
    const executor = await Executor.start(options);
    const hosts = options.devices.map(
      (device, k) => [device, DeviceHost.open({ ...options, device, lane: options.threads + k })] as const,
    );
    return new Runner(executor, new Map(hosts));
  }

  /** Runs a task's body where its hints say. Never rejects. */
  run(request: RunRequest, hints: Hints, options: RunOptions): Promise<RunOutcome> {
    const device = Object.keys(hints.needs ?? {}).find((name) => this.#devices.has(name));
    return (device === undefined ? this.#executor : this.#devices.get(device)!).run(request, options);
  }

  cancel(run: RunId): void {
    for (const one of [this.#executor, ...this.#devices.values()]) one.cancel(run);
  }

  async close(): Promise<void> {
    await Promise.all([this.#executor, ...this.#devices.values()].map((one) => one.close()));
  }
}
