/**
 * Owns one run of the makespan simulator: the production scheduler's core, with a placement policy, drives
 * simulated nodes through a graph in simulated time; messages take as long as their way. The same arguments
 * give the same run. Must not know: which policies and graphs there are.
 */
import {
  clientId,
  Heap,
  millis,
  type NodeId,
  nodeId,
  siteName,
  type TaskKey,
  taskKey,
} from '../../runtime/index.ts';
import { orderTasks } from '../../scheduler/order.ts';
import type { PlacementPolicy } from '../../scheduler/policy.ts';
import type { FromNode, Hints, NodeInfo, TaskSpec } from '../../scheduler/protocol.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { createState, type SchedulerEvent, type SchedulerState } from '../../scheduler/scheduler-state.ts';
import type { SimulatedGraph, SimulatedTask } from './graph.ts';
import { Machine, type World } from './machine.ts';
import { type Capacity, capacity, Network } from './network.ts';
import type { SimulatedSite, Topology } from './topology.ts';

/** What tasks are said to take before they run: the truth, what their author expects, or nothing. */
export type Knowledge = 'exact' | 'mean' | 'none';

/** What a policy may know beforehand; only static ones use it. */
export interface Plan {
  readonly policy: PlacementPolicy<SchedulerState> | undefined;
  /** The order of submission, as positions in the graph; that of clients unless given. */
  readonly order?: readonly number[];
  readonly heard?: (node: NodeId, message: FromNode) => void;
}

export interface SimulatedRunOptions {
  readonly graph: SimulatedGraph;
  readonly topology: Topology;
  readonly knowledge: Knowledge;
  readonly plan: Plan;
}

export interface Outcome {
  readonly makespanSeconds: number;
  readonly crossSiteBytes: number;
  /** Real time that the scheduler took. */
  readonly schedulerMs: number;
}

const client = clientId('bench');
const tickSeconds = 1;
const heartbeatTicks = 5;
/** A run that takes longer hangs. */
const mostSeconds = 3e6;

export function keyAt(position: number): TaskKey {
  return taskKey(`t${position}`);
}

interface Site extends SimulatedSite {
  readonly up: Capacity;
  readonly down: Capacity;
}

export class SimulatedRun {
  readonly #graph: SimulatedGraph;
  readonly #options: SimulatedRunOptions;
  readonly #state: SchedulerState;
  readonly #network = new Network();
  readonly #machines = new Map<NodeId, Machine>();
  readonly #sites = new Map<string, Site>();
  readonly #hub: Capacity;
  readonly #agenda = new Heap<{ at: number; order: number; what: () => void }>(
    (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order),
  );
  readonly #left: Set<TaskKey>;
  #now = 0;
  #order = 0;
  #fed = false;
  #crossSiteBytes = 0;
  #schedulerMs = 0;

  constructor(options: SimulatedRunOptions) {
    const { graph, topology, plan } = options;
    this.#options = options;
    this.#graph = graph;
    this.#state = createState(1, plan.policy);
    this.#hub = capacity(topology.hubRate);
    const used = new Set(graph.tasks.flatMap(({ inputs }) => inputs));
    const ends = graph.tasks.map((_, index) => index).filter((index) => !used.has(index));
    this.#left = new Set(ends.map(keyAt));
    for (const site of topology.sites) this.#addSite(site);
  }

  run(): Outcome {
    for (const { info } of this.#machines.values()) this.#feed({ type: 'node-joined', info });
    this.#feed({ type: 'client-joined', client });
    const message = { type: 'submit', tasks: this.#specs(), wants: [...this.#left], more: false } as const;
    this.#feed({ type: 'from-client', client, message });
    this.#tick(0);
    while (this.#left.size > 0) {
      if (this.#fed) this.#drain();
      const at = Math.min(this.#agenda.first?.at ?? mostSeconds, this.#network.nextEnd);
      if (!(at < mostSeconds)) throw new Error(`${this.#graph.name} hangs with ${this.#left.size} left`);
      this.#now = Math.max(this.#now, at);
      this.#network.advance(this.#now);
      while (this.#agenda.first !== undefined && this.#agenda.first.at <= this.#now)
        this.#agenda.pop()!.what();
    }
    return {
      makespanSeconds: this.#now,
      crossSiteBytes: this.#crossSiteBytes,
      schedulerMs: this.#schedulerMs,
    };
  }

  #addSite(plan: SimulatedSite): void {
    const site: Site = { ...plan, up: capacity(plan.uplinkRate), down: capacity(plan.uplinkRate) };
    this.#sites.set(plan.name, site);
    for (let index = 0; index < plan.nodes; index++) {
      const info: NodeInfo = {
        role: 'node',
        node: nodeId(`${plan.name}-${index}`),
        site: siteName(plan.name),
        url: 'ws://simulated',
        threads: plan.threads,
        memoryBytes: 2 ** 40,
        resources: plan.gpus > 0 ? { gpu: plan.gpus } : {},
        pid: 1,
      };
      const links = { up: capacity(plan.nodeRate), down: capacity(plan.nodeRate) };
      this.#machines.set(info.node, new Machine(info, links, this.#world));
    }
    const { outage } = plan;
    if (outage === undefined) return;
    const setRate = (rate: number) => (): void => {
      site.up.rate = rate;
      site.down.rate = rate;
      this.#network.changed();
    };
    this.#after(outage.from, setRate(0));
    this.#after(outage.until, setRate(plan.uplinkRate));
  }

  readonly #world: World = {
    nowMs: () => 1000 * this.#now,
    say: (machine, message) => this.#report(machine, message),
    after: (seconds, what) => this.#after(seconds, what),
    secondsOf: (key) => this.#taskOf(key).seconds,
    bytesOf: (key) => this.#taskOf(key).bytes,
    fetch: (machine, { from, bytes, done }) => this.#fetch(machine, this.#machines.get(from)!, bytes, done),
  };

  #taskOf(key: TaskKey): SimulatedTask {
    return this.#graph.tasks[Number(key.slice(1))]!;
  }

  #specs(): TaskSpec[] {
    const specs = this.#graph.tasks.map((task, index) => this.#specOf(task, index));
    const { order } = this.#options.plan;
    return order === undefined ? orderTasks(specs, [...this.#left]) : order.map((index) => specs[index]!);
  }

  #specOf(task: SimulatedTask, index: number): TaskSpec {
    const { knowledge } = this.#options;
    const needs: Record<string, number> = {};
    if (task.threads > 1) needs.threads = task.threads;
    if (task.gpus > 0) needs.gpu = task.gpus;
    const hints: Hints = {
      ...(knowledge === 'exact' ? { seconds: task.seconds, bytes: task.bytes } : {}),
      ...(knowledge === 'mean' ? { seconds: task.expectedSeconds, bytes: task.expectedBytes } : {}),
      ...(task.site === undefined ? {} : { site: siteName(task.site) }),
      ...(Object.keys(needs).length > 0 ? { needs } : {}),
    };
    return { key: keyAt(index), fn: task.fn, args: new Uint8Array(0), inputs: task.inputs.map(keyAt), hints };
  }

  #after(seconds: number, what: () => void): void {
    this.#agenda.push({ at: this.#now + seconds, order: this.#order++, what });
  }

  /** The scheduler stands at the first site. */
  #latencyTo(machine: Machine): number {
    const [first] = this.#options.topology.sites;
    return this.#latency(first!.name, machine.info.site);
  }

  #latency(from: string, to: string): number {
    const [a, b] = [this.#sites.get(from)!, this.#sites.get(to)!];
    return a === b ? 0.0001 : a.latencySeconds + b.latencySeconds;
  }

  #report(machine: Machine, message: FromNode): void {
    const event = { type: 'from-node', node: machine.info.node, message } as const;
    this.#after(this.#latencyTo(machine), () => {
      this.#options.plan.heard?.(event.node, message);
      this.#feed(event);
    });
  }

  /** The request travels one way, the first byte the other. */
  #fetch(machine: Machine, source: Machine, bytes: number, done: () => void): void {
    const [from, to] = [source.info.site, machine.info.site];
    const path = [source.up, machine.down];
    if (from !== to) {
      const { flowRate } = this.#options.topology;
      path.push(this.#sites.get(from)!.up, this.#sites.get(to)!.down, this.#hub, capacity(flowRate));
      this.#crossSiteBytes += bytes;
    }
    this.#after(2 * this.#latency(from, to), () => this.#network.begin(path, bytes, done));
  }

  #tick(count: number): void {
    if (count % heartbeatTicks === 0) {
      for (const machine of this.#machines.values()) this.#report(machine, machine.status());
    }
    this.#feed({ type: 'ticked' });
    this.#after(tickSeconds, () => this.#tick(count + 1));
  }

  #drain(): void {
    this.#feed({ type: 'drained' });
    this.#fed = false;
  }

  #feed(event: SchedulerEvent): void {
    this.#fed = true;
    const started = performance.now();
    const out = handle(this.#state, event, millis(1000 + 1000 * this.#now));
    this.#schedulerMs += performance.now() - started;
    for (const instruction of out) {
      if (instruction.type === 'notify') {
        const { message } = instruction;
        if (message.type === 'held') this.#left.delete(message.key);
        if (message.type === 'failed') throw new Error(`${message.key} failed: ${message.error.message}`);
      } else if (instruction.type === 'send') {
        const machine = this.#machines.get(instruction.to)!;
        this.#after(this.#latencyTo(machine), () => machine.hear(instruction.message));
      } else if (instruction.type !== 'record') {
        // Nothing is kept: this scheduler does not die.
        throw new Error(`the scheduler asks to ${instruction.type}`);
      }
    }
  }
}
