/**
 * A cluster for tests of pipelines: runs tasks in this process, one after the other, as a node would. It
 * keeps what futures hold, and nothing else: no processes, no sockets. Tests of the real one are in
 * test/nodes.
 */
import type { SiteName, TaskKey } from '../../runtime/index.ts';
import {
  type ClusterStatus,
  type Completed,
  type Future,
  type GraphCluster,
  isFuture,
  isLazy,
  type Lazy,
  type RunTrace,
  taskBody,
} from '../../scheduler/index.ts';
import { heldFuture } from './held-future.ts';

export class InProcessCluster implements GraphCluster {
  readonly #data: Readonly<Record<string, string>>;
  readonly #held = new Map<string, unknown>();
  /** Runs by function. */
  readonly counts = new Map<string, number>();
  readonly seconds = new Map<string, number>();
  /** Throws instead of running `fn` once more after so many runs of it. */
  failAfter: { readonly fn: string; readonly runs: number } | undefined;
  #next = 0;
  readonly #runs: RunTrace[] = [];

  /** @param data the folder of each site */
  constructor(data: Readonly<Record<string, string>>) {
    this.#data = data;
  }

  get heldResults(): number {
    return this.#held.size;
  }

  async compute<const T>(what: T): Promise<never> {
    return (await this.#resolve(what, new Map())) as never;
  }

  async persist<const T>(what: T): Promise<never> {
    return (await this.#replace(what, async (lazy, memo) => {
      const key = `held-${this.#next++}` as TaskKey;
      this.#held.set(key, await this.#run(lazy, memo));
      const site = lazy.hints.site ?? Object.keys(this.#data)[0];
      return heldFuture(key, site, () => void this.#held.delete(key));
    })) as never;
  }

  async *asCompleted<T>(lazies: readonly (Lazy<T> | Future<T>)[]): AsyncIterable<Completed<T>> {
    for (const [index, lazy] of lazies.entries()) yield { index, value: (await this.compute(lazy)) as T };
  }

  async status(): Promise<ClusterStatus> {
    const nodes = Object.entries(this.#data).map(([site, data]) => ({
      node: `${site}-1` as ClusterStatus['nodes'][number]['node'],
      site: site as SiteName,
      threads: 1,
      running: 0,
      storedBytes: 0,
      rssBytes: 0,
      memoryBytes: 2 ** 31,
      data,
    }));
    return { nodes, tasks: {}, crossSiteBytes: 0, lateness: { dropped: 0, missed: 0 } };
  }

  get actors(): never {
    throw new Error('no actor lives here');
  }

  async spawn(): Promise<never> {
    throw new Error('no actor lives here');
  }

  async actor(): Promise<never> {
    throw new Error('no actor lives here');
  }

  get inspect(): never {
    throw new Error('nothing is scheduled here');
  }

  async trace(): Promise<readonly RunTrace[]> {
    return [...this.#runs];
  }

  onProgress() {
    return () => undefined;
  }

  async shutdown() {}

  async close() {}

  async #resolve(value: unknown, memo: Map<object, unknown>): Promise<unknown> {
    return this.#replace(value, (lazy) => this.#run(lazy, memo));
  }

  async #replace(
    value: unknown,
    run: (lazy: Lazy<unknown>, memo: Map<object, unknown>) => Promise<unknown>,
    memo = new Map<object, unknown>(),
  ): Promise<unknown> {
    if (isLazy(value)) return run(value, memo);
    if (isFuture(value)) {
      if (!this.#held.has(value.key)) throw new Error(`${value.key} was released`);
      return this.#held.get(value.key);
    }
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      for (const item of value) list.push(await this.#replace(item, run, memo));
      return list;
    }
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
      return value;
    }
    const record: Record<string, unknown> = {};
    for (const [name, item] of Object.entries(value)) record[name] = await this.#replace(item, run, memo);
    return record;
  }

  async #run(lazy: Lazy<unknown>, memo: Map<object, unknown>): Promise<unknown> {
    if (memo.has(lazy)) return memo.get(lazy);
    const args = (await this.#resolve(lazy.args, memo)) as never[];
    const { failAfter } = this;
    if (failAfter?.fn === lazy.fn && (this.counts.get(lazy.fn) ?? 0) >= failAfter.runs) {
      throw new Error('stopped by the test');
    }
    const started = performance.now();
    const startMs = performance.timeOrigin + started;
    const site = lazy.hints.site ?? Object.keys(this.#data)[0]!;
    const context = {
      key: `t${this.#next++}` as TaskKey,
      node: `${site}-1`,
      site,
      data: this.#data[site],
      signal: new AbortController().signal,
      cluster: () => Promise.reject(new Error('there is no scheduler here')),
    };
    const result: unknown = await taskBody(lazy.fn)(context, ...args);
    const endMs = performance.timeOrigin + performance.now();
    this.#runs.push({
      key: context.key,
      fn: lazy.fn,
      node: context.node as RunTrace['node'],
      site: site as SiteName,
      thread: 0,
      startMs,
      endMs,
      localBytes: 0,
      remoteBytes: 0,
      outcome: 'done',
    });
    this.counts.set(lazy.fn, (this.counts.get(lazy.fn) ?? 0) + 1);
    this.seconds.set(lazy.fn, (this.seconds.get(lazy.fn) ?? 0) + (performance.now() - started) / 1000);
    memo.set(lazy, result);
    return result;
  }
}
