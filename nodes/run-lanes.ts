/**
 * Owns the order of runs on a fixed number of threads: one run a lane, the others waiting, and how a run is
 * cancelled: first by a flag in shared memory, after a grace by the end of its thread. Must not know:
 * piscina, comlink, what a run computes.
 */
import { AsperitasError, isAsperitasError, toWireError } from '../runtime/index.ts';
import { machineLimits } from './machine-limits.ts';
import type { RunOptions, RunOutcome, RunRequest, ThreadCall, ThreadReply } from './run-request.ts';

/** Has a thread serve a call. Rejects when the thread dies, or is ended because of `kill`; an AsperitasError
 * says in its own words why no thread could. */
export type Serve = (call: ThreadCall, kill: AbortSignal) => Promise<ThreadReply>;

export interface LaneOptions {
  readonly lanes: number;
  /** The number of the first lane in traces. */
  readonly firstLane?: number;
  readonly graceMs?: number | undefined;
}

interface Job {
  readonly request: RunRequest | undefined;
  readonly options: RunOptions;
  readonly finish: (outcome: RunOutcome) => void;
  /** Replaced once the job has a lane. */
  cancel: () => void;
  /** Ends the thread that works on the job. */
  kill: AbortController | undefined;
}

export class RunLanes {
  /** For the threads: the ticket of the cancelled run of each lane. */
  readonly cancelled: Int32Array;
  readonly #serve: Serve;
  readonly #firstLane: number;
  readonly #graceMs: number;
  readonly #free: number[];
  /** As many as the caller sends ahead; it knows how many lanes there are. */
  readonly #waiting: Job[] = [];
  readonly #jobs = new Set<Job>();
  #lastTicket = 0;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor({ lanes, firstLane = 0, graceMs = machineLimits.cancelGraceMs }: LaneOptions, serve: Serve) {
    this.cancelled = new Int32Array(new SharedArrayBuffer(lanes * Int32Array.BYTES_PER_ELEMENT));
    this.#serve = serve;
    this.#firstLane = firstLane;
    this.#graceMs = graceMs;
    // Popped from the end: the lowest lane first.
    this.#free = Array.from({ length: lanes }, (_, index) => lanes - 1 - index);
  }

  /** Without a request, a thread only loads its modules. */
  run(request: RunRequest | undefined, options: RunOptions = {}): Promise<RunOutcome> {
    return new Promise((resolve) => {
      if (this.#closed || options.signal?.aborted) return resolve(this.#unstarted());
      const onAbort = (): void => job.cancel();
      const job: Job = {
        request,
        options,
        finish: (outcome) => {
          this.#jobs.delete(job);
          options.signal?.removeEventListener('abort', onAbort);
          resolve(outcome);
          if (this.#jobs.size === 0) for (const wake of this.#idle.splice(0)) wake();
        },
        cancel: () => {
          this.#waiting.splice(this.#waiting.indexOf(job), 1);
          job.finish(this.#unstarted());
        },
        kill: undefined,
      };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#jobs.add(job);
      this.#waiting.push(job);
      this.#startNext();
    });
  }

  /** Fails the runs that have been given to a thread, as though it had died. */
  fail(why: Error): void {
    for (const job of [...this.#jobs]) job.kill?.abort(why);
  }

  /** Cancels every run and waits for their ends. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of [...this.#jobs]) job.cancel();
    if (this.#jobs.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #unstarted(): RunOutcome {
    const nowMs = Date.now();
    return { outcome: 'cancelled', thread: this.#firstLane, startMs: nowMs, endMs: nowMs };
  }

  #startNext(): void {
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      void this.#work(this.#waiting.shift()!, this.#free.pop()!);
    }
  }

  async #work(job: Job, lane: number): Promise<void> {
    this.#lastTicket = (this.#lastTicket % 0x7fff_ffff) + 1;
    const ticket = this.#lastTicket;
    const thread = this.#firstLane + lane;
    const kill = new AbortController();
    job.kill = kill;
    const postedMs = Date.now();
    let grace: NodeJS.Timeout | undefined;
    job.cancel = () => {
      if (grace !== undefined) return;
      Atomics.store(this.cancelled, lane, ticket);
      grace = setTimeout(() => kill.abort(), this.#graceMs);
    };
    job.options.onStarted?.(thread);
    let outcome: RunOutcome;
    try {
      const { ok, startMs, endMs, ...rest } = await this.#serve(
        { lane, ticket, request: job.request },
        kill.signal,
      );
      const end = { thread, startMs, endMs };
      if ('parts' in rest) outcome = { ...end, outcome: 'done', parts: rest.parts };
      else outcome = { ...end, outcome: 'failed', error: rest.error, retryable: rest.retryable };
      if (grace !== undefined) outcome = { ...end, outcome: 'cancelled' };
    } catch (error) {
      const end = { thread, startMs: postedMs, endMs: Date.now() };
      if (grace !== undefined) outcome = { ...end, outcome: 'cancelled' };
      else
        outcome = {
          ...end,
          outcome: 'failed',
          error: toWireError(died(job, kill.signal.reason ?? error)),
          retryable: true,
        };
    }
    clearTimeout(grace);
    this.#free.push(lane);
    this.#free.sort((a, b) => b - a);
    job.finish(outcome);
    this.#startNext();
  }
}

function died({ request }: Job, error: unknown): AsperitasError {
  if (isAsperitasError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  const what = request === undefined ? 'loaded the modules' : `ran ${request.fn}`;
  const message = `the thread that ${what} died: ${why}`;
  return new AsperitasError('thread-died', message, { task: request?.fn ?? '', why }, { cause: error });
}
