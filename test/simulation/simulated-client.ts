/** A client with its plan: submits graphs, fetches results, keeps some, builds on them, cancels, releases,
 * goes and returns. It remembers what it was promised, and says again what may be lost with a connection or a
 * scheduler. */
import type { NodeId, TaskKey } from '../../runtime/index.ts';
import { Intents, isIntent } from '../../scheduler/intents.ts';
import type { ToClient, ToScheduler, WireError } from '../../scheduler/protocol.ts';
import { modelledFrom, type TaskModel } from './graphs.ts';
import { SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import type { ClientConnection } from './simulated-scheduler.ts';
import type { Simulation } from './simulation.ts';

interface Want {
  readonly model: TaskModel;
  state: 'pending' | 'fetching' | 'kept';
  cancelled: boolean;
  /** Kept until the end, or released as soon as it is fetched. */
  readonly future: boolean;
}

export class SimulatedClient extends SimulatedProcess {
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly wants = new Map<TaskKey, Want>();
  readonly #intents = new Intents();
  /** What was ever cancelled: the answer may come after it is wanted again. */
  readonly #cancelled = new Set<TaskKey>();
  #connection: ClientConnection | undefined;
  #welcomed = false;
  /** Still makes plans. */
  busy = true;
  settled = 0;
  failures = new Map<string, number>();

  constructor(simulation: Simulation, place: { name: string; site: string }, random: Random) {
    super(place, simulation.clock);
    this.#simulation = simulation;
    this.#random = random;
    this.turn();
    this.#dial();
    this.#plan();
  }

  /** Wants whose promise is still open. */
  get open(): TaskKey[] {
    return [...this.wants].filter(([, { state }]) => state !== 'kept').map(([key]) => key);
  }

  /** Makes no plans any more. */
  finish(): void {
    this.busy = false;
  }

  releaseAll(): void {
    this.post(() => this.#release([...this.wants.keys()]));
  }

  /** Goes for good, without a word. */
  vanish(): void {
    if (!this.alive) return;
    this.#simulation.note(`${this.name} vanishes`);
    this.busy = false;
    this.wants.clear();
    this.turn();
    this.#connection?.break(1000);
    this.#connection = undefined;
  }

  breakConnection(slowMs: number): void {
    this.#connection?.break(slowMs);
  }

  /** What was said without a connection is said on return, if it is an intent. */
  say(message: ToScheduler): void {
    if (isIntent(message)) this.#intents.add(message);
    if (this.#welcomed) this.#connection?.say(message);
  }

  #dial(): void {
    const { scheduler, network } = this.#simulation;
    if (!scheduler.alive || !network.reachable(this, scheduler)) {
      this.later(500, () => this.#dial());
      return;
    }
    const connection = scheduler.acceptClient(this, {
      heard: (message) => {
        this.#simulation.record(this.name, message);
        this.#hear(message);
      },
      closed: () => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        this.#welcomed = false;
        this.later(this.#random.pick([10, 500, 3000, 9000]), () => this.#dial());
      },
    });
    this.#connection = connection;
  }

  #hear(message: ToClient): void {
    if (message.type === 'welcome') this.#return(message);
    else if (message.type === 'accepted') this.#intents.accept(message.through);
    else if (message.type === 'held') this.#onHeld(message);
    else if (message.type === 'failed') this.#onFailed(message.key, message.error, message.culprit);
  }

  /** Says again what may be lost, as the true client does; to a scheduler that knows nothing of it,
   * everything. */
  #return({ known, heard }: Extract<ToClient, { type: 'welcome' }>): void {
    this.#welcomed = true;
    const again = known ? this.#intents.after(heard) : undefined;
    if (again === undefined) {
      this.#intents.forget(heard);
      for (const want of this.wants.values()) if (want.state === 'pending') want.cancelled = false;
      this.#submit([...this.wants.values()].map(({ model }) => model));
      return;
    }
    for (const intent of again) this.#connection?.say(intent);
    const pending = [...this.wants].filter(([, { state }]) => state === 'pending');
    // Whether the answer to a cancellation was lost is not worth a question.
    for (const [key, { cancelled }] of pending) if (cancelled) this.#settle(key);
    const open = pending.filter(([, { cancelled }]) => !cancelled).map(([key]) => key);
    if (open.length > 0) this.say({ type: 'recall', keys: open });
  }

  #submit(models: readonly TaskModel[]): void {
    if (models.length === 0) return;
    const tasks = this.#simulation.models.lineage(models).map(({ spec }) => spec);
    this.say({ type: 'submit', tasks, wants: models.map(({ spec }) => spec.key) });
  }

  /** Each plan has random numbers of its own, so that one left out leaves the others as they were. */
  #plan(ordinal = 1): void {
    this.later(this.#random.between(10, 3000), () => {
      if (!this.busy) return;
      const act = `plan:${this.name}:${ordinal}`;
      if (this.#simulation.allows(act)) this.#carryOut(this.#random.split(act));
      this.#plan(ordinal + 1);
    });
  }

  #carryOut(random: Random): void {
    const dice = random.next();
    if (dice < 0.6) this.#ask(random);
    else if (dice < 0.7) this.#cancelSome(random);
    else if (dice < 0.85) this.#release(random.some([...this.wants.keys()], 2));
    else if (dice < 0.9) this.say({ type: 'status' });
  }

  /** Submits a new graph, upon futures that it holds, or one of another client's. */
  #ask(random: Random): void {
    const { models } = this.#simulation;
    const futures = [...this.wants.values()].filter(({ state, future }) => state === 'kept' && future);
    // What is kept in a window keeps others out of it.
    const known = [...models.byKey.values()].filter(({ spec }) => spec.hints.maxInFlight === undefined);
    const { wants, tasks } =
      known.length > 0 && random.chance(0.25)
        ? { wants: random.some(known, 2), tasks: [] }
        : models.grow(
            futures.map(({ model }) => model),
            random.split('graph'),
          );
    const fresh = wants.filter(({ spec }) => !this.wants.has(spec.key));
    if (fresh.length === 0) return;
    for (const model of fresh) {
      const future = random.chance(0.3);
      this.wants.set(model.spec.key, { model, state: 'pending', cancelled: false, future });
    }
    if (tasks.length === 0) {
      this.#submit(fresh);
      return;
    }
    // What stands upon futures is sent without their lineage, which the scheduler knows.
    const keys = fresh.map(({ spec }) => spec.key);
    this.say({ type: 'submit', tasks: tasks.map(({ spec }) => spec), wants: keys });
  }

  #cancelSome(random: Random): void {
    const pending = [...this.wants.values()].filter(({ state }) => state === 'pending');
    const chosen = random.some(pending, 2);
    // Without a connection nobody would hear of it, nor answer.
    if (chosen.length === 0 || !this.#welcomed) return;
    for (const want of chosen) {
      want.cancelled = true;
      this.#cancelled.add(want.model.spec.key);
    }
    this.say({ type: 'cancel', keys: chosen.map(({ model }) => model.spec.key) });
  }

  #release(keys: readonly TaskKey[]): void {
    if (keys.length === 0) return;
    for (const key of keys) this.wants.delete(key);
    this.say({ type: 'release', keys });
  }

  #onHeld({ key, replicas, inline }: Extract<ToClient, { type: 'held' }>): void {
    const want = this.wants.get(key);
    if (want === undefined || want.state !== 'pending') return;
    this.#simulation.expect(replicas.length > 0 ? [] : [`${this.name} is told that ${key} is held nowhere`]);
    if (inline !== undefined) {
      this.#take(want, modelledFrom(inline));
      return;
    }
    want.state = 'fetching';
    this.#fetch(want, replicas[0]!.node);
  }

  #fetch(want: Want, node: NodeId): void {
    const { key } = want.model.spec;
    this.#simulation.fetch(this, { key, from: node }, (entry) => {
      if (this.wants.get(key) !== want) return;
      if (typeof entry === 'string') {
        this.#simulation.expectFault(`${this.name} can't fetch ${key}`);
        want.state = 'pending';
        if (want.cancelled) this.#settle(key);
        else this.say({ type: 'unfetched', key, node, reason: entry });
        return;
      }
      this.#take(want, entry.value);
    });
  }

  #take(want: Want, given: number): void {
    const { value, spec } = want.model;
    const wrong = `${this.name} was given ${given} for ${spec.key}, which is ${value}`;
    this.#simulation.expect(given === value ? [] : [wrong]);
    if (want.future && !want.cancelled) {
      want.state = 'kept';
      this.settled++;
    } else {
      this.#settle(spec.key);
    }
  }

  #settle(key: TaskKey): void {
    this.settled++;
    this.#release([key]);
  }

  #onFailed(key: TaskKey, error: WireError, culprit: TaskKey): void {
    const want = this.wants.get(key);
    if (want === undefined) return;
    const flaw = this.#simulation.excuse(
      { model: want.model, cancelled: this.#cancelled.has(key) },
      { error, culprit },
    );
    this.#simulation.expect(flaw === undefined ? [] : [`${this.name}: ${key} failed, ${flaw}`]);
    const code = error.code ?? error.name;
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    this.#settle(key);
  }
}
