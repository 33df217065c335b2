/**
 * Owns the part of a node that runs tasks: feeds the worker's core with what happens on the connection to the
 * scheduler, in the store, in the executor, and carries out what it says. The shell of worker-core.ts. Must
 * not know: processes, command lines, how data are stored or fetched.
 */
import {
  assertNever,
  type Connection,
  type DatumParts,
  encodedBytes,
  type Millis,
  millis,
  type NodeId,
  type RunId,
  type TaskKey,
  toWireError,
  type WireMessage,
} from '../runtime/index.ts';
import { type FromNode, heartbeatMs, type NodeInfo, type Replica, ToNode } from '../scheduler/protocol.ts';
import type { Fetcher } from './fetcher.ts';
import type { RunRequest, Runner } from './runner.ts';
import type { Store } from './store.ts';
import { handle } from './worker-core.ts';
import { createWorkerState, type WorkerEvent, type WorkerInstruction, type WorkerState } from './worker-state.ts';

/** What a worker works with. It owns none of it. */
export interface WorkerTools {
  readonly info: NodeInfo;
  readonly store: Store;
  readonly runner: Runner;
  readonly fetcher: Fetcher;
  /** Called once, when the worker has finished what it was told to finish. */
  readonly onLeave: () => void;
}

type StartInstruction = Extract<WorkerInstruction, { type: 'start' }>;

export class Worker {
  readonly #tools: WorkerTools;
  readonly #state: WorkerState;
  readonly #stops = new Map<RunId, AbortController>();
  readonly #fetches = new Map<TaskKey, AbortController>();
  /** Results of runs that have ended, until the core says what becomes of them. */
  readonly #results = new Map<RunId, DatumParts>();
  readonly #ticker: NodeJS.Timeout;
  #connection: Connection | undefined;
  #left = false;

  constructor(tools: WorkerTools) {
    this.#tools = tools;
    this.#state = createWorkerState(tools.info);
    tools.store.onPressed((pressed) => this.#feed({ type: 'memory-noted', pressed }));
    tools.store.onLost((key) => this.#feed({ type: 'datum-lost', key }));
    this.#ticker = setInterval(() => this.#tick(), heartbeatMs);
  }

  /** Works for the scheduler at the other end of a connection until it ends. */
  async serve(connection: Connection): Promise<void> {
    this.#connection = connection;
    this.#feed({ type: 'scheduler-joined' });
    connection.onMessage((raw) => this.#receive(connection, raw));
    await connection.closed;
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#feed({ type: 'scheduler-lost' });
  }

  /** Finishes what runs, then leaves. */
  retire(): void {
    this.#feed({ type: 'stopping' });
  }

  /** Gives everything up. */
  close(): void {
    clearInterval(this.#ticker);
    this.#left = true;
    for (const controller of [...this.#stops.values(), ...this.#fetches.values()]) controller.abort();
  }

  #receive(connection: Connection, raw: WireMessage): void {
    if (connection !== this.#connection) return;
    try {
      this.#feed({ type: 'from-scheduler', message: ToNode.parse(raw) });
    } catch (error) {
      // A scheduler of another version: better no work than wrong work.
      connection.close(error instanceof Error ? error.message : 'invalid message');
    }
  }

  #tick(): void {
    const { storedBytes } = this.#tools.store;
    this.#feed({ type: 'ticked', storedBytes, rssBytes: process.memoryUsage.rss() });
  }

  #feed(event: WorkerEvent): void {
    if (this.#left) return;
    const now: Millis = millis(performance.now());
    for (const instruction of handle(this.#state, event, now)) this.#carryOut(instruction);
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
        void this.#start(instruction);
        return;
      case 'stop-run':
        this.#stops.get(instruction.run)?.abort();
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
      case 'leave':
        this.#tools.onLeave();
        return;
      default:
        assertNever(instruction);
    }
  }

  #send(message: FromNode): void {
    this.#connection?.send(message as unknown as WireMessage);
  }

  async #fetch(key: TaskKey, from: Replica): Promise<void> {
    const controller = new AbortController();
    this.#fetches.set(key, controller);
    const startedMs = performance.now();
    const node: NodeId = from.node;
    let parts: DatumParts;
    try {
      parts = await this.#tools.fetcher.fetch(key, from, controller.signal);
    } catch (error) {
      this.#endFetch(key, controller);
      const reason = this.#tools.fetcher.reasonOf(error);
      if (!controller.signal.aborted) this.#feed({ type: 'fetch-failed', key, from: node, reason });
      return;
    }
    this.#endFetch(key, controller);
    if (controller.signal.aborted) return;
    this.#tools.store.put(key, parts);
    const ms = performance.now() - startedMs;
    this.#feed({ type: 'fetched', key, bytes: encodedBytes(parts), from: node, ms });
  }

  /** A fetch that was cancelled may have been asked for again before it noticed. */
  #endFetch(key: TaskKey, controller: AbortController): void {
    if (this.#fetches.get(key) === controller) this.#fetches.delete(key);
  }

  async #start(instruction: StartInstruction): Promise<void> {
    const { run, key, fn, args, inputs, hints } = instruction;
    const { store, runner } = this.#tools;
    const controller = new AbortController();
    this.#stops.set(run, controller);
    for (const input of inputs) store.pin(input);
    let event: WorkerEvent;
    const startMs = Date.now();
    try {
      const data = await Promise.all(inputs.map((input) => store.get(input, controller.signal)));
      const request: RunRequest = { run, key, fn, args, inputs: data };
      const onStarted = (): void => this.#feed({ type: 'run-started', run });
      const result = await runner.run(request, { signal: controller.signal, onStarted, hints });
      this.#results.set(run, result.parts);
      const { thread, endMs } = result;
      const outcome = { ok: true, bytes: encodedBytes(result.parts) } as const;
      event = { type: 'run-ended', run, outcome, thread, startMs: result.startMs, endMs };
    } catch (error) {
      const outcome = { ok: false, error: toWireError(error), retryable: runner.retryable(error) } as const;
      event = { type: 'run-ended', run, outcome, thread: 0, startMs, endMs: Date.now() };
    } finally {
      for (const input of inputs) store.unpin(input);
      this.#stops.delete(run);
    }
    this.#feed(event);
  }
}
