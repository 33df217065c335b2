/**
 * Owns one node of the makespan simulator: it fetches the inputs of the runs it is given (few at once, those
 * of the foremost runs first), runs what is complete in order of rank on its threads, and reports as a
 * real node does. Must not know: the graph, policies, how transfers share the network.
 */
import type { NodeId, RunId, TaskKey } from '../../runtime/index.ts';
import type { FromNode, NodeInfo, Replica, RunTrace, ToNode } from '../../scheduler/protocol.ts';
import type { Capacity } from './network.ts';

/** As in ESTEE: transfers to a node at once, and from one source. */
const downloads = 4;
const downloadsFromOne = 2;

type Compute = Extract<ToNode, { readonly type: 'compute' }>;
interface Run {
  readonly order: Compute;
  readonly missing: Set<TaskKey>;
  running: boolean;
}

/** What a machine asks of the world. */
export interface World {
  readonly nowMs: () => number;
  readonly say: (machine: Machine, message: FromNode) => void;
  readonly after: (seconds: number, what: () => void) => void;
  readonly secondsOf: (key: TaskKey) => number;
  readonly bytesOf: (key: TaskKey) => number;
  readonly fetch: (machine: Machine, fetch: { from: NodeId; bytes: number; done: () => void }) => void;
}

export class Machine {
  readonly info: NodeInfo;
  readonly up: Capacity;
  readonly down: Capacity;
  readonly #world: World;
  readonly #held = new Set<TaskKey>();
  readonly #runs = new Map<RunId, Run>();
  readonly #fetching = new Map<TaskKey, NodeId>();
  #threads: number;
  #gpus: number;

  constructor(info: NodeInfo, { up, down }: { up: Capacity; down: Capacity }, world: World) {
    this.info = info;
    this.up = up;
    this.down = down;
    this.#world = world;
    this.#threads = info.threads;
    this.#gpus = info.resources.gpu ?? 0;
  }

  hear(message: ToNode): void {
    switch (message.type) {
      case 'compute': {
        const missing = message.inputs.map(({ key }) => key).filter((key) => !this.#held.has(key));
        this.#runs.set(message.run, { order: message, missing: new Set(missing), running: false });
        break;
      }
      case 'abort': {
        const run = this.#runs.get(message.run);
        this.#runs.delete(message.run);
        if (run?.running === true) this.#occupy(run, -1);
        break;
      }
      case 'drop':
        for (const key of message.keys) this.#held.delete(key);
        break;
      default:
        return;
    }
    this.#fetchMore();
    this.#startMore();
  }

  /** As a heartbeat tells it. */
  status(): FromNode {
    let storedBytes = 0;
    for (const key of this.#held) storedBytes += this.#world.bytesOf(key);
    return { type: 'heartbeat', storedBytes, rssBytes: storedBytes, running: this.#runs.size };
  }

  #occupy({ order }: Run, sign: 1 | -1): void {
    this.#threads -= sign * (order.hints.needs?.threads ?? 1);
    this.#gpus -= sign * (order.hints.needs?.gpu ?? 0);
    if (this.#threads < 0 || this.#gpus < 0) throw new Error(`${this.info.node} is given too much at once`);
  }

  #fetchMore(): void {
    while (this.#fetching.size < downloads) {
      let foremost: { run: Run; key: TaskKey; source: Replica } | undefined;
      for (const run of this.#runs.values()) {
        if (run.missing.size === 0) continue;
        if (foremost !== undefined && foremost.run.order.rank <= run.order.rank) continue;
        for (const key of run.missing) {
          const source = this.#fetching.has(key) ? undefined : this.#sourceOf(run, key);
          if (source === undefined) continue;
          foremost = { run, key, source };
          break;
        }
      }
      if (foremost === undefined) return;
      this.#fetch(foremost.key, foremost.source.node);
    }
  }

  /** The first of the nearest holders that does not serve this node twice already. */
  #sourceOf({ order }: Run, key: TaskKey): Replica | undefined {
    const { replicas } = order.inputs.find((input) => input.key === key)!;
    const inSite = replicas[0]?.site === this.info.site;
    return replicas.find(({ node, site }) => {
      if ((site === this.info.site) !== inSite) return false;
      let busy = 0;
      for (const from of this.#fetching.values()) if (from === node) busy++;
      return busy < downloadsFromOne;
    });
  }

  #fetch(key: TaskKey, from: NodeId): void {
    const world = this.#world;
    const bytes = world.bytesOf(key);
    const startMs = world.nowMs();
    this.#fetching.set(key, from);
    const done = (): void => {
      this.#fetching.delete(key);
      this.#held.add(key);
      const fetchMs = Math.max(0.001, world.nowMs() - startMs);
      world.say(this, { type: 'replica-added', key, bytes, from, fetchMs });
      for (const run of this.#runs.values()) run.missing.delete(key);
      this.#fetchMore();
      this.#startMore();
    };
    world.fetch(this, { from, bytes, done });
  }

  /** In order of rank; one that needs more than is free keeps what it waits for from those behind it. */
  #startMore(): void {
    for (;;) {
      let next: Run | undefined;
      for (const run of this.#runs.values()) {
        if (run.running || run.missing.size > 0) continue;
        if (next === undefined || run.order.rank < next.order.rank) next = run;
      }
      if (next === undefined) return;
      const { threads = 1, gpu = 0 } = next.order.hints.needs ?? {};
      if (threads > this.#threads || gpu > this.#gpus) return;
      this.#start(next);
    }
  }

  #start(run: Run): void {
    const world = this.#world;
    const { key, run: id, fn } = run.order;
    const { node, site } = this.info;
    run.running = true;
    this.#occupy(run, 1);
    world.say(this, { type: 'run-started', key, run: id });
    const startMs = world.nowMs();
    world.after(world.secondsOf(key), () => {
      if (this.#runs.get(id) !== run) return;
      this.#runs.delete(id);
      this.#occupy(run, -1);
      this.#held.add(key);
      const endMs = world.nowMs();
      const times = { startMs, endMs, thread: 0, localBytes: 0, remoteBytes: 0 };
      const trace: RunTrace = { key, fn, node, site, outcome: 'done', ...times };
      world.say(this, { type: 'run-done', key, run: id, bytes: world.bytesOf(key), trace });
      this.#startMore();
    });
  }
}
