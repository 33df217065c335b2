/**
 * Owns the turns of an actor inside its thread or process: messages one at a time in the order of the
 * mailbox, those that are declared so several together; none that is past its deadline or given up; and their
 * answers, gathered by caller. Must not know: threads, processes, the mailbox.
 */
import {
  type ActorBody,
  type ActorContext,
  type ActorMessage,
  AsperitasError,
  type DatumParts,
  decodePacked,
  decodeValue,
  encodePacked,
  encodeValue,
  toWireError,
  went,
} from '../runtime/index.ts';
import type { ActorSetup, FromPlace, ToPlace } from './actor-post.ts';
import { machineLimits } from './machine-limits.ts';

/** One message in the place. */
interface Turn {
  readonly parcel: number;
  readonly index: number;
  readonly line: number;
  readonly number: number;
  readonly name: string;
  readonly payload: unknown;
  /** Wall-clock milliseconds; 0 for none. */
  readonly dueMs: number;
  cancelled: boolean;
  stop: AbortController | undefined;
}

export interface TurnsTools {
  readonly post: (message: FromPlace) => void;
  /** Says what is at hand, before it is begun, and with `count` 0, when that has ended, what comes next. */
  readonly note: (parcel: number, index: number, count: number) => void;
}

/** Made for every message, so that its signal is made only for handlers that look at it. */
class TurnContext implements ActorContext {
  readonly #setup: ActorSetup;
  readonly #turns: readonly Turn[];
  constructor(setup: ActorSetup, turns: readonly Turn[]) {
    this.#setup = setup;
    this.#turns = turns;
  }
  get actor(): string {
    return this.#setup.actor;
  }
  get name(): string | undefined {
    return this.#setup.name;
  }
  get incarnation(): number {
    return this.#setup.incarnation;
  }
  get node(): string {
    return this.#setup.node;
  }
  get site(): string {
    return this.#setup.site;
  }
  get data(): string | undefined {
    return this.#setup.data;
  }
  get device(): string | undefined {
    return this.#setup.device;
  }
  /** Of several messages together: aborted when all of them are given up. */
  get signal(): AbortSignal {
    const [first] = this.#turns;
    if (first === undefined) return new AbortController().signal;
    const stop = first.stop ?? new AbortController();
    for (const turn of this.#turns) turn.stop = stop;
    if (this.#turns.every(({ cancelled }) => cancelled)) stop.abort(givenUp(first));
    return stop.signal;
  }
}

function givenUp({ name }: Turn): AsperitasError {
  return new AsperitasError('aborted', `nobody waits for ${name} any longer`, { name });
}

export class ActorTurns {
  readonly #setup: ActorSetup;
  readonly #body: ActorBody;
  readonly #tools: TurnsTools;
  #state: unknown;
  #queue: Turn[] = [];
  #head = 0;
  #current: readonly Turn[] = [];
  #working = false;
  #paused: (() => void) | undefined;
  /** Called when a message comes, while a batch waits for further ones. */
  #arrived: (() => void) | undefined;
  /** Answers not yet posted, by line, and how far the parcels they are of have ended. */
  #answers = new Map<number, { readonly flat: unknown[]; readonly ended: Map<number, number> }>();
  #sinceSaved = 0;

  private constructor(setup: ActorSetup, body: ActorBody, tools: TurnsTools) {
    this.#setup = setup;
    this.#body = body;
    this.#tools = tools;
  }

  /** Makes the state, from the snapshot where there is one. */
  static async begin(setup: ActorSetup, body: ActorBody, tools: TurnsTools): Promise<ActorTurns> {
    const turns = new ActorTurns(setup, body, tools);
    const context = new TurnContext(setup, []);
    const options = decodePacked(setup.options);
    turns.#state =
      setup.snapshot !== undefined && body.restore !== undefined
        ? await body.restore(context, options, decodePacked(setup.snapshot))
        : await body.init(context, options);
    return turns;
  }

  receive(message: ToPlace): void {
    if (message.type === 'cancel') this.#cancel(message.parcel, message.index);
    else this.#take(message);
  }

  async pause(): Promise<void> {
    this.#arrived?.();
    if (this.#working) await new Promise<void>((resolve) => (this.#paused = resolve));
    else this.#paused = () => undefined;
    this.#flush();
    this.#tools.post({ type: 'paused' });
  }

  async save(): Promise<Uint8Array | undefined> {
    const { snapshot } = this.#body;
    return snapshot === undefined ? undefined : encodePacked(await snapshot(this.#state));
  }

  async stop(): Promise<void> {
    await this.#body.stop?.(this.#state);
  }

  #take(message: Extract<ToPlace, { type: 'parcel' }>): void {
    const { parcel, line, first, count, arrivedMs, cancelled } = message;
    const flat = valuesOf(message);
    for (let index = 0; index < count; index++) {
      // Of a parcel that can't be read, every message ends with an error.
      const leftMs = flat === undefined ? 0 : Number(flat[4 * index + 2]);
      this.#queue.push({
        parcel,
        index,
        line,
        number: first + index,
        name: flat === undefined ? '' : String(flat[4 * index]),
        payload: flat?.[4 * index + 1],
        dueMs: leftMs > 0 ? arrivedMs + leftMs : 0,
        cancelled: cancelled.includes(index),
        stop: undefined,
      });
    }
    if (this.#arrived !== undefined) this.#arrived();
    else if (!this.#working) void this.#work();
  }

  #cancel(parcel: number, index: number): void {
    const fits = (turn: Turn): boolean => turn.parcel === parcel && turn.index === index;
    const turn = this.#current.find(fits) ?? this.#queue.slice(this.#head).find(fits);
    if (turn === undefined) return;
    turn.cancelled = true;
    if (this.#current.every(({ cancelled }) => cancelled)) turn.stop?.abort(givenUp(turn));
  }

  async #work(): Promise<void> {
    this.#working = true;
    let sliceMs = performance.now();
    while (this.#paused === undefined && this.#head < this.#queue.length) {
      const turn = this.#queue[this.#head++]!;
      const message = this.#messageOf(turn);
      if (!this.#mayBegin(turn, message)) continue;
      if (message?.batch === undefined) {
        const result = this.#run([turn], message!);
        if (result !== undefined) await result;
      } else {
        await this.#run(await this.#gather(turn, message.batch), message);
      }
      if (this.#setup.saveEvery !== undefined && this.#sinceSaved >= this.#setup.saveEvery)
        await this.#saved();
      // Cancellations and further messages come in between; answers need not wait for the last one.
      if (performance.now() - sliceMs > machineLimits.actorSliceMs) {
        this.#flush();
        await new Promise((resolve) => setImmediate(resolve));
        sliceMs = performance.now();
      }
      if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
    }
    this.#flush();
    this.#working = false;
    this.#paused?.();
  }

  /** Only what the author declared, whatever the caller names. */
  #messageOf({ name }: Turn): ActorMessage | undefined {
    return Object.hasOwn(this.#body.messages, name) ? this.#body.messages[name] : undefined;
  }

  /** Whether a message is to be carried out; ends it if not. */
  #mayBegin(turn: Turn, message: ActorMessage | undefined): boolean {
    const { name } = turn;
    if (message === undefined) {
      const text = `${this.#setup.definition} takes no message ${name}`;
      this.#fail(turn, new AsperitasError('invalid-message', text, { name }));
    } else if (turn.cancelled) {
      this.#fail(turn, givenUp(turn));
    } else if (turn.dueMs > 0 && Date.now() > turn.dueMs) {
      const text = `the deadline of ${name} passed before it was begun`;
      this.#fail(turn, new AsperitasError('timeout', text, { name }));
    } else {
      return true;
    }
    return false;
  }

  /** Further messages of the same name from the head of the queue, waiting a little for more. */
  async #gather(
    first: Turn,
    batch: { readonly max: number; readonly withinMs: number },
  ): Promise<readonly Turn[]> {
    const turns = [first];
    const untilMs = performance.now() + batch.withinMs;
    for (;;) {
      while (turns.length < batch.max && this.#queue[this.#head]?.name === first.name) {
        const turn = this.#queue[this.#head++]!;
        if (this.#mayBegin(turn, this.#messageOf(turn))) turns.push(turn);
      }
      const leftMs = untilMs - performance.now();
      const full = turns.length >= batch.max || this.#head < this.#queue.length;
      if (full || leftMs <= 0 || this.#paused !== undefined) return turns;
      // What has been answered goes out while this waits.
      this.#flush();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#arrived = undefined;
    }
  }

  /** Carries messages out together. A promise only where the handler makes one: most do not. */
  #run(turns: readonly Turn[], message: ActorMessage): Promise<void> | undefined {
    const [first] = turns;
    this.#current = turns;
    this.#sinceSaved += turns.length;
    this.#tools.note(first!.parcel, first!.index, turns.length);
    try {
      const inputs = turns.map(({ payload, name }) => message.input.parse(payload, name));
      const handler = this.#body.on[first!.name]!;
      const context = new TurnContext(this.#setup, turns);
      const result = handler(this.#state, message.batch === undefined ? inputs[0] : inputs, context);
      if (result instanceof Promise) {
        return result.then(
          (value) => this.#succeed(turns, message, value),
          (error: unknown) => this.#failAll(turns, error),
        );
      }
      this.#succeed(turns, message, result);
    } catch (error) {
      this.#failAll(turns, error);
    }
    return undefined;
  }

  #succeed(turns: readonly Turn[], message: ActorMessage, value: unknown): void {
    if (message.batch === undefined) {
      this.#end(turns[0]!, went.answered, message.kind === 'cast' ? undefined : value);
    } else if (Array.isArray(value) && value.length === turns.length) {
      for (const [index, turn] of turns.entries()) this.#end(turn, went.answered, value[index]);
    } else {
      const [first] = turns;
      const text = `the handler of ${first!.name} must return an answer for each of ${turns.length} messages`;
      this.#failAll(turns, new TypeError(text));
      return;
    }
    this.#noteEnd(turns);
  }

  #failAll(turns: readonly Turn[], error: unknown): void {
    for (const turn of turns) this.#fail(turn, error);
    this.#noteEnd(turns);
  }

  #noteEnd(turns: readonly Turn[]): void {
    this.#current = [];
    const { parcel, index } = turns.at(-1)!;
    this.#tools.note(parcel, index + 1, 0);
  }

  #fail(turn: Turn, error: unknown): void {
    this.#end(turn, went.failed, toWireError(error));
  }

  #end({ line, number, parcel, index }: Turn, how: number, value: unknown): void {
    let entry = this.#answers.get(line);
    if (entry === undefined) this.#answers.set(line, (entry = { flat: [], ended: new Map() }));
    entry.flat.push(number, how, value);
    entry.ended.set(parcel, index + 1);
  }

  #flush(): void {
    for (const [line, { flat, ended }] of this.#answers) {
      this.#tools.post({ type: 'answers', line, ended: [...ended], body: encodeAnswers(flat) });
    }
    this.#answers.clear();
  }

  async #saved(): Promise<void> {
    this.#sinceSaved = 0;
    const snapshot = await this.save();
    // The answers to what it contains go first: nobody sees a state that was never told of.
    this.#flush();
    if (snapshot !== undefined) this.#tools.post({ type: 'saved', snapshot });
  }
}

/** The answers of one line in one body. One that can't be sent becomes the error that says so. */
function encodeAnswers(flat: unknown[]) {
  try {
    return encodeValue(flat);
  } catch {
    for (let index = 0; index < flat.length; index += 3) {
      try {
        encodeValue(flat[index + 2]);
      } catch (error) {
        flat[index + 1] = went.failed;
        flat[index + 2] = toWireError(error);
      }
    }
    return encodeValue(flat);
  }
}

/** The values of a parcel, four a message; nothing where its sender made it badly. */
function valuesOf({
  body,
  count,
}: {
  readonly body: DatumParts;
  readonly count: number;
}): readonly unknown[] | undefined {
  try {
    const flat = decodeValue(body.header, body.frames);
    return Array.isArray(flat) && flat.length === 4 * count ? flat : undefined;
  } catch {
    return undefined;
  }
}
