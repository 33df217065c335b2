/** The worker's core in a simulated process: its store, its executor, its fetches and its connection.
 * Whatever the core asks for that a real store or executor could not do is a failure of the simulation. */

import { check } from '../../nodes/worker-invariants.ts';
import { createWorkerState, type WorkerEvent, type WorkerInstruction } from '../../nodes/worker-state.ts';
import { millis, type NodeId, nodeId, type RunId, siteName, type TaskKey } from '../../runtime/index.ts';
import { type FromNode, heartbeatMs, isActorOrder, type NodeInfo } from '../../scheduler/protocol.ts';
import { modelledBytes, modelledFrom, modelledValue, type TaskModel } from './graphs.ts';
import { SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import type { NodeConnection } from './simulated-scheduler.ts';
import type { Simulation } from './simulation.ts';

interface Entry {
  readonly value: number;
  readonly bytes: number;
  /** It can't be read, which nobody knows yet. */
  damaged: boolean;
}
interface Execution {
  readonly model: TaskModel;
  readonly thread: number;
  readonly startMs: number;
  readonly inputs: readonly TaskKey[];
  readonly brief: boolean;
  stopped: boolean;
}
type StartInstruction = Extract<WorkerInstruction, { type: 'start' }>;
type Outcome = Extract<WorkerEvent, { type: 'run-ended' }>['outcome'];

export interface NodePlan {
  readonly name: string;
  readonly site: string;
  readonly threads: number;
  readonly gpus: number;
}

export class SimulatedNode extends SimulatedProcess {
  readonly plan: NodePlan;
  readonly #simulation: Simulation;
  readonly #random: Random;
  state;
  store = new Map<TaskKey, Entry>();
  #executing = new Map<RunId, Execution>();
  /** Brief runs that wait for a thread which others of the kind have. */
  #queued: { readonly run: RunId; readonly begin: () => void }[] = [];
  /** A result that is to be kept or discarded. */
  #ended: { readonly run: RunId; readonly result: Entry } | undefined;
  /** Fetches by number; a cancelled one may report all the same. */
  #fetches = new Map<TaskKey, { wanted: boolean }>();
  connection: NodeConnection | undefined;
  /** How much longer than modelled its runs take. */
  slowness = 1;

  constructor(simulation: Simulation, plan: NodePlan, random: Random) {
    super(plan, simulation.clock);
    this.plan = plan;
    this.#simulation = simulation;
    this.#random = random;
    this.state = this.#freshState();
  }

  get id(): NodeId {
    return nodeId(this.name);
  }

  start(): void {
    if (this.alive) return;
    this.turn();
    this.state = this.#freshState();
    this.store = new Map();
    this.#executing = new Map();
    this.#queued = [];
    this.#fetches = new Map();
    this.#simulation.note(`${this.name} starts`);
    this.#dial();
    this.#beat();
  }

  /** The process is gone at once, with all it held. */
  crash(slowMs: number): void {
    if (!this.alive) return;
    this.#simulation.note(`${this.name} crashes`);
    this.turn();
    this.connection?.break(slowMs);
    this.connection = undefined;
    this.#startLater();
  }

  #startLater(): void {
    this.clock.after(this.#random.pick([20, 1000, 9000]), () => this.start());
  }

  stop(): void {
    if (this.alive) this.post(() => this.feed({ type: 'stopping' }));
  }

  setPressed(pressed: boolean): void {
    this.post(() => this.feed({ type: 'memory-noted', pressed }));
  }

  /** A datum can no longer be read; the store notices at once or when it is next read. */
  damage(key: TaskKey, noticed: boolean): void {
    const entry = this.store.get(key);
    if (!this.alive || entry === undefined) return;
    this.#simulation.note(`${this.name} damages ${key}`);
    entry.damaged = true;
    if (noticed) this.post(() => this.read(key));
  }

  /** What the store delivers, to itself or to another place. */
  read(key: TaskKey): Entry | undefined {
    const entry = this.store.get(key);
    if (entry === undefined || !entry.damaged) return entry;
    this.later(0, () => {
      // Noticed by two readers, or told to forget it meanwhile.
      if (this.store.get(key) !== entry) return;
      this.store.delete(key);
      this.feed({ type: 'datum-lost', key });
    });
    return undefined;
  }

  feed(event: WorkerEvent): void {
    const simulation = this.#simulation;
    simulation.record(this.name, event);
    const out = simulation.cores.worker(this.state, event, millis(this.clock.now));
    simulation.expect(check(this.state));
    this.#checkOrder(out);
    const { life } = this;
    for (const instruction of out) if (this.life === life) this.#do(instruction);
  }

  /** None starts while one that comes before it, and needs no more than a thread, is left waiting. */
  #checkOrder(out: readonly WorkerInstruction[]): void {
    const started = out.flatMap((instruction) =>
      instruction.type === 'start' ? [this.state.runs.get(instruction.run)!] : [],
    );
    if (started.length === 0) return;
    const last = started.reduce((a, b) => (a.rank > b.rank ? a : b));
    for (const { key, rank, phase, hints } of this.state.runs.values()) {
      const passedOver = phase.name === 'ready' && hints.needs === undefined && rank < last.rank;
      this.#must(!passedOver, `starts ${last.key} before ${key}`);
    }
  }

  #freshState() {
    const { name, site, threads, gpus } = this.plan;
    const resources: Record<string, number> = gpus > 0 ? { gpu: gpus } : {};
    return createWorkerState({ node: nodeId(name), site: siteName(site), threads, resources });
  }

  #dial(): void {
    const { scheduler, network } = this.#simulation;
    if (!scheduler.alive || !network.reachable(this, scheduler)) {
      this.later(500, () => this.#dial());
      return;
    }
    const { name, site, threads, gpus } = this.plan;
    const info: NodeInfo = {
      role: 'node',
      node: nodeId(name),
      site: siteName(site),
      url: `ws://${name}`,
      threads,
      memoryBytes: 1e8,
      resources: gpus > 0 ? { gpu: gpus } : {},
      pid: this.life,
      announces: true,
    };
    const connection = scheduler.acceptNode(this, info, {
      heard: (message) => {
        if (!isActorOrder(message)) this.feed({ type: 'from-scheduler', message });
      },
      closed: () => {
        if (this.connection === connection) this.#lose();
      },
    });
    this.connection = connection;
  }

  #lose(): void {
    this.connection = undefined;
    this.feed({ type: 'scheduler-lost' });
    this.later(this.#random.between(50, 1500), () => this.#dial());
  }

  #beat(): void {
    this.later(heartbeatMs, () => {
      let storedBytes = 0;
      for (const { bytes } of this.store.values()) storedBytes += bytes;
      this.feed({ type: 'ticked', storedBytes, rssBytes: 1e7 + storedBytes });
      this.#beat();
    });
  }

  #do(instruction: WorkerInstruction): void {
    const { type } = instruction;
    switch (type) {
      case 'send':
        this.#send(instruction.message);
        return;
      case 'fetch':
        this.#fetch(instruction);
        return;
      case 'cancel-fetch': {
        const fetch = this.#fetches.get(instruction.key);
        if (fetch !== undefined) fetch.wanted = false;
        return;
      }
      case 'start':
        this.#execute(instruction);
        return;
      case 'stop-run': {
        if (this.#dequeue(instruction.run)) return;
        const execution = this.#executing.get(instruction.run);
        this.#must(execution !== undefined, `is to stop run ${instruction.run}, which it does not run`);
        if (execution !== undefined) execution.stopped = true;
        if (this.#random.chance(0.5))
          this.later(this.#random.between(0, 20), () => this.#end(instruction.run));
        return;
      }
      case 'keep': {
        const { run, key } = instruction;
        this.#must(this.#ended?.run === run, `is to keep the result of run ${run}, which has none`);
        this.#must(!this.store.has(key), `is to keep ${key}, which lies in the store`);
        this.store.set(key, this.#ended!.result);
        this.#ended = undefined;
        return;
      }
      case 'discard':
        this.#must(this.#ended?.run === instruction.run, 'is to discard nothing');
        this.#ended = undefined;
        return;
      case 'forget':
        for (const key of instruction.keys) this.#forget(key);
        return;
      case 'hang-up':
        this.connection?.hangUp('dialler');
        this.#lose();
        return;
      case 'leave':
        this.#simulation.note(`${this.name} leaves`);
        this.connection?.hangUp('dialler');
        this.connection = undefined;
        this.turn();
        if (!this.#simulation.ending) this.#startLater();
        return;
    }
  }

  #must(holds: boolean, what: string): void {
    if (!holds) this.#simulation.expect([`${this.name} ${what}`]);
  }

  #send(message: FromNode): void {
    this.connection?.say(message);
  }

  #forget(key: TaskKey): void {
    this.#must(this.store.delete(key), `is to forget ${key}, which it does not hold`);
    for (const [run, { inputs }] of this.#executing) {
      this.#must(!inputs.includes(key), `is to forget ${key}, an input of run ${run}`);
    }
  }

  #fetch({ key, from }: Extract<WorkerInstruction, { type: 'fetch' }>): void {
    const simulation = this.#simulation;
    const { spec } = simulation.models.byKey.get(key)!;
    this.#must(spec.hints.stay !== true || from.site === this.site, `fetches ${key}, which must stay`);
    const fetch = { wanted: true };
    this.#fetches.set(key, fetch);
    simulation.fetch(this, { key, from: from.node }, (entry, ms) => {
      if (!fetch.wanted && this.#random.chance(0.5)) return;
      if (typeof entry === 'string') {
        this.feed({ type: 'fetch-failed', key, from: from.node, reason: entry });
      } else {
        if (!this.store.has(key)) this.store.set(key, { ...entry, damaged: false });
        this.feed({ type: 'fetched', key, bytes: entry.bytes, from: from.node, ms });
      }
    });
  }

  /** Whether a run was taken back before it had a thread; its end is told all the same. */
  #dequeue(run: RunId): boolean {
    const place = this.#queued.findIndex((queued) => queued.run === run);
    if (place < 0) return false;
    this.#queued.splice(place, 1);
    const outcome = {
      ok: false,
      error: { name: 'Error', message: 'it was stopped' },
      retryable: true,
    } as const;
    const nowMs = this.clock.now;
    this.later(0, () =>
      this.feed({ type: 'run-ended', run, outcome, thread: 0, startMs: nowMs, endMs: nowMs }),
    );
    return true;
  }

  #execute(instruction: StartInstruction): void {
    const { run, key, inlined, hints } = instruction;
    const model = this.#simulation.models.byKey.get(key)!;
    const inputs = instruction.inputs.filter((input) => !inlined.has(input));
    for (const input of inputs) {
      this.#must(this.store.has(input), `starts run ${run} of ${key} without its input ${input}`);
    }
    this.#must(hints.site === undefined || hints.site === this.site, `starts ${key}, bound to ${hints.site}`);
    const gpus = hints.needs?.gpu ?? 0;
    this.#must(gpus <= this.plan.gpus, `starts ${key}, which needs a GPU`);
    const entries = inputs.map((input) => this.read(input));
    const begin = (): void => this.#begin(instruction, { model, inputs, entries });
    // A thread is soon free where it has a brief run.
    const soon = instruction.brief || [...this.#executing.values()].some((other) => other.brief);
    if (soon && this.#executing.size >= this.plan.threads) this.#queued.push({ run, begin });
    else begin();
  }

  #begin(
    instruction: StartInstruction,
    {
      model,
      inputs,
      entries,
    }: {
      readonly model: TaskModel;
      readonly inputs: readonly TaskKey[];
      readonly entries: readonly (Entry | undefined)[];
    },
  ): void {
    const { run, key, inlined, brief } = instruction;
    const taken = new Set([...this.#executing.values()].map(({ thread }) => thread));
    let thread = 0;
    while (taken.has(thread)) thread++;
    this.#must(thread < this.plan.threads, `starts run ${run} without a thread to spare`);
    const startMs = this.clock.now;
    const execution: Execution = { model, thread, startMs, inputs, brief, stopped: false };
    this.#executing.set(run, execution);
    const readable = entries.every((entry) => entry !== undefined);
    this.later(this.#random.between(0, 3), () => {
      if (!brief && this.#executing.has(run)) this.feed({ type: 'run-started', run });
    });
    const ms = readable ? this.slowness * model.ms * this.#random.between(0.5, 1.5) : 4;
    const values = instruction.inputs.map((input) => {
      const bytes = inlined.get(input);
      return bytes === undefined ? (entries[inputs.indexOf(input)]?.value ?? 0) : modelledFrom(bytes);
    });
    const value = modelledValue(model.spec.fn, key, values);
    this.later(ms, () =>
      this.#end(run, readable ? { value, bytes: model.bytes, damaged: false } : undefined),
    );
  }

  #end(run: RunId, result?: Entry): void {
    const execution = this.#executing.get(run);
    if (execution === undefined) return;
    const { model, stopped, startMs, thread } = execution;
    const outcome = this.#outcome(model, stopped, result);
    this.#executing.delete(run);
    this.#queued.shift()?.begin();
    this.#ended = outcome.ok ? { run, result: result! } : undefined;
    this.feed({ type: 'run-ended', run, outcome, thread, startMs, endMs: this.clock.now });
    this.#must(this.#ended === undefined, `neither keeps nor discards the result of run ${run}`);
  }

  #outcome(model: TaskModel, stopped: boolean, result: Entry | undefined): Outcome {
    if (result === undefined) {
      const message = stopped ? 'it was stopped' : 'an input could not be read';
      return { ok: false, error: { name: 'Error', message }, retryable: true };
    }
    model.attempts++;
    if (model.attempts > model.throwsFirst && !model.fatal) {
      const inline = result.bytes < 300 ? modelledBytes(result.value) : undefined;
      return { ok: true, bytes: result.bytes, inline };
    }
    const error = {
      name: 'Error',
      message: `${model.spec.key} throws`,
      code: model.fatal ? 'fatal' : 'thrown',
    };
    return { ok: false, error, retryable: !model.fatal };
  }
}
