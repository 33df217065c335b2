/**
 * Owns what a user holds of a living actor: typed by its messages alone. Must not know: how messages reach
 * it, or what the scheduler says.
 */
import type {
  ActorId,
  ActorMessages,
  AskOptions,
  CallName,
  CastName,
  InputOf,
  OutputOf,
} from '../runtime/index.ts';
import type { WaitOptions } from './cluster.ts';

/** What a reference is as plain data: it can be sent to tasks and other actors, which make a reference of it
 * again by `cluster.actor`. */
export interface ActorAddress {
  readonly actor: ActorId;
  readonly definition: string;
}

/** What happens to an actor, for those who watch it. After `gone` nothing more comes. */
export type ActorChange =
  | { readonly type: 'lives'; readonly incarnation: number; readonly node: string }
  | { readonly type: 'away'; readonly why: string }
  /** A message that had ended several incarnations was taken out. */
  | { readonly type: 'spared'; readonly message: string; readonly error: Error }
  | { readonly type: 'gone'; readonly error: Error };

/** What a reference works with. */
export interface ActorHandle {
  ask(name: string, payload: unknown, options?: AskOptions): Promise<unknown>;
  tell(name: string, payload: unknown): Promise<void>;
  stop(options?: WaitOptions): Promise<void>;
  watch(listener: (change: ActorChange) => void): () => void;
}

export class ActorRef<M extends ActorMessages> implements ActorAddress {
  readonly actor: ActorId;
  readonly definition: string;
  readonly #handle: ActorHandle;
  /** For the types alone. */
  declare readonly messages?: M;

  constructor(address: ActorAddress, handle: ActorHandle) {
    this.actor = address.actor;
    this.definition = address.definition;
    this.#handle = handle;
  }

  /** Sends a message and gives its answer. Messages of one client are carried out in the order of asking. The
   * payload must not be changed before the answer is there.
   * @throws AsperitasError the handler's own error, `timeout`, `aborted`, `mailbox-full`, `actor-crashed` and
   *   `answer-lost` (it was carried out in part, or perhaps), `actor-lost`, `actor-stopped`,
   *   `poison-message`, `not-serialisable`, `invalid-message` */
  ask<K extends CallName<M>>(
    message: K,
    payload: InputOf<M[K]>,
    options?: AskOptions,
  ): Promise<OutputOf<M[K]>> {
    return this.#handle.ask(message, payload, options) as Promise<OutputOf<M[K]>>;
  }

  /** Sends a message that is not answered. Resolves when it is on its way: a full mailbox delays that.
   * @throws AsperitasError `mailbox-full`, `actor-lost`, `actor-stopped`, `not-serialisable` */
  tell<K extends CastName<M>>(message: K, payload: InputOf<M[K]>): Promise<void> {
    return this.#handle.tell(message, payload);
  }

  /** Has it finish the message at hand and end; resolves when it has. */
  stop(options?: WaitOptions): Promise<void> {
    return this.#handle.stop(options);
  }

  /** Tells of its lives and its end from now on; returns the way to stop that. */
  watch(listener: (change: ActorChange) => void): () => void {
    return this.#handle.watch(listener);
  }
}
