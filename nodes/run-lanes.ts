/**
 * Owns the order of runs on a fixed number of threads: a call a lane, the other runs waiting. A call is one
 * run, or several brief ones, since handing a run over to a thread costs more than they do. Must not know:
 * piscina, comlink, what a run computes.
 */
import type { RunId } from '../runtime/index.ts';
import { type Job, LaneCall, unstarted } from './lane-call.ts';
import { allocateLaneMemory, Lane, type LaneMemory } from './lane-memory.ts';
import { machineLimits } from './machine-limits.ts';
import type {
  EarlyReplies,
  RunOptions,
  RunOutcome,
  RunReply,
  RunRequest,
  ThreadRequest,
} from './run-request.ts';

/** Has a thread serve a call. Rejects when the thread dies, or is ended because of `kill`; an AsperitasError
 * says in its own words why no thread could. */
export type Serve = (request: ThreadRequest, kill: AbortSignal) => Promise<readonly RunReply[]>;

export interface LaneOptions {
  readonly lanes: number;
  /** Further ones, for calls beside those of which a run waits for tasks of its own. */
  readonly spareLanes?: number;
  /** The number of the first lane in traces. */
  readonly firstLane?: number;
  readonly graceMs?: number | undefined;
}

/** Added to the number of a spare lane, so that in traces it is no other thread or device. */
const spareTrace = 10_000;

export class RunLanes {
  /** For the threads. */
  readonly memory: LaneMemory;
  readonly #serve: Serve;
  readonly #firstLane: number;
  readonly #graceMs: number;
  readonly #lanes: number;
  readonly #free: Lane[];
  readonly #spare: Lane[];
  /** As many as the caller sends ahead; it knows how many lanes there are. */
  readonly #waiting: Job[] = [];
  readonly #jobs = new Set<Job>();
  readonly #byRun = new Map<number, Job>();
  readonly #calls = new Map<number, LaneCall>();
  #lastTicket = 0;
  #starting = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: LaneOptions, serve: Serve) {
    const { lanes, spareLanes = 0, firstLane = 0, graceMs = machineLimits.cancelGraceMs } = options;
    const memory = allocateLaneMemory(lanes + spareLanes);
    this.memory = memory;
    this.#serve = serve;
    this.#firstLane = firstLane;
    this.#graceMs = graceMs;
    // Popped from the end: the lowest lane first.
    this.#free = Array.from({ length: lanes }, (_, index) => new Lane(memory, lanes - 1 - index));
    this.#spare = Array.from({ length: spareLanes }, (_, index) => new Lane(memory, lanes + index));
    this.#lanes = lanes;
  }

  /** Without a request, a thread only loads its modules. */
  run(request: RunRequest | undefined, options: RunOptions = {}): Promise<RunOutcome> {
    return new Promise((resolve) => {
      if (this.#closed || options.signal?.aborted) return resolve(unstarted(this.#firstLane));
      const onAbort = (): void => job.cancel();
      const job: Job = {
        request,
        options,
        finish: (outcome) => {
          this.#jobs.delete(job);
          if (request !== undefined) this.#byRun.delete(request.run);
          options.signal?.removeEventListener('abort', onAbort);
          resolve(outcome);
          if (this.#jobs.size === 0) for (const wake of this.#idle.splice(0)) wake();
        },
        cancel: () => undefined,
      };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#jobs.add(job);
      if (request !== undefined) this.#byRun.set(request.run, job);
      this.#wait(job);
      this.#waiting.push(job);
      this.#startSoon();
    });
  }

  /** Cancels a run, if it has not ended. */
  cancel(run: number): void {
    this.#byRun.get(run)?.cancel();
  }

  /** Takes what a thread tells of runs before its call ends. */
  takeEarly({ lane, ticket, replies }: EarlyReplies): void {
    const call = this.#calls.get(lane);
    if (call?.ticket === ticket) call.take(replies);
  }

  /** A run has begun to wait for tasks of its own, or goes on. While it waits, another call has its place. */
  pause(run: RunId, paused: boolean): void {
    const job = this.#byRun.get(run);
    const call = job && [...this.#calls.values()].find((one) => one.has(job));
    // It may have ended: its end and this come by different ways.
    if (job === undefined || call === undefined) return;
    if (paused) {
      call.withdrawRest();
      const spare = call.doubled ? undefined : this.#spare.pop();
      if (spare !== undefined) {
        call.doubled = true;
        this.#free.push(spare);
      }
    } else if (call.doubled && this.#free.length > 0) {
      call.doubled = false;
      this.#spare.push(this.#free.shift()!);
    }
    if (call.doubled || !paused) job.options.onPaused?.(paused);
    this.#startSoon();
  }

  /** Fails the runs that have been given to a thread, as though it had died. */
  fail(why: Error): void {
    for (const call of this.#calls.values()) call.kill.abort(why);
  }

  /** Cancels every run and waits for their ends. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of [...this.#jobs]) job.cancel();
    if (this.#jobs.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #wait(job: Job): void {
    job.cancel = () => {
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      job.finish(unstarted(this.#firstLane));
    };
  }

  /** Once all that is asked for at once is known, so that brief runs find one another. */
  #startSoon(): void {
    if (this.#starting || this.#free.length === 0) return;
    this.#starting = true;
    queueMicrotask(() => {
      this.#starting = false;
      while (this.#free.length > 0 && this.#waiting.length > 0) void this.#work(this.#next());
    });
  }

  /** The first run that waits; with it, where it is brief, this lane's share of the brief ones behind it. */
  #next(): Job[] {
    const share = Math.ceil(this.#waiting.length / this.#free.length);
    const most = Math.min(share, machineLimits.batchRuns);
    let count = 1;
    while (count < most && this.#waiting[count - 1]!.options.brief && this.#waiting[count]!.options.brief)
      count++;
    return this.#waiting.splice(0, count);
  }

  async #work(jobs: readonly Job[]): Promise<void> {
    const lane = this.#free.pop()!;
    const thread = this.#firstLane + lane.number + (lane.number < this.#lanes ? 0 : spareTrace);
    if (this.#lastTicket + jobs.length > 0x7fff_ffff) this.#lastTicket = 0;
    const ticket = this.#lastTicket + 1;
    this.#lastTicket += jobs.length;
    const onWithdrawn = (withdrawn: readonly Job[]): void => this.#putBack(withdrawn);
    const call = new LaneCall({ lane, jobs, ticket, thread, graceMs: this.#graceMs, onWithdrawn });
    this.#calls.set(lane.number, call);
    for (const { options } of jobs) options.onStarted?.(thread);
    const overdue =
      jobs.length > 1 ? setTimeout(() => call.withdrawRest(), machineLimits.batchOverdueMs) : undefined;
    try {
      const requests = jobs.flatMap(({ request }) => request ?? []);
      call.take(await this.#serve({ lane: lane.number, ticket, requests }, call.kill.signal));
    } catch (error) {
      call.fail(error);
    }
    clearTimeout(overdue);
    this.#calls.delete(lane.number);
    if (call.doubled) this.#spare.push(lane);
    else this.#free.push(lane);
    this.#free.sort((a, b) => b.number - a.number);
    this.#startSoon();
  }

  /** They were first once, and are again. */
  #putBack(jobs: readonly Job[]): void {
    if (this.#closed) {
      for (const { finish } of jobs) finish(unstarted(this.#firstLane));
      return;
    }
    for (const job of jobs) this.#wait(job);
    this.#waiting.unshift(...jobs);
    this.#startSoon();
  }
}
