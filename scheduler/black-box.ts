/**
 * Owns the scheduler's flight recorder: the last events with their sequence numbers and times, bounded by
 * weight, without the arguments of tasks. Replaying a log that starts with the first event gives the state.
 * Must not know: what events do.
 */
import type { Millis } from '../runtime/index.ts';
import { limits } from './limits.ts';
import type { SchedulerEvent } from './scheduler-event.ts';

export interface LogEntry {
  readonly seq: number;
  readonly now: Millis;
  readonly event: SchedulerEvent;
}

const nothing = new Uint8Array(0);

function weightOf(event: SchedulerEvent): number {
  return event.type === 'from-client' && event.message.type === 'submit' ? 1 + event.message.tasks.length : 1;
}

/** The event without bulk: the scheduler passes arguments on and never reads them. */
function light(event: SchedulerEvent): SchedulerEvent {
  if (event.type !== 'from-client' || event.message.type !== 'submit') return event;
  const tasks = event.message.tasks.map((spec) =>
    spec.args.byteLength <= limits.blackBoxArgsBytes ? spec : { ...spec, args: nothing },
  );
  return { ...event, message: { ...event.message, tasks } };
}

export class BlackBox {
  #entries: LogEntry[] = [];
  #first = 0;
  #weight = 0;

  /** What is replayed from a journal is not kept twice. */
  record(entry: LogEntry): void {
    if (entry.event.type === 'record-replayed') return;
    this.#entries.push({ ...entry, event: light(entry.event) });
    this.#weight += weightOf(entry.event);
    while (this.#weight > limits.blackBoxWeight && this.#first < this.#entries.length - 1) {
      this.#weight -= weightOf(this.#entries[this.#first++]!.event);
    }
    // Cut off the forgotten part now and then, so that recording stays cheap.
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Oldest first. */
  entries(): readonly LogEntry[] {
    return this.#entries.slice(this.#first);
  }

  /** False once the beginning has been forgotten, so that a replay can't reach the present state. */
  get complete(): boolean {
    return this.#entries[this.#first]?.seq === 1 || this.#entries.length === 0;
  }
}
