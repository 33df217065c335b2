/**
 * Owns the topics of a client: what comes is kept for each loop that reads it, up to a number, then the
 * oldest is dropped and counted. Must not know: how words travel.
 */
import type { CoordinationAsker } from './client-coordination.ts';
import type { WaitOptions } from './cluster.ts';
import type { SubscribeOptions, Subscription, Topic } from './coordination.ts';
import { clientLimits } from './limits.ts';

export class ClientTopic<T> implements Topic<T> {
  readonly name: string;
  readonly #asker: CoordinationAsker;

  constructor(asker: CoordinationAsker, name: string) {
    this.#asker = asker;
    this.name = name;
  }

  async publish(value: T, options: WaitOptions = {}): Promise<number> {
    const wanted = { type: 'say-on-topic', name: this.name } as const;
    return (await this.#asker.askWith('topic.publish', { value, wanted }, options)).count;
  }

  async subscribe({ buffer, ...options }: SubscribeOptions = {}): Promise<Subscription<T>> {
    const heard = new Heard<T>(buffer ?? clientLimits.topicWords);
    const wanted = { type: 'follow-topic', name: this.name } as const;
    const { wish, count } = await this.#asker.ask('topic.subscribe', wanted, options, {
      onWord: (value, number) => heard.add(value as T, number),
      onLost: (error) => heard.end(error),
    });
    heard.begin(count, () => this.#asker.wishes.end(wish));
    return heard;
  }
}

class Heard<T> implements Subscription<T> {
  readonly #most: number;
  #words: T[] = [];
  #dropped = 0;
  /** Number of the last word that came. */
  #last: number | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #stop: () => void = () => undefined;
  #wake: () => void = () => undefined;

  constructor(most: number) {
    this.#most = Math.max(1, most);
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** @param said number of the last word before */
  begin(said: number, stop: () => void): void {
    this.#stop = stop;
    // A word may have come before the promise of the subscription was taken up.
    this.#last ??= said;
  }

  add(word: T, number: number): void {
    if (this.#end !== undefined) return;
    // The next scheduler counts anew.
    if (this.#last !== undefined) this.#dropped += Math.max(0, number - this.#last - 1);
    this.#last = number;
    this.#words.push(word);
    if (this.#words.length > this.#most) {
      this.#words.shift();
      this.#dropped++;
    }
    this.#wake();
  }

  end(error: Error | undefined): void {
    this.#end ??= { error };
    this.#wake();
  }

  close(): void {
    this.#stop();
    this.end(undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    try {
      for (;;) {
        while (this.#words.length > 0) yield this.#words.shift()!;
        if (this.#end !== undefined) break;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#end.error !== undefined) throw this.#end.error;
    } finally {
      this.close();
    }
  }
}
