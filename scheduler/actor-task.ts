/**
 * Owns an actor's answer as an input of a task: a lazy that asks when its turn has come, with what its inputs
 * have become by then. Must not know: how actors are asked.
 */
import { randomUUID } from 'node:crypto';
import {
  type ActorDefinition,
  type ActorMessages,
  actorBody,
  type CallName,
  type InputOf,
  type OutputOf,
} from '../runtime/index.ts';
import type { ActorAddress } from './actor-ref.ts';
import { type Input, type Lazy, task } from './task.ts';

/** What is asked; each asking is one of its own, since an actor may answer otherwise the next time. */
interface Question {
  readonly address: ActorAddress;
  readonly message: string;
  readonly once: string;
}

const askActor = task('asperitas.ask', async (context, question: Question, payload: unknown) => {
  const { address, message } = question;
  const { messages } = actorBody(address.definition);
  const cluster = await context.cluster();
  const definition = { name: address.definition, messages } as ActorDefinition<unknown, ActorMessages>;
  const actor = await cluster.actor(definition, address, { signal: context.signal });
  return actor.ask(message as never, payload as never, { signal: context.signal });
});

/** The answer of an actor, to stand among the arguments of tasks. The payload may hold lazies and futures. It
 * is asked from a node, once; asked again where the result is lost.
 * @throws AsperitasError the task fails as `ask` does */
export function answerOf<M extends ActorMessages, K extends CallName<M>>(
  actor: ActorAddress & { readonly messages?: M },
  message: K,
  payload: Input<InputOf<M[K]>>,
): Lazy<OutputOf<M[K]>> {
  const { actor: id, definition } = actor;
  const question = { address: { actor: id, definition }, message, once: randomUUID() };
  return askActor(question, payload) as Lazy<OutputOf<M[K]>>;
}
