/**
 * Owns an actor as its author writes it: named messages with their schemas, what makes the state and what
 * each message does with it; and the registry in which hosts find it by name. The types of `ask` and `tell`
 * follow from `messages` alone. Must not know: where actors live, how messages travel.
 */
import { AsperitasError } from './errors.ts';
import type { Infer, Schema } from './schema.ts';

/** Messages of one name that wait together are handed over together: at most `max`, of which the first has
 * waited no longer than `withinMs` for the others. */
export interface BatchOptions {
  readonly max: number;
  readonly withinMs: number;
}

export interface MessageOptions {
  /** Carrying it out twice is as good as once: it is sent again when nobody knows whether it was. */
  readonly idempotent?: boolean;
}

/** A message that is answered. */
export interface CallMessage<In, Out> {
  readonly kind: 'call';
  readonly input: Schema<In>;
  readonly output: Schema<Out>;
  readonly idempotent: boolean;
  readonly batch?: undefined;
}
/** A message whose handler is given several at once, and answers each. */
export interface BatchedMessage<In, Out> extends Omit<CallMessage<In, Out>, 'batch'> {
  readonly batch: BatchOptions;
}
/** A message without an answer. */
export interface CastMessage<In> {
  readonly kind: 'cast';
  readonly input: Schema<In>;
  readonly idempotent: boolean;
  readonly batch?: undefined;
}
export type ActorMessage =
  | CallMessage<unknown, unknown>
  | BatchedMessage<unknown, unknown>
  | CastMessage<unknown>;
export type ActorMessages = Readonly<Record<string, ActorMessage>>;

export function call<In, Out>(
  input: Schema<In>,
  output: Schema<Out>,
  options: MessageOptions & { readonly batch: BatchOptions },
): BatchedMessage<In, Out>;
export function call<In, Out>(
  input: Schema<In>,
  output: Schema<Out>,
  options?: MessageOptions,
): CallMessage<In, Out>;
/** Declares a message that is answered. */
export function call(
  input: Schema<unknown>,
  output: Schema<unknown>,
  { idempotent = false, batch }: MessageOptions & { readonly batch?: BatchOptions } = {},
): ActorMessage {
  return { kind: 'call', input, output, idempotent, ...(batch === undefined ? {} : { batch }) };
}

/** Declares a message that is not. */
export function cast<In>(input: Schema<In>, { idempotent = false }: MessageOptions = {}): CastMessage<In> {
  return { kind: 'cast', input, idempotent };
}

/** What an actor is told about itself and, in a handler, about the message at hand. */
export interface ActorContext {
  readonly actor: string;
  /** The name under which it was spawned, if any. */
  readonly name: string | undefined;
  /** 1 for the first life, and higher with every further one. */
  readonly incarnation: number;
  readonly node: string;
  readonly site: string;
  /** The folder whose files it may read, if the node has one. */
  readonly data: string | undefined;
  /** The device that it holds, if it needs one. */
  readonly device: string | undefined;
  /** Aborted when the caller gives the message up, or its deadline has passed. */
  readonly signal: AbortSignal;
}

type Maybe<T> = T | Promise<T>;
/** What a handler is given, and what it returns. */
type Given<M> =
  M extends BatchedMessage<infer I, unknown>
    ? readonly I[]
    : M extends { readonly input: Schema<infer I> }
      ? I
      : never;
type Returned<M> =
  M extends BatchedMessage<unknown, infer O>
    ? readonly O[]
    : M extends { readonly output: Schema<infer O> }
      ? O
      : unknown;
// No conditional type over S itself: with one, the compiler would not find S from what `init` returns.
type Handlers<S, M> = {
  readonly [K in keyof M]: (state: S, message: Given<M[K]>, ctx: ActorContext) => Maybe<Returned<M[K]>>;
};

/** Where an actor lives: in a thread of its own, or in a process for libraries that fail in threads. */
export type Isolation = 'thread' | 'process';

export interface ActorSource<M extends ActorMessages, O, S, N> {
  /** Unique in the process, such as `transient-imager`. */
  readonly name: string;
  /** Resources held for as long as it lives, such as `{ gpu: 1 }`; no thread unless told. */
  readonly needs?: Readonly<Record<string, number>>;
  readonly isolate?: Isolation;
  readonly messages: M;
  readonly init: (ctx: ActorContext, options: O) => Maybe<S>;
  /** One message at a time, in the order of each caller. */
  readonly on: Handlers<S, M>;
  readonly stop?: (state: S) => Maybe<void>;
  /** Plain data from which `restore` makes the state again, perhaps on another node. */
  readonly snapshot?: (state: S) => Maybe<N>;
  readonly restore?: (ctx: ActorContext, options: O, snapshot: N) => Maybe<S>;
}

declare const optionsType: unique symbol;

/** What callers need of an actor; the rest is found by its name where the actor lives. */
export interface ActorDefinition<O, M extends ActorMessages> {
  readonly name: string;
  readonly needs: Readonly<Record<string, number>>;
  readonly isolate: Isolation;
  readonly messages: M;
  /** It has `snapshot` and `restore`: its state can go where it goes. */
  readonly movable: boolean;
  readonly [optionsType]?: (options: O) => void;
}

/** The author's functions, for hosts. */
export interface ActorBody {
  readonly messages: ActorMessages;
  readonly init: (ctx: ActorContext, options: unknown) => unknown;
  readonly on: Readonly<Record<string, (state: unknown, message: unknown, ctx: ActorContext) => unknown>>;
  readonly stop: ((state: unknown) => unknown) | undefined;
  readonly snapshot: ((state: unknown) => unknown) | undefined;
  readonly restore: ((ctx: ActorContext, options: unknown, snapshot: unknown) => unknown) | undefined;
}

/** The names of an actor's calls, and of its casts. */
export type CallName<M> = { [K in keyof M]: M[K] extends { kind: 'call' } ? K : never }[keyof M] & string;
export type CastName<M> = { [K in keyof M]: M[K] extends { kind: 'cast' } ? K : never }[keyof M] & string;
/** What a message takes, and what it answers. */
export type InputOf<M> = M extends { readonly input: infer S } ? Infer<S> : never;
export type OutputOf<M> = M extends { readonly output: infer S } ? Infer<S> : never;

const bodies = new Map<string, ActorBody>();

/** Declares an actor. Throws `duplicate-actor`. */
export function defineActor<const M extends ActorMessages, O, S, N = unknown>(
  source: ActorSource<M, O, S, N>,
): ActorDefinition<O, M> {
  const { name, needs = {}, isolate = 'thread', messages } = source;
  if (bodies.has(name)) {
    throw new AsperitasError('duplicate-actor', `two actors are named ${name}`, { actor: name });
  }
  const { init, on, stop, snapshot, restore } = source;
  bodies.set(name, { messages, init, on, stop, snapshot, restore } as unknown as ActorBody);
  const movable = snapshot !== undefined && restore !== undefined;
  return Object.freeze({ name, needs, isolate, messages, movable });
}

/** The functions of an actor, for hosts; throws `unknown-actor` when no loaded module declares it. */
export function actorBody(name: string): ActorBody {
  const body = bodies.get(name);
  if (body !== undefined) return body;
  const message = `no loaded module declares the actor ${name}; see --modules`;
  throw new AsperitasError('unknown-actor', message, { actor: name });
}
