/**
 * A whole cluster of both cores under one seed: simulated clock, network, processes and faults. First faults
 * and work; then the faults stop and every promise must be kept in bounded time; then all is released and
 * nothing may be left anywhere. The invariants of both cores are checked after every event.
 */
import { handle as workerHandle } from '../../nodes/worker-core.ts';
import { type NodeId, nodeId, type TaskKey, taskKey } from '../../runtime/index.ts';
import { explain, story } from '../../scheduler/explain.ts';
import { type Needs, waysOf } from '../../scheduler/needs.ts';
import type { WireError } from '../../scheduler/protocol.ts';
import { handle as schedulerHandle } from '../../scheduler/scheduler-core.ts';
import { SimulatedClock } from './clock.ts';
import { faultKinds, plague } from './faults.ts';
import { type TaskModel, TaskModels } from './graphs.ts';
import { SimulatedNetwork } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import { hashText, Random } from './random.ts';
import { SimulatedClient } from './simulated-client.ts';
import { type NodePlan, SimulatedNode } from './simulated-node.ts';
import { SimulatedScheduler } from './simulated-scheduler.ts';

export interface Cores {
  readonly scheduler: typeof schedulerHandle;
  readonly worker: typeof workerHandle;
}
export const trueCores: Cores = { scheduler: schedulerHandle, worker: workerHandle };

export interface Outcome {
  readonly seed: number;
  /** What went wrong, with the last events; none if all went well. */
  readonly failure: string | undefined;
  /** A hash of every event. */
  readonly hash: number;
  readonly events: number;
  readonly settled: number;
  readonly failures: ReadonlyMap<string, number>;
  readonly simulatedMs: number;
  /** What was done to the cluster, in order: faults, and plans of clients. Each can be left out. */
  readonly acts: readonly string[];
}

export interface SimulationOptions {
  readonly cores?: Cores;
  readonly verbose?: boolean;
  /** Acts of an earlier run of this seed that are not to happen: what is left of a failure when they are gone
   * is easier to understand. */
  readonly without?: ReadonlySet<string>;
}

class Violation extends Error {}

const limits = {
  /** Every promise must be kept so long after the last fault. */
  settleMs: 900_000,
  /** All must be gone so long after the last release. */
  leakMs: 120_000,
  /** A connection that broke is noticed by then, and the node back. */
  quietMs: 25_000,
  /** Lines shown of a failed simulation. */
  lines: 80,
};

export class Simulation {
  readonly seed: number;
  readonly cores: Cores;
  readonly clock = new SimulatedClock();
  readonly network: SimulatedNetwork;
  readonly scheduler: SimulatedScheduler;
  readonly nodes: SimulatedNode[];
  readonly clients: SimulatedClient[];
  readonly models: TaskModels;
  readonly sites: readonly string[];
  readonly faults;
  readonly tickMs: number;
  /** How far the scheduler goes over a graph in one turn. */
  readonly walkSteps: number;
  /** Nodes that leave stay away. */
  ending = false;
  #hash = 0;
  #events = 0;
  readonly #chaosMs: number;
  readonly #lines: string[] = [];
  readonly #verbose: boolean;
  readonly #without: ReadonlySet<string>;
  readonly #acts: string[] = [];

  constructor(seed: number, { cores = trueCores, verbose = false, without = new Set() }: SimulationOptions) {
    this.seed = seed;
    this.cores = cores;
    this.#verbose = verbose;
    this.#without = without;
    const random = new Random(seed).split('cluster');
    this.walkSteps = new Random(seed).split('walks').pick([3, 20, 10_000]);
    this.network = new SimulatedNetwork(this.clock, random.split('network'));
    this.sites = ['a', 'b', 'c'].slice(0, random.int(1, 3));
    this.tickMs = random.pick([250, 1000]);
    const faulty = random.chance(0.85);
    this.faults = {
      random: random.split('faults'),
      chosen: faulty ? random.some(faultKinds, random.int(1, 6)) : [],
      meanMs: random.pick([300, 1500, 5000]),
      /** How likely the report of a run comes twice. */
      repeats: random.chance(0.5) ? 0.2 : 0,
    };
    const plans = planNodes(random, this.sites);
    this.models = new TaskModels(random.split('graphs'), {
      sites: this.sites,
      gpuSites: plans.filter(({ gpus }) => gpus > 0).map(({ site }) => site),
      wideSites: plans.filter(({ threads }) => threads >= 3).map(({ site }) => site),
    });
    this.#chaosMs = random.pick([3000, 10_000, 30_000]);
    this.scheduler = new SimulatedScheduler(this, this.sites[0]!, random.split('scheduler'));
    this.nodes = plans.map((plan) => new SimulatedNode(this, plan, random.split(plan.name)));
    for (const node of this.nodes) this.clock.after(random.between(0, 1000), () => node.start());
    this.clients = Array.from({ length: random.int(1, 3) }, (_, index) => {
      const name = `client${index + 1}`;
      return new SimulatedClient(this, { name, site: random.pick(this.sites) }, random.split(name));
    });
  }

  run(): Outcome {
    let failure: string | undefined;
    try {
      this.#chaos();
      this.#heal();
      this.#settle();
      this.#compare();
      this.#release();
      this.#shutDown();
    } catch (thrown) {
      failure = this.#report(thrown);
    }
    const failures = new Map<string, number>();
    let settled = 0;
    for (const client of this.clients) {
      settled += client.settled;
      for (const [code, count] of client.failures) failures.set(code, (failures.get(code) ?? 0) + count);
    }
    const { seed } = this;
    return {
      seed,
      failure,
      hash: this.#hash,
      events: this.#events,
      settled,
      failures,
      simulatedMs: this.clock.now,
      acts: this.#acts,
    };
  }

  /** Whether an act is to happen; it is then part of the outcome. */
  allows(act: string): boolean {
    if (this.#without.has(act)) return false;
    this.#acts.push(act);
    return true;
  }

  /** Without faults nothing is ever missing where it should be. */
  expectFault(what: string): void {
    const { chosen, repeats } = this.faults;
    if (chosen.length + repeats === 0) this.expect([`${what}, though nothing has gone wrong`]);
  }

  /** An event of a process; all of them together make the trace. */
  record(who: string, event: object): void {
    this.#events++;
    this.#log(`${who} <- ${JSON.stringify(event)}`);
  }

  note(text: string): void {
    this.#log(text);
  }

  expect(wrong: readonly string[]): void {
    if (wrong.length > 0) throw new Violation(wrong.slice(0, 5).join('\n'));
  }

  /** Fetches a datum from the store of a node, over the network. */
  fetch(
    by: SimulatedProcess,
    what: { readonly key: TaskKey; readonly from: NodeId },
    done: (entry: { value: number; bytes: number } | 'absent' | 'unreachable', ms: number) => void,
  ): void {
    const { clock, network } = this;
    const { random } = network;
    const holder = this.nodes.find(({ id }) => id === what.from)!;
    const begun = clock.now;
    const { life } = by;
    let ended = false;
    const end = (ms: number, entry: { value: number; bytes: number } | 'absent' | 'unreachable'): void => {
      clock.after(ms, () => {
        if (ended || by.life !== life) return;
        ended = true;
        by.post(() => done(entry, clock.now - begun));
      });
    };
    const unreachable = (): void => end(random.pick([1, 50, 2000]), 'unreachable');
    if (!network.reachable(by, holder)) {
      unreachable();
      return;
    }
    end(20_000, 'unreachable');
    clock.after(network.delay(by, holder, 0), () => {
      if (!holder.alive || !network.reachable(by, holder)) {
        unreachable();
        return;
      }
      const holderLife = holder.life;
      holder.post(() => {
        const entry = holder.read(what.key);
        if (entry === undefined) {
          end(network.delay(by, holder, 0), 'absent');
          return;
        }
        clock.after(network.delay(by, holder, entry.bytes), () => {
          const whole = holder.life === holderLife && network.reachable(by, holder);
          if (whole) end(0, { value: entry.value, bytes: entry.bytes });
          else unreachable();
        });
      });
    });
  }

  /** Why a failure that a client was told of is no honest one; nothing if it is. */
  excuse(
    want: { readonly model: TaskModel; readonly cancelled: boolean },
    { error, culprit }: { readonly error: WireError; readonly culprit: TaskKey },
  ): string | undefined {
    const said = `with ${error.code ?? error.message} by ${culprit}`;
    const guilty = this.models.lineage([want.model]).find(({ spec }) => spec.key === culprit);
    if (guilty === undefined) return `${said}, from which it is not made`;
    const { hints } = guilty.spec;
    const honest: Record<string, boolean> = {
      thrown: guilty.throwsFirst > (hints.retries ?? 0),
      fatal: guilty.fatal,
      cancelled: want.cancelled && guilty === want.model,
      'task-killed-nodes': this.scheduler.losses >= 3,
      // One that was cut off from the beginning is no site either.
      'no-such-site': hints.site !== undefined && !this.scheduler.state.sites.has(hints.site),
      'no-such-resource': !this.#everOffered(waysOf(hints)),
      'stay-conflict': guilty.inputs.some(({ spec }) => spec.hints.stay === true),
    };
    return honest[error.code ?? ''] === true ? undefined : said;
  }

  /** Whether a node that the scheduler has seen had all that one of the ways takes. */
  #everOffered(ways: readonly Needs[]): boolean {
    return [...this.scheduler.state.offers.values()]
      .flat()
      .some(({ threads, resources }) =>
        ways.some(
          (way) =>
            way.threads <= threads && way.named.every(([name, amount]) => amount <= (resources[name] ?? 0)),
        ),
      );
  }

  #log(text: string): void {
    const line = `${this.clock.now.toFixed(2)} ${text}`;
    this.#hash = hashText(line, this.#hash);
    this.#lines.push(line);
    if (this.#lines.length > 4 * limits.lines) this.#lines.splice(0, 2 * limits.lines);
    if (this.#verbose) console.log(line);
  }

  #chaos(): void {
    const end = this.clock.now + this.#chaosMs;
    plague(this, end);
    this.clock.run(end, () => false);
  }

  #heal(): void {
    this.note('the faults stop');
    this.network.partitions.clear();
    for (const client of this.clients) client.finish();
    for (const node of this.nodes) node.slowness = Math.min(node.slowness, 3);
  }

  /** Every promise is kept in bounded time. */
  #settle(): void {
    const open = (): TaskKey[] => this.clients.filter(({ alive }) => alive).flatMap((client) => client.open);
    const still = (): boolean => {
      const { waiting, ready, assigned } = this.scheduler.state.counts;
      return open().length === 0 && waiting + ready + assigned === 0 && this.#allJoined();
    };
    // Twice: a broken connection that is noticed late may undo what was done.
    for (const round of [1, 2]) {
      this.clock.run(this.clock.now + limits.quietMs, () => false);
      const kept = this.clock.run(this.clock.now + limits.settleMs, still);
      this.note(`round ${round}: settled`);
      if (!kept)
        this.expect([`not settled: ${open().join(' ') || 'the scheduler is busy'}${this.#idleness()}`]);
    }
    this.clock.run(this.clock.now + 5000, () => false);
    if (!still()) this.expect([`does not stay settled: ${open().join(' ')}${this.#idleness()}`]);
  }

  #allJoined(): boolean {
    return this.nodes.every(({ alive, state }) => alive && state.connected);
  }

  #idleness(): string {
    const away = this.nodes.filter(({ alive, state }) => !alive || !state.connected).map(({ name }) => name);
    const active = [...this.scheduler.state.tasks].filter(([, { phase }]) =>
      ['waiting', 'ready', 'assigned'].includes(phase.name),
    );
    return `; away: ${away.join(' ') || 'none'}; active: ${active.map(([key]) => key).join(' ') || 'none'}`;
  }

  /** When all is quiet, the scheduler knows exactly what lies on every node. */
  #compare(): void {
    for (const node of this.nodes) {
      const record = this.scheduler.state.nodes.get(nodeId(node.name));
      const believed = [...(record?.held ?? [])].map(({ spec }) => spec.key).sort();
      const real = [...node.store.keys()].sort();
      if (believed.join(' ') === real.join(' ')) continue;
      this.expect([`${node.name} holds ${real.join(' ')}; the scheduler believes ${believed.join(' ')}`]);
    }
  }

  /** When nobody wants anything any more, nothing is left anywhere. */
  #release(): void {
    for (const client of this.clients) client.releaseAll();
    const left = (): number => {
      let count = this.scheduler.state.tasks.size;
      for (const { store, state } of this.nodes) count += store.size + state.runs.size + state.data.size;
      return count;
    };
    if (this.clock.run(this.clock.now + limits.leakMs, () => left() === 0)) return;
    const tasks = [...this.scheduler.state.tasks.keys()];
    const stores = this.nodes.map(({ name, store }) => `${name}: ${[...store.keys()].join(' ')}`);
    this.expect([`left: tasks ${tasks.join(' ')}; ${stores.join('; ')}`]);
  }

  #shutDown(): void {
    const client = this.clients.find(({ alive }) => alive)!;
    this.ending = true;
    client.say({ type: 'shutdown' });
    const stopped = this.clock.run(this.clock.now + 60_000, () => this.scheduler.stopped);
    const alive = this.nodes.filter((node) => node.alive).map(({ name }) => name);
    if (!stopped || alive.length > 0) this.expect([`does not shut down; alive: ${alive.join(' ')}`]);
  }

  #report(thrown: unknown): string {
    const text = thrown instanceof Violation ? thrown.message : String((thrown as Error).stack ?? thrown);
    const named = /\bg\d+\.\d+\b/.exec(text)?.[0];
    const { state } = this.scheduler;
    const life = named === undefined ? [] : [...story(state, taskKey(named)), explain(state, taskKey(named))];
    return [
      `seed ${this.seed} at ${this.clock.now.toFixed(2)} ms`,
      `faults: ${this.faults.chosen.join(', ') || 'none'}`,
      text,
      ...(life.length === 0 ? [] : [`story of ${named}:`, ...life.map((line) => `  ${line}`)]),
      'last events:',
      ...this.#lines.slice(-limits.lines).map((line) => `  ${line.slice(0, 400)}`),
    ].join('\n');
  }
}

function planNodes(random: Random, sites: readonly string[]): NodePlan[] {
  return sites.flatMap((site) =>
    Array.from({ length: random.int(1, 3) }, (_, index) => ({
      name: `${site}${index + 1}`,
      site,
      threads: random.pick([1, 1, 2, 4]),
      gpus: random.chance(0.3) ? 1 : 0,
    })),
  );
}

/** Runs one seed. */
export function simulate(seed: number, options: SimulationOptions = {}): Outcome {
  return new Simulation(seed, options).run();
}
