/**
 * Owns the part of a node that runs tasks: feeds the worker's core with what happens on the connection to the
 * scheduler, in the store, in the executor, and carries out what it says. The shell of worker-core.ts. Must
 * not know: processes, command lines, how data are stored or fetched.
 */
import {
  AsperitasError,
  assertNever,
  type Connection,
  type DatumParts,
  encodedBytes,
  fromWireError,
  millis,
  type RunId,
  sizeText,
  type TaskKey,
  toWireError,
  type WireMessage,
} from '../runtime/index.ts';
import {
  type FromNode,
  heartbeatMs,
  isActorOrder,
  type NodeInfo,
  type Replica,
  ToNode,
} from '../scheduler/protocol.ts';
import type { ActorHost } from './actor-host.ts';
import { type Fetcher, missReason } from './fetcher.ts';
import { limits } from './limits.ts';
import { MemoryMeter } from './memory-meter.ts';
import type { RunOutcome } from './run-request.ts';
import type { Runner } from './runner.ts';
import type { Store } from './store.ts';
import { handle } from './worker-core.ts';
import {
  createWorkerState,
  type RunOutcome as Outcome,
  type WorkerEvent,
  type WorkerInstruction,
  type WorkerState,
} from './worker-state.ts';

/** What a worker works with. It owns none of it. */
export interface WorkerTools {
  readonly info: NodeInfo;
  readonly store: Store;
  readonly runner: Runner;
  readonly fetcher: Fetcher;
  readonly actors: ActorHost;
  /** Called when the worker has finished what it was told to finish, or can't go on because of `error`. */
  readonly onLeave: (error: Error | undefined) => void;
}

type StartInstruction = Extract<WorkerInstruction, { type: 'start' }>;

/** The core has asked for it and takes no notice of why. */
const cancelled = { name: 'AsperitasError', code: 'cancelled', message: 'the run was cancelled' };

export class Worker {
  readonly #tools: WorkerTools;
  readonly #state: WorkerState;
  readonly #stops = new Map<RunId, AbortController>();
  readonly #fetches = new Map<TaskKey, AbortController>();
  /** Results of runs that have ended, until the core says what becomes of them. */
  readonly #results = new Map<RunId, DatumParts>();
  readonly #ticker: NodeJS.Timeout;
  #connection: Connection | undefined;
  #onWelcome: (() => void) | undefined;
  readonly #events: WorkerEvent[] = [];
  #feeding = false;
  #left = false;
  readonly #memory = new MemoryMeter();
  #runsDone = 0;
  #runsFailed = 0;

  constructor(tools: WorkerTools) {
    this.#tools = tools;
    this.#state = createWorkerState(tools.info);
    this.#ticker = setInterval(() => this.#tick(), heartbeatMs);
  }

  /** Works for the scheduler at the other end of a connection until it ends; calls `onWelcome` when that has
   * taken this node in. */
  async serve(connection: Connection, onWelcome: () => void): Promise<void> {
    this.#connection = connection;
    this.#onWelcome = onWelcome;
    connection.onMessage((raw) => this.#receive(connection, raw));
    await connection.closed;
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#tools.actors.part();
    this.#feed({ type: 'scheduler-lost' });
  }

  /** The store has become short of memory, or is no longer. */
  onPressure(pressed: boolean): void {
    this.#feed({ type: 'memory-noted', pressed });
  }

  /** The store can no longer read a datum. */
  onLost(key: TaskKey): void {
    this.#feed({ type: 'datum-lost', key });
  }

  /** Takes over a datum that a client has brought; false when this node is leaving. */
  take(key: TaskKey, parts: DatumParts): boolean {
    if (this.#left || this.#state.retiring) return false;
    const bytes = this.#tools.store.put(key, parts);
    this.#feed({ type: 'pushed', key, bytes });
    return true;
  }

  figures() {
    const { connected, retiring, occupied, runs, data } = this.#state;
    const [runsDone, runsFailed] = [this.#runsDone, this.#runsFailed];
    const waiting = runs.size - occupied;
    return { connected, retiring, running: occupied, waiting, results: data.size, runsDone, runsFailed };
  }

  /** So many actors live on the node. */
  onActors(living: number): void {
    this.#feed({ type: 'actors-noted', living });
  }

  /** Finishes what runs, then leaves. */
  retire(): void {
    this.#tools.actors.retire();
    this.#feed({ type: 'stopping' });
  }

  /** Gives everything up. */
  close(): void {
    clearInterval(this.#ticker);
    this.#memory.close();
    this.#left = true;
    for (const controller of [...this.#stops.values(), ...this.#fetches.values()]) controller.abort();
  }

  #receive(connection: Connection, raw: WireMessage): void {
    if (connection !== this.#connection) return;
    let message: ToNode;
    try {
      message = ToNode.parse(raw);
    } catch (error) {
      // A scheduler of another version: better no work than wrong work.
      this.#tools.onLeave(error as Error);
      return;
    }
    if (isActorOrder(message)) {
      this.#tools.actors.order(message);
      return;
    }
    // Before the worker says that all is announced.
    if (message.type === 'welcome') this.#tools.actors.join((report) => this.#send(report));
    if (message.type === 'retire') this.#tools.actors.retire();
    this.#feed({ type: 'from-scheduler', message });
    if (message.type === 'welcome' && this.#state.connected) this.#onWelcome?.();
  }

  #tick(): void {
    const { storedBytes } = this.#tools.store;
    this.#feed({ type: 'ticked', storedBytes, rssBytes: process.memoryUsage.rss() });
  }

  /** One event after the other: what an instruction brings about at once, as when the store falls short of
   * memory, is taken in after the instructions beside it. */
  #feed(event: WorkerEvent): void {
    if (this.#left) return;
    this.#events.push(event);
    if (this.#feeding) return;
    this.#feeding = true;
    try {
      for (let next = this.#events.shift(); next !== undefined && !this.#left; next = this.#events.shift()) {
        for (const instruction of handle(this.#state, next, millis(performance.now()))) {
          this.#carryOut(instruction);
        }
      }
    } catch (defect) {
      // Ending is better than going on with a broken state, or than a lost connection that hides it.
      this.#tools.onLeave(defect as Error);
    } finally {
      this.#feeding = false;
    }
  }

  #carryOut(instruction: WorkerInstruction): void {
    switch (instruction.type) {
      case 'send':
        this.#send(instruction.message);
        return;
      case 'fetch':
        void this.#fetch(instruction.key, instruction.from);
        return;
      case 'cancel-fetch':
        this.#fetches.get(instruction.key)?.abort();
        return;
      case 'start':
        this.#start(instruction);
        return;
      case 'stop-run':
        this.#stops.get(instruction.run)?.abort();
        this.#tools.runner.cancel(instruction.run);
        return;
      case 'keep':
        this.#tools.store.put(instruction.key, this.#results.get(instruction.run)!);
        this.#results.delete(instruction.run);
        return;
      case 'discard':
        this.#results.delete(instruction.run);
        return;
      case 'forget':
        for (const key of instruction.keys) this.#tools.store.delete(key);
        return;
      case 'hang-up':
        this.#connection?.close(instruction.reason);
        return;
      case 'leave':
        this.#tools.onLeave(instruction.error === undefined ? undefined : fromWireError(instruction.error));
        return;
      default:
        assertNever(instruction);
    }
  }

  #send(message: FromNode): void {
    const wire = message as unknown as WireMessage;
    // Nobody waits for news of what is gone.
    if (message.type === 'replica-lost') this.#connection?.sendLater(wire);
    else this.#connection?.send(wire);
  }

  async #fetch(key: TaskKey, from: Replica): Promise<void> {
    const { fetcher, store } = this.#tools;
    const controller = new AbortController();
    this.#fetches.set(key, controller);
    const startedMs = performance.now();
    let event: WorkerEvent | undefined;
    try {
      const parts = await fetcher.fetch(key, from, controller.signal);
      const bytes = store.put(key, parts);
      event = { type: 'fetched', key, bytes, from: from.node, ms: performance.now() - startedMs };
    } catch (error) {
      const reason = missReason(error);
      if (reason !== undefined) event = { type: 'fetch-failed', key, from: from.node, reason };
    }
    // Cancelled, and asked for again before it noticed: the later fetch has its own entry.
    if (this.#fetches.get(key) === controller) this.#fetches.delete(key);
    if (event !== undefined) this.#feed(event);
  }

  #start(instruction: StartInstruction): void {
    const { run, inputs, inlined } = instruction;
    const ended =
      inputs.length === inlined.size && this.#tools.store.hasRoom
        ? this.#run(instruction, [...inlined.values()].map(alone))
        : this.#runWithStored(instruction);
    void ended.then((end) => this.#onEnded(run, end));
  }

  #run(
    { run, key, fn, args, hints, brief }: StartInstruction,
    inputs: readonly DatumParts[],
    signal?: AbortSignal,
  ): Promise<RunOutcome> {
    const onStarted = (): void => this.#feed({ type: 'run-started', run });
    // What takes no time can't be told from its neighbours by the size of the process.
    if (!brief) this.#memory.begin(run);
    const onPaused = (paused: boolean): void => this.#feed({ type: 'run-paused', run, paused });
    const request = { run, key, fn, args, inputs, priority: hints.priority ?? 0 };
    const options = {
      brief,
      onPaused,
      ...(brief ? {} : { onStarted }),
      ...(signal === undefined ? {} : { signal }),
    };
    return this.#tools.runner.run(request, hints, options);
  }

  /** A run that takes data out of the store, or must wait until that has room. */
  async #runWithStored(instruction: StartInstruction): Promise<RunOutcome> {
    const { run, inputs, inlined } = instruction;
    const { store } = this.#tools;
    const controller = new AbortController();
    const { signal } = controller;
    this.#stops.set(run, controller);
    const startMs = Date.now();
    const pinned: TaskKey[] = [];
    let end: RunOutcome;
    try {
      for (const input of inputs) {
        if (inlined.has(input)) continue;
        store.pin(input);
        pinned.push(input);
      }
      await store.relieved(signal);
      const data = await Promise.all(
        inputs.map((input) => {
          const header = inlined.get(input);
          return header === undefined ? store.get(input, signal) : alone(header);
        }),
      );
      end = await this.#run(instruction, data, signal);
    } catch (error) {
      // An input is gone or can't be read; of a damaged one the store has told already.
      const about = { thread: 0, startMs, endMs: Date.now(), retryable: true };
      end = { outcome: 'failed', error: toWireError(error), ...about };
    }
    for (const input of pinned) store.unpin(input);
    this.#stops.delete(run);
    return end;
  }

  #onEnded(run: RunId, made: RunOutcome): void {
    const end = this.#refuseTooLarge(run, made);
    const { thread, startMs, endMs } = end;
    if (end.outcome === 'done') this.#results.set(run, end.parts);
    if (end.outcome === 'done') this.#runsDone++;
    else this.#runsFailed++;
    const outcome: Outcome =
      end.outcome === 'done'
        ? { ok: true, bytes: encodedBytes(end.parts), inline: inlineOf(end.parts) }
        : end.outcome === 'failed'
          ? { ok: false, error: end.error, retryable: end.retryable }
          : { ok: false, error: cancelled, retryable: true };
    const memory = this.#memory.end(run);
    this.#feed({ type: 'run-ended', run, outcome, thread, startMs, endMs, memory });
  }

  /** A result that fills more than all the memory that results may fill could never be read back. */
  #refuseTooLarge(run: RunId, end: RunOutcome): RunOutcome {
    const { memoryBytes, node } = this.#tools.info;
    if (end.outcome !== 'done' || encodedBytes(end.parts) <= memoryBytes) return end;
    const { thread, startMs, endMs, parts } = end;
    const bytes = encodedBytes(parts);
    const key = this.#state.runs.get(run)?.key ?? '';
    const message =
      `the result of ${key} takes ${sizeText(bytes)}, and ${node} may hold ` +
      `${sizeText(memoryBytes)} in all: give nodes more --memory, or make it in several tasks`;
    const error = new AsperitasError('datum-too-large', message, { task: key, bytes, memoryBytes });
    return { thread, startMs, endMs, outcome: 'failed', error: toWireError(error), retryable: false };
  }
}

/** A datum without bulk. */
function alone(header: Uint8Array): DatumParts {
  return { header, frames: [] };
}

/** A result so small that it travels with the news of it. */
function inlineOf({ header, frames }: DatumParts): Uint8Array | undefined {
  return frames.length === 0 && header.byteLength <= limits.inlineBytes ? header : undefined;
}
