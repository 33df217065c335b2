/**
 * Owns queues: items go to those who wait for them in the order of asking, and whoever puts waits for room.
 * Pure. Must not know: other kinds of wishes.
 */
import { answer, present, problem, refuseToWait } from './coordination-answers.ts';
import type { Asked, Queue, WishOf } from './coordination-state.ts';
import { keep } from './kept-values.ts';
import { limits } from './limits.ts';
import type { SchedulerState } from './scheduler-state.ts';

export function putInQueue(state: SchedulerState, queue: Queue, asked: Asked): void {
  queue.puts.add(asked);
  serveQueue(state, queue);
  refuseToWait(state, asked, queue.puts);
}

export function takeFromQueue(state: SchedulerState, queue: Queue, asked: Asked): void {
  queue.takes.add(asked);
  serveQueue(state, queue);
  refuseToWait(state, asked, queue.takes);
}

export function countQueue(state: SchedulerState, queue: Queue, asked: Asked): void {
  answer(state, asked, { outcome: 'granted', count: queue.items.length });
}

/** Whether a queue takes an item of so many bytes; an empty one takes any. */
export function hasRoom({ items, limit, bytes }: Queue, more: number): boolean {
  return items.length === 0 || (items.length < limit && bytes + more <= limits.queueBytes);
}

export function bytesOf(asked: Asked): number {
  return (asked.wish as WishOf<'put-in-queue'>).value.shape.byteLength;
}

/** Items make room when they are taken, and room lets further ones in. */
export function serveQueue(state: SchedulerState, queue: Queue): void {
  while (accept(state, queue) || deliver(state, queue));
}

function accept(state: SchedulerState, queue: Queue): boolean {
  let moved = false;
  for (const asked of present(state, queue.puts)) {
    if (!hasRoom(queue, bytesOf(asked))) break;
    queue.puts.delete(asked);
    moved = true;
    const kept = keep(state, (asked.wish as WishOf<'put-in-queue'>).value);
    if ('unknown' in kept) {
      answer(state, asked, problem('unknown-input', `no task ${kept.unknown} is known (released already?)`));
      continue;
    }
    queue.items.push(kept);
    queue.bytes += bytesOf(asked);
    answer(state, asked, { outcome: 'granted' });
  }
  return moved;
}

function deliver(state: SchedulerState, queue: Queue): boolean {
  let moved = false;
  for (const asked of present(state, queue.takes)) {
    const kept = queue.items.shift();
    if (kept === undefined) break;
    queue.takes.delete(asked);
    queue.bytes -= kept.value.shape.byteLength;
    moved = true;
    asked.kept = kept;
    answer(state, asked, { outcome: 'granted', value: kept.value });
  }
  return moved;
}
