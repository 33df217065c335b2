/**
 * Owns Dask.distributed's placement as a baseline, written from its documented rules: root-like tasks are
 * queued and go to the emptiest worker, all others at once to the holder of an input where occupancy and
 * transfers over one cluster-wide bandwidth cost least; once a second idle workers take tasks that have not
 * begun from saturated ones. Must not know: sites and links, as Dask does not.
 */
import { assign } from '../../../scheduler/assignment.ts';
import { secondsOf } from '../../../scheduler/estimates.ts';
import type { FromNode } from '../../../scheduler/protocol.ts';
import { boundSite, classOf } from '../../../scheduler/ready-classes.ts';
import {
  type NodeRecord,
  type SchedulerState,
  send,
  type TaskRecord,
} from '../../../scheduler/scheduler-state.ts';
import { partFn } from '../graph.ts';
import type { Plan } from '../simulated-run.ts';

const saturation = 1.1;
const rootishGroup = 5;
const stealIntervalMs = 1000;
const stealLatencySeconds = 0.1;
const stealLevels = 15;
const fewWorkers = 20;
const measuredBytes = 1e6;

interface Group {
  size: number;
  readonly inputs: Set<string>;
}

class DaskPolicy {
  readonly name = 'dask';
  #bandwidth = 100e6;
  readonly #workerBandwidth = new Map<string, number>();
  #groups: Map<string, Group> | undefined;
  readonly #queued: TaskRecord[] = [];
  /** Seconds of transfers that a placed task was charged for, by task. */
  readonly #network = new Map<TaskRecord, number>();
  #turn = 0;
  #lastSteal = 0;

  place(state: SchedulerState): void {
    const groups = this.#groupsOf(state);
    const fresh = state.fresh;
    state.fresh = [];
    for (const task of fresh) {
      if (task.phase.name !== 'ready') continue;
      if (this.#isRootish(state, task, groups)) this.#queued.push(task);
      else this.#send(state, task, this.#decide(state, task));
    }
    this.#queued.sort((a, b) => a.rank - b.rank);
    while (this.#queued.length > 0) {
      const worker = this.#emptiest(state);
      if (worker === undefined) break;
      const task = this.#queued.shift()!;
      if (task.phase.name === 'ready') this.#send(state, task, worker);
    }
    if (state.now - this.#lastSteal < stealIntervalMs) return;
    this.#lastSteal = state.now;
    this.#balance(state);
  }

  hear(node: string, message: FromNode): void {
    const own = this.#workerBandwidth.get(node) ?? this.#bandwidth;
    if (message.type === 'replica-added' && message.fetchMs !== undefined && message.bytes > measuredBytes) {
      const rate = message.bytes / (message.fetchMs / 1000);
      this.#workerBandwidth.set(node, 0.95 * own + 0.05 * rate);
    } else if (message.type === 'heartbeat') {
      const count = Math.max(1, this.#workerBandwidth.size);
      this.#bandwidth = this.#bandwidth * (1 - 1 / count) + own / count;
    }
  }

  #groupsOf(state: SchedulerState): Map<string, Group> {
    if (this.#groups !== undefined || state.tasks.size === 0) return this.#groups ?? new Map();
    const groups = new Map<string, Group>();
    for (const { spec, inputs } of state.tasks.values()) {
      const group = groups.get(spec.fn) ?? { size: 0, inputs: new Set<string>() };
      groups.set(spec.fn, group);
      group.size++;
      for (const input of inputs) group.inputs.add(input.spec.fn);
    }
    this.#groups = groups;
    return groups;
  }

  /** Tasks that cut out one output are how graphs are written here: Dask must not suffer from them. */
  #isRootish(state: SchedulerState, task: TaskRecord, groups: Map<string, Group>): boolean {
    const { fn, hints } = task.spec;
    if (hints.site !== undefined || task.needs.named.length > 0 || fn === partFn) return false;
    const group = groups.get(fn)!;
    let threads = 0;
    for (const node of state.nodes.values()) threads += node.info.threads;
    let above = 0;
    for (const input of group.inputs) above += groups.get(input)!.size;
    return group.size > 2 * threads && group.inputs.size < rootishGroup && above < rootishGroup;
  }

  #emptiest(state: SchedulerState): NodeRecord | undefined {
    let best: NodeRecord | undefined;
    for (const node of state.nodes.values()) {
      const { threads } = node.info;
      if (Math.max(Math.ceil(saturation * threads), 1) <= node.assigned.size) continue;
      if (best === undefined || node.assigned.size / threads < best.assigned.size / best.info.threads) {
        best = node;
      }
    }
    return best;
  }

  #decide(state: SchedulerState, task: TaskRecord): NodeRecord {
    const site = boundSite(state, task);
    const kind = classOf(state, task, site === 'conflict' ? undefined : site);
    const restricted = kind.nodes.size < state.nodes.size || site !== undefined;
    if (task.inputs.length === 0 && !restricted) return this.#decideAlone(state);
    const holders = new Set<NodeRecord>();
    for (const { phase } of task.inputs) {
      if (phase.name !== 'held') continue;
      for (const id of phase.replicas) {
        const node = state.nodes.get(id)!;
        if (kind.nodes.has(node)) holders.add(node);
      }
    }
    return this.#cheapest(task, holders.size > 0 ? holders : kind.nodes);
  }

  #decideAlone(state: SchedulerState): NodeRecord {
    const idle = [...state.nodes.values()].filter((node) => node.assigned.size < node.info.threads);
    const pool = idle.length > 0 ? idle : [...state.nodes.values()];
    const first = this.#turn++ % pool.length;
    if (pool.length >= fewWorkers) return pool[first]!;
    let best = pool[first]!;
    for (let step = 1; step < pool.length; step++) {
      const node = pool[(first + step) % pool.length]!;
      if (this.#occupancy(node) < this.#occupancy(best)) best = node;
    }
    return best;
  }

  #cheapest(task: TaskRecord, nodes: Iterable<NodeRecord>): NodeRecord {
    let best: NodeRecord | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const node of nodes) {
      const cost = this.#objective(task, node);
      if (cost > least || (cost === least && node.status.storedBytes >= best!.status.storedBytes)) continue;
      best = node;
      least = cost;
    }
    return best!;
  }

  #objective(task: TaskRecord, node: NodeRecord): number {
    return this.#occupancy(node) / node.info.threads + this.#transfer(task, node);
  }

  #transfer(task: TaskRecord, node: NodeRecord): number {
    let bytes = 0;
    for (const { phase } of task.inputs) {
      if (phase.name === 'held' && !phase.replicas.has(node.info.node)) bytes += phase.bytes;
    }
    return bytes / this.#bandwidth;
  }

  #occupancy(node: NodeRecord): number {
    let network = 0;
    for (const task of node.assigned.values()) network += this.#network.get(task) ?? 0;
    return node.assignedSeconds + network;
  }

  #send(state: SchedulerState, task: TaskRecord, node: NodeRecord): void {
    this.#network.set(task, this.#transfer(task, node));
    assign(state, task, node);
  }

  #balance(state: SchedulerState): void {
    const nodes = [...state.nodes.values()];
    const occupancy = new Map(nodes.map((node) => [node, this.#occupancy(node)]));
    let all = 0;
    let threads = 0;
    for (const node of nodes) {
      all += occupancy.get(node)!;
      threads += node.info.threads;
    }
    const mean = all / threads;
    const isIdle = (node: NodeRecord): boolean =>
      node.assigned.size < node.info.threads || occupancy.get(node)! < (node.info.threads * mean) / 2;
    const isSaturated = (node: NodeRecord): boolean => {
      const [held, own] = [node.assigned.size, node.info.threads];
      const pending = (occupancy.get(node)! * (held - own)) / (held * own);
      return held > own && pending > 0.4 && pending > 1.9 * mean;
    };
    const idle = new Set(nodes.filter(isIdle));
    if (idle.size === 0 || idle.size === nodes.length) return;
    const byOccupancy = nodes.toSorted((a, b) => occupancy.get(b)! - occupancy.get(a)!);
    let victims = byOccupancy.filter(isSaturated);
    if (victims.length === 0) {
      const loaded = byOccupancy.slice(0, 10);
      victims = loaded.filter((node) => occupancy.get(node)! > 0.2 && node.assigned.size > node.info.threads);
    }
    for (let level = 0; level < stealLevels; level++) {
      for (const victim of victims) {
        for (const task of this.#stealable(state, victim, level)) {
          if (idle.size === 0) return;
          this.#trySteal(state, task, { victim, idle, occupancy });
          for (const node of idle) if (!isIdle(node)) idle.delete(node);
        }
      }
    }
  }

  #stealable(state: SchedulerState, victim: NodeRecord, level: number): TaskRecord[] {
    return [...victim.assigned.values()].filter((task) => {
      if (task.phase.name !== 'assigned' || task.phase.started) return false;
      return this.#levelOf(state, task, victim) === level;
    });
  }

  #levelOf(state: SchedulerState, task: TaskRecord, victim: NodeRecord): number {
    if (task.inputs.length === 0) return 0;
    const compute = secondsOf(state, task);
    if (compute < 0.005) return stealLevels;
    let bytes = 0;
    for (const { phase } of task.inputs) {
      if (phase.name === 'held' && phase.replicas.has(victim.info.node)) bytes += phase.bytes;
    }
    const ratio = (bytes / this.#bandwidth + stealLatencySeconds) / compute;
    return Math.max(1, Math.round(Math.log2(ratio) + 6));
  }

  #trySteal(
    state: SchedulerState,
    task: TaskRecord,
    among: { victim: NodeRecord; idle: Set<NodeRecord>; occupancy: Map<NodeRecord, number> },
  ): void {
    const { victim, idle, occupancy } = among;
    const site = boundSite(state, task);
    const kind = classOf(state, task, site === 'conflict' ? undefined : site);
    const thieves = [...idle].filter((node) => kind.nodes.has(node) && node !== victim);
    if (thieves.length === 0 || task.phase.name !== 'assigned') return;
    const thief = this.#cheapest(task, thieves);
    const compute = secondsOf(state, task);
    const there = this.#transfer(task, thief);
    const here = this.#transfer(task, victim);
    const [free, full] = [occupancy.get(thief)!, occupancy.get(victim)!];
    if (free + there + compute > full - (here + compute) / 2) return;
    send(state, victim.info.node, { type: 'abort', run: task.phase.run });
    this.#send(state, task, thief);
    occupancy.set(thief, free + there + compute);
    occupancy.set(victim, full - here - compute);
  }
}

export function daskPlan(): Plan {
  const policy = new DaskPolicy();
  return { policy, heard: (node, message) => policy.hear(node, message) };
}
