/**
 * Owns the order among tasks that are ready: higher priority first, then what is due first, then lower
 * rank. Entries are removed lazily: one is stale when its task has left the phase under which it was queued.
 * Pure. Must not know: nodes, placement, what else there is to a task.
 */
import { Heap } from '../runtime/index.ts';

/** What is asked of a task. Every change of phase gives it another object. */
interface Ranked {
  readonly priority: number;
  readonly rank: number;
  /** When it should begin; must not change while it is queued. */
  readonly due: number;
  readonly phase: object;
}

interface Entry<T> {
  readonly task: T;
  readonly phase: object;
}

/** True when `a` should run before `b`, all else being equal. */
export function runsBefore(a: Ranked, b: Ranked): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  return a.due === b.due ? a.rank < b.rank : a.due < b.due;
}

export class ReadyQueue<T extends Ranked> {
  readonly #heap = new Heap<Entry<T>>((a, b) => runsBefore(a.task, b.task));

  /** Queues a task under its present phase, which must be `ready`. */
  push(task: T, phase: T['phase']): void {
    this.#heap.push({ task, phase });
  }

  /** The first task that is still queued here. */
  peek(): T | undefined {
    for (let { first } = this.#heap; first !== undefined; { first } = this.#heap) {
      if (first.task.phase === first.phase) return first.task;
      this.#heap.pop();
    }
    return undefined;
  }

  /** Some of the first tasks, at most `limit`, in no strict order. */
  sample(limit: number): T[] {
    this.peek();
    const { entries } = this.#heap;
    const found: T[] = [];
    for (let index = 0; index < entries.length && index < 4 * limit && found.length < limit; index++) {
      const { task, phase } = entries[index]!;
      if (task.phase === phase) found.push(task);
    }
    return found;
  }

  /** All tasks that are still queued here, in no strict order. */
  all(): T[] {
    return this.#heap.entries.filter(({ task, phase }) => task.phase === phase).map(({ task }) => task);
  }
}
