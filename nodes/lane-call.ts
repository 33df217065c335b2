/**
 * Owns one call of a thread: the runs that it was given, usually one, the cancellation of each, and what
 * becomes of each when the call ends or its thread dies. Must not know: which runs wait, how calls reach
 * threads.
 */
import { AsperitasError, isAsperitasError, toWireError } from '../runtime/index.ts';
import type { Lane } from './lane-memory.ts';
import type { RunOptions, RunOutcome, RunReply, RunRequest } from './run-request.ts';

/** A run that waits for a thread, or has one. */
export interface Job {
  /** Without, a thread only loads its modules. */
  readonly request: RunRequest | undefined;
  readonly options: RunOptions;
  readonly finish: (outcome: RunOutcome) => void;
  /** What cancelling does depends on how far the run is. */
  cancel: () => void;
}

export interface LaneCallOptions {
  readonly lane: Lane;
  readonly jobs: readonly Job[];
  /** Of the first run; the others have those that follow. */
  readonly ticket: number;
  /** The number of the lane in traces. */
  readonly thread: number;
  readonly graceMs: number;
  /** Takes runs that the thread has not begun, and will not. */
  readonly onWithdrawn: (jobs: readonly Job[]) => void;
}

/** How a run ends that was cancelled before it began. */
export function unstarted(thread: number): RunOutcome {
  const nowMs = Date.now();
  return { outcome: 'cancelled', thread, startMs: nowMs, endMs: nowMs };
}

export class LaneCall {
  readonly ticket: number;
  /** Another call may go on beside it while a run of it waits for tasks of its own. */
  doubled = false;
  /** Ends the thread. */
  readonly kill = new AbortController();
  readonly #options: LaneCallOptions;
  /** Those that have not ended here, by their place in the call. */
  readonly #left = new Map<number, Job>();
  readonly #graces = new Map<number, NodeJS.Timeout>();
  readonly #postedMs = Date.now();

  constructor(options: LaneCallOptions) {
    this.#options = options;
    this.ticket = options.ticket;
    options.lane.offer(options.jobs.length);
    for (const [index, job] of options.jobs.entries()) {
      this.#left.set(index, job);
      job.cancel = () => this.#cancel(index, job);
    }
  }

  has(job: Job): boolean {
    return [...this.#left.values()].includes(job);
  }

  /** Takes the ends of some of its runs. */
  take(replies: readonly RunReply[]): void {
    for (const { index, startMs, endMs, ...rest } of replies) {
      const end = { thread: this.#options.thread, startMs, endMs };
      if (this.#graces.has(index)) this.#finish(index, { ...end, outcome: 'cancelled' });
      else if ('parts' in rest) this.#finish(index, { ...end, outcome: 'done', parts: rest.parts });
      else this.#finish(index, { ...end, outcome: 'failed', error: rest.error, retryable: rest.retryable });
    }
  }

  /** Takes back what the thread has not begun: it is busy for longer than was thought. */
  withdrawRest(): void {
    const { lane, onWithdrawn } = this.#options;
    const rest = [...this.#left].filter(([index]) => lane.withdraw(index));
    for (const [index] of rest) this.#left.delete(index);
    if (rest.length > 0) onWithdrawn(rest.map(([, job]) => job));
  }

  /** The thread has died or never was: the run that it was at fails. Those before it have ended, but their
   * results are lost with the thread; those behind it have not begun. Both go to another thread. */
  fail(error: unknown): void {
    const { lane, thread, onWithdrawn } = this.#options;
    const indices = [...this.#left.keys()];
    const innocent = indices.filter((index) => !lane.isRunning(index) && !this.#graces.has(index));
    // Where nothing was begun, no thread could be had: another try would end likewise.
    const begun = indices.some((index) => lane.isRunning(index) || lane.hasEnded(index));
    const again = begun ? innocent.flatMap((index) => this.#left.get(index) ?? []) : [];
    if (begun) for (const index of innocent) this.#left.delete(index);
    const end = { thread, startMs: this.#postedMs, endMs: Date.now() };
    for (const [index, { request }] of [...this.#left]) {
      const why = toWireError(died(request, this.kill.signal.reason ?? error));
      this.#finish(
        index,
        this.#graces.has(index)
          ? { ...end, outcome: 'cancelled' }
          : { ...end, outcome: 'failed', error: why, retryable: true },
      );
    }
    if (again.length > 0) onWithdrawn(again);
  }

  #finish(index: number, outcome: RunOutcome): void {
    const job = this.#left.get(index);
    this.#left.delete(index);
    clearTimeout(this.#graces.get(index));
    job?.finish(outcome);
  }

  #cancel(index: number, job: Job): void {
    const { lane, graceMs, thread, ticket } = this.#options;
    if (this.#left.get(index) !== job || this.#graces.has(index)) return;
    if (lane.withdraw(index)) {
      this.#finish(index, unstarted(thread));
      return;
    }
    lane.cancel(ticket + index);
    this.#graces.set(
      index,
      setTimeout(() => {
        // Nothing else may begin on the thread before it ends.
        this.withdrawRest();
        if (this.#left.has(index) && !lane.hasEnded(index)) this.kill.abort();
      }, graceMs),
    );
  }
}

function died(request: RunRequest | undefined, error: unknown): AsperitasError {
  if (isAsperitasError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  const what = request === undefined ? 'loaded the modules' : `ran ${request.fn}`;
  const message = `the thread that ${what} died: ${why}`;
  return new AsperitasError('thread-died', message, { task: request?.fn ?? '', why }, { cause: error });
}
