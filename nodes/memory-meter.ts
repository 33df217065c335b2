/**
 * Owns the measuring of what a node's process takes while runs are under way: before, at most, and after
 * each. All threads share the process, so a run's figures include what ran beside it. Reading the size is a
 * system call: one reading serves all runs of a short while. Must not know: what runs do.
 */
import type { RunId } from '../runtime/index.ts';

/** Bytes of the process: when the run began, the most that was seen, and when it had ended. */
export interface RunMemory {
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
  readonly rssAfterBytes: number;
}

export interface MeterOptions {
  /** The size of the process. */
  readonly read?: () => number;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

/** A reading is good for so long; while runs are under way one is taken at least so often. */
const freshMs = 20;
const everyMs = 100;

interface Open {
  readonly beforeBytes: number;
  peakBytes: number;
}

export class MemoryMeter {
  readonly #read: () => number;
  readonly #now: () => number;
  readonly #open = new Map<RunId, Open>();
  #bytes = 0;
  #readMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor({ read = process.memoryUsage.rss, now = () => performance.now() }: MeterOptions = {}) {
    this.#read = read;
    this.#now = now;
  }

  begin(run: RunId): void {
    const bytes = this.#look();
    this.#open.set(run, { beforeBytes: bytes, peakBytes: bytes });
    this.#timer ??= setInterval(() => this.#tick(), everyMs).unref();
  }

  end(run: RunId): RunMemory | undefined {
    const open = this.#open.get(run);
    if (open === undefined) return undefined;
    const rssAfterBytes = this.#look();
    this.#open.delete(run);
    return { rssBeforeBytes: open.beforeBytes, rssPeakBytes: open.peakBytes, rssAfterBytes };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#open.clear();
  }

  #tick(): void {
    if (this.#open.size > 0) this.#look();
    else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #look(): number {
    const nowMs = this.#now();
    if (nowMs - this.#readMs < freshMs) return this.#bytes;
    this.#readMs = nowMs;
    this.#bytes = this.#read();
    for (const open of this.#open.values()) open.peakBytes = Math.max(open.peakBytes, this.#bytes);
    return this.#bytes;
  }
}
