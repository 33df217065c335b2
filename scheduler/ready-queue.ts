/**
 * Owns the order among tasks that are ready: a binary heap, higher priority first, then lower rank. Entries
 * are removed lazily: one is stale when its task has left the phase under which it was queued. Pure. Must not
 * know: nodes, placement.
 */
import type { ReadyPhase, TaskRecord } from './scheduler-state.ts';

interface Entry {
  readonly task: TaskRecord;
  readonly phase: ReadyPhase;
}

/** True when `a` should run before `b`, all else being equal. */
export function runsBefore(a: TaskRecord, b: TaskRecord): boolean {
  return a.priority === b.priority ? a.rank < b.rank : a.priority > b.priority;
}

export class ReadyQueue {
  #entries: Entry[] = [];

  /** Queues a task under its present phase, which must be `ready`. */
  push(task: TaskRecord, phase: ReadyPhase): void {
    this.#entries.push({ task, phase });
    this.#rise(this.#entries.length - 1);
  }

  /** The first task that is still queued here. */
  peek(): TaskRecord | undefined {
    for (let top = this.#entries[0]; top !== undefined; top = this.#entries[0]) {
      if (top.task.phase === top.phase) return top.task;
      this.#removeTop();
    }
    return undefined;
  }

  /** Some of the first tasks, at most `limit`, in no strict order. */
  sample(limit: number): TaskRecord[] {
    this.peek();
    const found: TaskRecord[] = [];
    for (let index = 0; index < this.#entries.length && index < 4 * limit && found.length < limit; index++) {
      const { task, phase } = this.#entries[index]!;
      if (task.phase === phase) found.push(task);
    }
    return found;
  }

  /** All tasks that are still queued here, in no strict order. */
  all(): TaskRecord[] {
    return this.#entries.filter(({ task, phase }) => task.phase === phase).map(({ task }) => task);
  }

  #removeTop(): void {
    const last = this.#entries.pop()!;
    if (this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#sink();
  }

  #rise(start: number): void {
    const entries = this.#entries;
    const entry = entries[start]!;
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!runsBefore(entry.task, entries[parent]!.task)) break;
      entries[index] = entries[parent]!;
      index = parent;
    }
    entries[index] = entry;
  }

  #sink(): void {
    const entries = this.#entries;
    const entry = entries[0]!;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= entries.length) break;
      const right = entries[child + 1];
      if (right !== undefined && runsBefore(right.task, entries[child]!.task)) child++;
      if (!runsBefore(entries[child]!.task, entry.task)) break;
      entries[index] = entries[child]!;
      index = child;
    }
    entries[index] = entry;
  }
}
