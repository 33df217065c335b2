/**
 * Owns the order in which wanted results end: each key once, as soon as the scheduler says that its task is
 * held or has failed. Must not know: what is then done with a result.
 */
import type { TaskKey } from '../runtime/index.ts';
import { until } from './client-wait.ts';
import type { Wants } from './client-wants.ts';

export class Completions {
  readonly #wants: Wants;
  readonly #left: Set<TaskKey>;
  #ended: TaskKey[] = [];
  #given = 0;
  readonly #waiting = new Set<() => void>();
  #unwatch: (() => void) | undefined;

  /** Nothing is watched before the first `next`, so that what was known before a submission does not
   * count. */
  constructor(wants: Wants, keys: readonly TaskKey[]) {
    this.#wants = wants;
    this.#left = new Set(keys);
  }

  /** The next key; must not be called more often than there are keys, but by several at once. Rejects with
   * the signal's reason. */
  async next(signal: AbortSignal): Promise<TaskKey> {
    signal.throwIfAborted();
    this.#unwatch ??= this.#wants.watch([...this.#left], (key) => this.#end(key));
    while (this.#given === this.#ended.length) {
      await until((resolve) => {
        this.#waiting.add(resolve);
        return () => this.#waiting.delete(resolve);
      }, signal);
    }
    return this.#ended[this.#given++]!;
  }

  #end(key: TaskKey): void {
    if (!this.#left.delete(key)) return;
    this.#ended.push(key);
    const [first] = this.#waiting;
    first?.();
  }

  stop(): void {
    this.#unwatch?.();
  }
}
