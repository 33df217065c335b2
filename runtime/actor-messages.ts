/**
 * Owns what a caller of actors and the node where they live say to one another over a connection of their
 * own. Messages travel in parcels, which the node hands to the actor's thread unopened. Must not know: who
 * calls, how parcels are carried out.
 */
import { type MessageOf, protocol } from './message.ts';
import { array, bytes, count, oneOf, text } from './schema.ts';

/** From the side that calls. A line is a caller's way to one incarnation of an actor; its number is the
 * caller's choice. */
export const ActorRequest = protocol('actor-request', {
  open: { line: count, actor: text, incarnation: count },
  /** `count` messages, numbered on the line from `first`; the body is the codec's encoding of a list of four
   * values each: name, payload, milliseconds left to its deadline, how many incarnations it has ended. */
  parcel: { line: count, first: count, count, header: bytes, frames: array(bytes) },
  /** Nobody waits for these any longer. */
  cancel: { line: count, numbers: array(count) },
  close: { line: count },
});
export type ActorRequest = MessageOf<typeof ActorRequest>;

/** Why messages come back: the mailbox is full (send them again when there is `room`), or the actor is not
 * here, no longer or not yet (send them where it will be). */
export const refusal = oneOf('full', 'away');

/** From the side where actors live. */
export const ActorReply = protocol('actor-reply', {
  /** The body is the codec's encoding of a list of three values for each message: its number, how it went
   * (see `Went`), and the answer or error. */
  answers: { line: count, header: bytes, frames: array(bytes) },
  /** Nothing from this number on was taken. */
  refused: { line: count, from: count, why: refusal },
  room: { line: count },
});
export type ActorReply = MessageOf<typeof ActorReply>;

/** How a message went. `interrupted`: its actor died over it, and it may be sent again. */
export const went = { answered: 0, failed: 1, interrupted: 2 } as const;
