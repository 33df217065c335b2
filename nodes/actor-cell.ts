/**
 * Owns one incarnation of an actor on a node: its mailbox, its thread or process, the messages under way, and
 * what becomes of them when it stops, moves or dies. Must not know: connections of callers, the scheduler.
 */
import {
  type AsperitasError,
  type DatumParts,
  encodedBytes,
  encodeValue,
  fromWireError,
  Mailbox,
} from '../runtime/index.ts';
import type { ActorSpec } from '../scheduler/protocol.ts';
import { ActorParcels, type AtHand, type NodeParcel } from './actor-parcels.ts';
import { type ActorPlace, openProcess, openThread, within } from './actor-place.ts';
import { type ActorSetup, type FromPlace, mark, type Reply } from './actor-post.ts';
import { limits } from './limits.ts';
import { toOwnBytes } from './shared-frames.ts';

/** What callers hear of; `line` is the node's number of it. */
export interface CellEars {
  readonly answers: (line: number, body: DatumParts) => void;
  readonly refused: (line: number, from: number, why: 'full' | 'away') => void;
  readonly room: (line: number) => void;
  readonly saved: (snapshot: Uint8Array) => void;
  readonly parked: (name: string, error: AsperitasError) => void;
  /** The place has died by itself. */
  readonly died: (why: Error) => void;
}

export class ActorCell {
  readonly spec: ActorSpec;
  readonly incarnation: number;
  readonly #ears: CellEars;
  readonly #mailbox: Mailbox<number, NodeParcel>;
  readonly #parcels = new ActorParcels();
  readonly #lines = new Map<number, number>();
  readonly #marks = new Int32Array(new SharedArrayBuffer(4 * mark.length));
  readonly #place: ActorPlace;
  #begun: AtHand | undefined;
  #lastParcel = 0;
  #open = false;
  #over = false;
  readonly #paused: Promise<void>;
  #onPaused: () => void = () => undefined;

  constructor(about: {
    readonly spec: ActorSpec;
    readonly incarnation: number;
    readonly ears: CellEars;
    readonly env: Readonly<Record<string, string>>;
  }) {
    this.spec = about.spec;
    this.incarnation = about.incarnation;
    this.#ears = about.ears;
    this.#paused = new Promise((resolve) => {
      this.#onPaused = resolve;
    });
    this.#mailbox = new Mailbox(about.spec.mailbox, limits.mailboxBytes);
    const receive = (message: FromPlace): void => this.#receive(message);
    const label = about.spec.name ?? about.spec.definition;
    const { env, spec } = about;
    this.#place =
      spec.isolate === 'process' ? openProcess(env, receive) : openThread({ label, env }, receive);
    void this.#place.ended.then((why) => this.#onEnded(why));
  }

  /** Makes the state. Rejects with what `init` or `restore` throws, or when the place dies. */
  async begin(
    setup: Omit<
      ActorSetup,
      'actor' | 'name' | 'definition' | 'incarnation' | 'options' | 'marks' | 'saveEvery'
    >,
  ): Promise<void> {
    const { actor, name, definition, options, isolate, saveEvery } = this.spec;
    const { incarnation } = this;
    const marks = isolate === 'process' ? undefined : this.#marks;
    const own = { actor, name, definition, incarnation, options: toOwnBytes(options), saveEvery, marks };
    const reply = await this.#place.call('begin', { ...setup, ...own }, within(limits.actorBeginMs));
    replied(reply);
    this.#open = !this.#over;
  }

  /** A line begins: nothing is on it yet. */
  join(line: number): void {
    if (this.#open) this.#lines.set(line, 0);
    else this.#ears.refused(line, 0, 'away');
  }

  part(line: number): void {
    this.#lines.delete(line);
    this.#mailbox.forget(line);
  }

  offer(line: number, about: { readonly first: number; readonly count: number }, parts: DatumParts): void {
    if (!this.#open || !this.#lines.has(line)) return;
    const { first, count } = about;
    // Of their own: they are handed over to the thread.
    const frames = parts.frames.map((frame) => Uint8Array.from(frame));
    const body = { header: toOwnBytes(parts.header), frames };
    const bytes = encodedBytes(body);
    const id = ++this.#lastParcel;
    const parcel = { id, caller: line, first, count, bytes, body, arrivedMs: Date.now(), cancelled: [] };
    const offer = this.#mailbox.offer(parcel);
    if (offer === 'full') this.#ears.refused(line, first, 'full');
    if (offer !== 'taken') return;
    this.#lines.set(line, first + count);
    this.#handOver();
  }

  cancel(line: number, numbers: readonly number[]): void {
    for (const number of numbers) {
      const given = this.#parcels.find(line, number);
      if (given !== undefined) {
        this.#place.post({ type: 'cancel', parcel: given.id, index: given.index });
        continue;
      }
      const parcel = this.#mailbox.find(line, number);
      parcel?.cancelled.push(number - parcel.first);
    }
  }

  /** Ends what is begun, sends the rest back, and gives the state where it is wanted. The place is dead
   * afterwards. */
  async leave({ save }: { readonly save: boolean }): Promise<Uint8Array | undefined> {
    this.#open = false;
    try {
      replied(await this.#place.call('pause', undefined, within(limits.actorPauseMs)));
      await Promise.race([this.#paused, this.#place.ended]);
      const snapshot = save
        ? replied(await this.#place.call('save', undefined, within(limits.actorCallMs)))
        : undefined;
      // What it was given and did not begin goes back first: nobody need wait for `stop`.
      this.#sendBack(this.#atHand(), new Error('it has left'));
      replied(await this.#place.call('stop', undefined, within(limits.actorCallMs)));
      return snapshot;
    } finally {
      this.kill(new Error('it was stopped while it was at work'));
    }
  }

  /** Ends it at once; `died` is not called. */
  kill(why: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#open = false;
    this.#sendBack(this.#atHand(), why);
    this.#place.kill();
  }

  #receive(message: FromPlace): void {
    if (message.type === 'begun') {
      this.#begun = message;
    } else if (message.type === 'paused') {
      this.#onPaused();
    } else if (message.type === 'saved') {
      if (!this.#over) this.#ears.saved(message.snapshot);
    } else {
      for (const [parcel, count] of message.ended) this.#parcels.note(parcel, count);
      this.#ears.answers(message.line, message.body);
      this.#handOver();
    }
  }

  #handOver(): void {
    while (this.#open && this.#parcels.open < limits.actorAhead) {
      const parcel = this.#mailbox.take();
      if (parcel === undefined) break;
      this.#parcels.give(parcel);
      const { id, caller: line, ...rest } = parcel;
      const { first, count, arrivedMs, body, cancelled } = rest;
      this.#place.post({ type: 'parcel', parcel: id, line, first, count, arrivedMs, body, cancelled });
    }
    for (const line of this.#mailbox.relieved()) this.#ears.room(line);
  }

  #atHand(): AtHand | undefined {
    if (this.spec.isolate === 'process') return this.#begun;
    return {
      parcel: Atomics.load(this.#marks, mark.parcel),
      index: Atomics.load(this.#marks, mark.index),
      count: Atomics.load(this.#marks, mark.count),
    };
  }

  #onEnded(why: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#open = false;
    this.#sendBack(this.#atHand(), why);
    this.#ears.died(why);
  }

  /** Tells every caller what became of its messages: those at hand were interrupted, and those that were not
   * begun go back. */
  #sendBack(atHand: AtHand | undefined, why: Error): void {
    const { answers, notBegun, parked } = this.#parcels.wreck(atHand, {
      why,
      poisonAfter: this.spec.poisonAfter,
    });
    const from = new Map(notBegun);
    for (const { caller, first } of this.#mailbox.empty()) if (!from.has(caller)) from.set(caller, first);
    for (const { name, error } of parked) this.#ears.parked(name, error);
    for (const [line, flat] of answers) this.#ears.answers(line, encodeValue(flat));
    for (const [line, next] of this.#lines) this.#ears.refused(line, from.get(line) ?? next, 'away');
    this.#lines.clear();
  }
}

function replied<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw fromWireError(reply.error);
}
