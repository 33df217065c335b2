/**
 * Owns the line that says how far a run is: stage, tasks, rate, time left, memory, bytes between sites. It is
 * written over itself on a terminal, and not at all elsewhere. Must not know: what is run.
 */
import type { Progress } from '../../scheduler/index.ts';
import { gib } from './transients-cost.ts';

/** A stream that may be a terminal. */
export type MaybeTerminal = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Rates older than this are forgotten: the time left should follow the present. */
const rateWindowMs = 20_000;

export class ProgressLine {
  readonly #stream: MaybeTerminal;
  readonly #now: () => number;
  #stage = '';
  #progress: Progress | undefined;
  #history: { readonly ms: number; readonly done: number }[] = [];
  #shown = false;

  /** @param now milliseconds, for tests */
  constructor(stream: MaybeTerminal, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  stage(stage: string): void {
    this.#stage = stage;
    this.#draw();
  }

  progress(progress: Progress): void {
    this.#progress = progress;
    const ms = this.#now();
    this.#history.push({ ms, done: progress.done });
    while (this.#history.length > 2 && this.#history[0]!.ms < ms - rateWindowMs) this.#history.shift();
    this.#draw();
  }

  /** Takes the line away, so that other text can stand there. */
  clear(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
    this.#shown = false;
  }

  /** The line as it would be shown. */
  text(): string {
    const parts = [this.#stage];
    const progress = this.#progress;
    if (progress !== undefined) {
      parts.push(`${progress.done}/${progress.total} tasks`);
      const rate = this.#rate();
      if (rate > 0) {
        parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)}/s`);
        const left = (progress.total - progress.done) / rate;
        if (progress.total > progress.done) parts.push(`${duration(left)} left in this stage`);
      }
      parts.push(`memory ${gib(progress.rssBytes)}`);
      parts.push(`${(progress.crossSiteBytes / 1e6).toFixed(1)} MB between sites`);
    }
    return parts.filter((part) => part !== '').join(' | ');
  }

  #rate(): number {
    const [first, last] = [this.#history[0], this.#history.at(-1)];
    if (first === undefined || last === undefined || last.ms <= first.ms) return 0;
    return (1000 * (last.done - first.done)) / (last.ms - first.ms);
  }

  #draw(): void {
    if (this.#stream.isTTY !== true) return;
    const width = Math.max(20, (this.#stream.columns || 100) - 1);
    this.#stream.write(`\r\u001b[K${this.text().slice(0, width)}`);
    this.#shown = true;
  }
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
