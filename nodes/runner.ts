/**
 * Owns the way of a run to what carries it out: the host of the device that it needs, or the pool of threads.
 * Must not know: which runs there are, or where their data come from.
 */
import type { NodeId, SiteName } from '../runtime/index.ts';
import type { Hints } from '../scheduler/protocol.ts';
import { DeviceHost } from './device-host.ts';
import { Executor } from './executor.ts';
import type { RunOptions, RunRequest, RunResult } from './run-request.ts';

export type { RunRequest, RunResult } from './run-request.ts';

export interface RunnerOptions {
  readonly threads: number;
  readonly modules: readonly string[];
  readonly devices: readonly string[];
  readonly node: NodeId;
  readonly site: SiteName;
  readonly data: string | undefined;
}

export class Runner {
  readonly #executor: Executor;
  readonly #devices: ReadonlyMap<string, DeviceHost>;

  private constructor(executor: Executor, devices: ReadonlyMap<string, DeviceHost>) {
    this.#executor = executor;
    this.#devices = devices;
  }

  static async start(options: RunnerOptions): Promise<Runner> {
    const executor = await Executor.start(options);
    const hosts = options.devices.map((device) => [device, new DeviceHost({ ...options, device })] as const);
    return new Runner(executor, new Map(hosts));
  }

  /** Runs a task's body; rejects with what it throws. */
  run(request: RunRequest, options: RunOptions & { readonly hints: Hints }): Promise<RunResult> {
    const device = Object.keys(options.hints.needs ?? {}).find((name) => this.#devices.has(name));
    return (device === undefined ? this.#executor : this.#devices.get(device)!).run(request, options);
  }

  async close(): Promise<void> {
    await Promise.all([this.#executor.close(), ...[...this.#devices.values()].map((host) => host.close())]);
  }
}
