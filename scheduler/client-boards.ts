/**
 * Owns the events and variables of a client. Must not know: how they are kept.
 */
import type { CoordinationAsker } from './client-coordination.ts';
import type { WaitOptions } from './cluster.ts';
import type { SharedEvent, Variable } from './coordination.ts';

const nothing = { keys: [], shape: new Uint8Array(0) };

export class ClientEvent implements SharedEvent {
  readonly name: string;
  readonly #asker: CoordinationAsker;

  constructor(asker: CoordinationAsker, name: string) {
    this.#asker = asker;
    this.name = name;
  }

  async set(options: WaitOptions = {}): Promise<void> {
    const wanted = { type: 'show-on-board', kind: 'event', name: this.name, value: nothing } as const;
    await this.#asker.ask('event.set', wanted, options);
  }

  async clear(options: WaitOptions = {}): Promise<void> {
    await this.#asker.ask('event.clear', { type: 'clear-board', kind: 'event', name: this.name }, options);
  }

  async isSet(options: WaitOptions = {}): Promise<boolean> {
    return (await this.#read(false, options)) === 'granted';
  }

  async wait(options: WaitOptions = {}): Promise<void> {
    await this.#read(true, options);
  }

  async #read(wait: boolean, options: WaitOptions): Promise<string> {
    const wanted = { type: 'read-board', kind: 'event', name: this.name, wait } as const;
    return (await this.#asker.ask('event.wait', wanted, options)).outcome;
  }
}

export class ClientVariable<T> implements Variable<T> {
  readonly name: string;
  readonly #asker: CoordinationAsker;

  constructor(asker: CoordinationAsker, name: string) {
    this.#asker = asker;
    this.name = name;
  }

  async set(value: T, options: WaitOptions = {}): Promise<void> {
    const wanted = { type: 'show-on-board', kind: 'variable', name: this.name } as const;
    await this.#asker.askWith('variable.set', { value, wanted }, options);
  }

  async get(options: WaitOptions = {}): Promise<T> {
    return (await this.#read(true, options))!.value;
  }

  tryGet(options: WaitOptions = {}): Promise<{ readonly value: T } | undefined> {
    return this.#read(false, options);
  }

  async delete(options: WaitOptions = {}): Promise<void> {
    const wanted = { type: 'clear-board', kind: 'variable', name: this.name } as const;
    await this.#asker.ask('variable.delete', wanted, options);
  }

  async #read(wait: boolean, options: WaitOptions): Promise<{ readonly value: T } | undefined> {
    const wanted = { type: 'read-board', kind: 'variable', name: this.name, wait } as const;
    const { outcome, value } = await this.#asker.ask('variable.get', wanted, options);
    return outcome === 'granted' ? { value: value as T } : undefined;
  }
}
