/**
 * Owns the order in which wanted results end: each key once for every time that it is added, as soon as the
 * scheduler says that its task is held or has failed, or nobody wants it any more. Must not know: what is
 * then done with a result.
 */
import type { TaskKey } from '../runtime/index.ts';
import { until } from './client-wait.ts';
import type { Wants } from './client-wants.ts';

export class Completions {
  readonly #wants: Wants;
  readonly #left = new Set<TaskKey>();
  #ended: TaskKey[] = [];
  #given = 0;
  readonly #waiting = new Set<() => void>();
  readonly #unwatch: (() => void)[] = [];

  constructor(wants: Wants, keys: readonly TaskKey[]) {
    this.#wants = wants;
    this.add(keys);
  }

  /** Of what is asked for anew, `Wants.expect` must have been told. */
  add(keys: readonly TaskKey[]): void {
    const fresh = keys.filter((key) => !this.#left.has(key));
    for (const key of fresh) this.#left.add(key);
    this.#unwatch.push(this.#wants.watch(fresh, (key) => this.#end(key)));
  }

  /** The next key; must not be called more often than there are keys, but by several at once. Rejects with
   * the signal's reason. */
  async next(signal: AbortSignal): Promise<TaskKey> {
    signal.throwIfAborted();
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
    for (const unwatch of this.#unwatch) unwatch();
  }
}
