/**
 * Owns a whole cluster on this machine: a scheduler and nodes as processes of their own, started together and
 * ended together, also when this process dies. Must not know: what runs on it.
 */
import { availableParallelism, totalmem } from 'node:os';
import { AsperitasError } from '../runtime/index.ts';
import {
  type Cluster,
  connect,
  DelegatingCluster,
  type LocalSite,
  type WaitOptions,
} from '../scheduler/index.ts';
import { makeToken } from './config.ts';
import { limits } from './limits.ts';
import { type OwnedProcess, startOwned } from './owned-process.ts';

export interface LocalClusterOptions {
  /** By name. */
  readonly sites: Readonly<Record<string, LocalSite>>;
  /** URLs of modules that declare tasks, beside those of asperitas itself. */
  readonly modules?: readonly string[];
  readonly signal?: AbortSignal;
}

/** A node of a local cluster. */
export interface LocalNode {
  readonly name: string;
  readonly site: string;
  readonly pid: number;
  /** Where its data are fetched and its actors asked. */
  readonly url: string;
  /** Ends the process at once, as a power cut would; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Of the memory of the machine, what nodes together may fill unless told otherwise. */
const memoryShare = 0.6;

/** A cluster of real processes on this machine, which is also its client. */
export class LocalCluster extends DelegatingCluster {
  readonly url: string;
  readonly token: string;
  readonly nodes: readonly LocalNode[];
  readonly #scheduler: OwnedProcess;
  readonly #processes: readonly OwnedProcess[];

  private constructor(parts: {
    readonly url: string;
    readonly token: string;
    readonly scheduler: OwnedProcess;
    readonly processes: readonly {
      readonly name: string;
      readonly site: string;
      readonly owned: OwnedProcess;
    }[];
    readonly client: Cluster;
  }) {
    super(parts.client);
    this.url = parts.url;
    this.token = parts.token;
    this.#scheduler = parts.scheduler;
    this.#processes = parts.processes.map(({ owned }) => owned);
    this.nodes = parts.processes.map(({ name, site, owned }) => ({
      name,
      site,
      pid: owned.pid,
      url: owned.url,
      kill: () => owned.kill(),
    }));
  }

  /** Starts all processes and resolves when every node has joined.
   * @throws AsperitasError `cannot-start` when a process ends before it is ready, with what it said */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const token = makeToken();
    const started: OwnedProcess[] = [];
    try {
      const scheduler = await startOwned(['scheduler', '--port', '0'], { token, signal: options.signal });
      started.push(scheduler);
      const { url } = scheduler;
      const plans = plansOf(options, url);
      const owned = await Promise.allSettled(
        plans.map(async ({ words }) => {
          const one = await startOwned(words, { token, signal: options.signal });
          started.push(one);
          return one;
        }),
      );
      const processes = owned.map((result, k) => {
        if (result.status === 'rejected') throw result.reason;
        return { ...plans[k]!, owned: result.value };
      });
      const wait = options.signal === undefined ? {} : { signal: options.signal };
      // Nobody would start its scheduler again.
      const client = await connect(url, { token, reconnectMs: 0, ...wait });
      return new LocalCluster({ url, token, scheduler, processes, client });
    } catch (error) {
      await Promise.all(started.map((one) => one.stop()));
      throw error;
    }
  }

  /** Lets nodes finish what runs, then ends every process. */
  override async shutdown(options?: WaitOptions): Promise<void> {
    await this.client.shutdown(options);
    await this.#stopAll();
  }

  /** Ends every process; what runs is given up. */
  override async close(): Promise<void> {
    await this.client.close();
    await this.#stopAll();
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.stop()));
    await this.#scheduler.stop();
  }
}

interface NodePlan {
  readonly name: string;
  readonly site: string;
  readonly words: readonly string[];
}

/** The command line of every node. Memory is shared out evenly where it is not told. */
function plansOf({ sites, modules = [] }: LocalClusterOptions, url: string): NodePlan[] {
  const all = Object.entries(sites).flatMap(([site, about]) =>
    Array.from({ length: about.nodes ?? 1 }, (_, k) => ({ site, about, name: `${site}-${k + 1}` })),
  );
  if (all.length === 0)
    throw new AsperitasError('usage', 'a cluster needs at least one site with a node', {});
  if (all.length > limits.localNodes) {
    const message = `${all.length} nodes on one machine: at most ${limits.localNodes} are started`;
    throw new AsperitasError('usage', message, { nodes: all.length });
  }
  const share = Math.floor((memoryShare * totalmem()) / all.length);
  const threads = Math.max(1, Math.floor(availableParallelism() / all.length));
  return all.map(({ site, about, name }) => ({
    site,
    name,
    words: [
      'node',
      ...['--scheduler', url, '--site', site, '--name', name],
      ...['--threads', String(about.threads ?? threads)],
      ...['--memory', String(about.memoryBytes ?? share)],
      ...(about.data === undefined ? [] : ['--data', about.data]),
      ...modules.flatMap((module) => ['--modules', module]),
    ],
  }));
}
