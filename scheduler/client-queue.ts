/**
 * Owns the queues of a client. Must not know: how items are kept.
 */
import type { CoordinationAsker } from './client-coordination.ts';
import type { WaitOptions } from './cluster.ts';
import type { SharedQueue } from './coordination.ts';

export class ClientQueue<T> implements SharedQueue<T> {
  readonly name: string;
  readonly #asker: CoordinationAsker;
  readonly #about: { readonly name: string; readonly limit?: number };

  constructor(asker: CoordinationAsker, name: string, limit: number | undefined) {
    this.#asker = asker;
    this.name = name;
    this.#about = limit === undefined ? { name } : { name, limit };
  }

  async put(value: T, options: WaitOptions = {}): Promise<void> {
    await this.#put(value, true, options);
  }

  async tryPut(value: T, options: WaitOptions = {}): Promise<boolean> {
    return (await this.#put(value, false, options)) === 'granted';
  }

  async get(options: WaitOptions = {}): Promise<T> {
    return (await this.#take(true, options))!.value;
  }

  tryGet(options: WaitOptions = {}): Promise<{ readonly value: T } | undefined> {
    return this.#take(false, options);
  }

  async size(options: WaitOptions = {}): Promise<number> {
    return (await this.#asker.ask('queue.size', { type: 'count-queue', ...this.#about }, options)).count;
  }

  async #put(value: T, wait: boolean, options: WaitOptions): Promise<string> {
    const wanted = { type: 'put-in-queue', wait, ...this.#about } as const;
    return (await this.#asker.askWith('queue.put', { value, wanted }, options)).outcome;
  }

  async #take(wait: boolean, options: WaitOptions): Promise<{ readonly value: T } | undefined> {
    const wanted = { type: 'take-from-queue', wait, ...this.#about } as const;
    const { outcome, value } = await this.#asker.ask('queue.get', wanted, options);
    return outcome === 'granted' ? { value: value as T } : undefined;
  }
}
