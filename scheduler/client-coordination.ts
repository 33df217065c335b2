/**
 * Owns a client's side of coordination: hands out locks, queues and the like, and carries their wishes, and
 * the values in them, to the scheduler. Must not know: what each of them means by its wishes.
 */
import { AsperitasError, encodePacked } from '../runtime/index.ts';
import { ClientEvent, ClientVariable } from './client-boards.ts';
import type { Futures } from './client-futures.ts';
import type { Jobs } from './client-jobs.ts';
import { LeasePool } from './client-leases.ts';
import { ClientQueue } from './client-queue.ts';
import { ClientTopic } from './client-topic.ts';
import { type Holder, type Met, type NewWish, Wishes } from './client-wishes.ts';
import type { WaitOptions } from './cluster.ts';
import type { Lock, Semaphore, SharedEvent, SharedQueue, Topic, Variable } from './coordination.ts';
import type { CoordinationValue } from './coordination-state.ts';

type WithoutValue<W> = W extends { value: CoordinationValue } ? Omit<W, 'value'> : never;

/** What locks, queues and the like ask through. */
export interface CoordinationAsker {
  readonly wishes: Pick<Wishes, 'end'>;
  /** `what` is named in errors. */
  ask(what: string, wanted: NewWish, options: WaitOptions, holder?: Holder): Promise<Met>;
  /** The same with a value, whose futures are passed as such; what is lazy in it is submitted. */
  askWith(
    what: string,
    about: { readonly value: unknown; readonly wanted: WithoutValue<NewWish> },
    options: WaitOptions,
  ): Promise<Met>;
}

export class Coordination implements CoordinationAsker {
  readonly wishes: Wishes;
  readonly #jobs: Jobs;

  constructor(jobs: Jobs, futures: Futures) {
    this.#jobs = jobs;
    this.wishes = new Wishes({
      tell: (request) => jobs.tell(request),
      claim: (keys, wish) => {
        const serial = jobs.nextSerial();
        const made = keys.map((key) => futures.of(key));
        jobs.wants.expect(keys, serial);
        jobs.tellInOrder({ type: 'submit', tasks: [], wants: keys, serial });
        // Until now the scheduler has kept them for this answer.
        jobs.tellInOrder({ type: 'end-wish', wish });
        return made;
      },
    });
  }

  lock(name: string): Lock {
    return new LeasePool(this, name, { kind: 'lock', leases: 1 });
  }

  semaphore(name: string, leases: number): Semaphore {
    return new LeasePool(this, name, { kind: 'semaphore', leases: positive('leases', leases) });
  }

  event(name: string): SharedEvent {
    return new ClientEvent(this, name);
  }

  queue<T>(name: string, limit: number | undefined): SharedQueue<T> {
    return new ClientQueue(this, name, limit === undefined ? undefined : positive('limit', limit));
  }

  variable<T>(name: string): Variable<T> {
    return new ClientVariable(this, name);
  }

  topic<T>(name: string): Topic<T> {
    return new ClientTopic(this, name);
  }

  ask(what: string, wanted: NewWish, options: WaitOptions, holder?: Holder): Promise<Met> {
    return this.#jobs.within(what, options, (signal) => this.wishes.ask(wanted, signal, holder));
  }

  askWith(
    what: string,
    { value, wanted }: { readonly value: unknown; readonly wanted: WithoutValue<NewWish> },
    options: WaitOptions,
  ): Promise<Met> {
    return this.#jobs.within(what, options, async (signal) => {
      const job = this.#jobs.claim(value, signal);
      const { wants, shape } = job.graph;
      try {
        // The scheduler must have heard of what the value names before it hears of the value.
        if (wants.length > 0) await this.#jobs.submit(job);
        const packed = { keys: wants, shape: encodePacked(shape) };
        return await this.wishes.ask({ ...wanted, value: packed } as NewWish, signal);
      } finally {
        job.release(wants);
      }
    });
  }
}

function positive(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new AsperitasError('bad-option', `${option} ${value}: a whole number from 1 up is wanted`, {
    option,
    value,
  });
}
