/** The disk of the simulated scheduler: what is written becomes durable in order and in its own time, and a
 * crash loses what is not, or some of it. Records go through their encoding, as on a real disk. */
import { decodeRecord, encodeRecord, type JournalRecord } from '../../scheduler/journal-records.ts';
import type { SimulatedClock } from './clock.ts';
import type { Random } from './random.ts';

interface Write {
  readonly apply: () => void;
  readonly done: () => void;
}

export class SimulatedJournal {
  readonly #clock: SimulatedClock;
  readonly #random: Random;
  #durable: Uint8Array[] = [];
  #writes: Write[] = [];
  #freeAt = 0;
  #life = 0;

  constructor(clock: SimulatedClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** All that is durable. */
  read(): JournalRecord[] {
    return this.#durable.map(decodeRecord);
  }

  /** @param done called when the records are durable, unless the process dies before */
  append(records: readonly JournalRecord[], done: () => void): void {
    const bytes = records.map(encodeRecord);
    this.#write({ apply: () => this.#durable.push(...bytes), done });
  }

  /** Now and then a snapshot takes the place of everything, in the order of the writes. It is drawn when its
   * turn has come: what was appended meanwhile stands in it and behind it. */
  maybeRewrite(snapshot: () => Iterable<JournalRecord>): void {
    if (!this.#random.chance(0.02)) return;
    const apply = (): void => {
      this.#durable = Array.from(snapshot(), encodeRecord);
    };
    this.#write({ apply, done: () => undefined });
  }

  /** The process dies: some of what was being written is durable all the same, though nobody was told. */
  crash(): void {
    const survive = this.#random.int(0, this.#writes.length);
    for (const { apply } of this.#writes.slice(0, survive)) apply();
    this.#writes = [];
    this.#life++;
  }

  #write(write: Write): void {
    const { now } = this.#clock;
    this.#freeAt = Math.max(this.#freeAt, now + this.#random.pick([0.1, 5, 600]) * this.#random.next());
    this.#writes.push(write);
    const life = this.#life;
    this.#clock.after(this.#freeAt - now, () => {
      if (this.#life !== life) return;
      this.#writes.shift();
      write.apply();
      write.done();
    });
  }
}
