/**
 * Owns the messages by which clients coordinate through the scheduler: locks and semaphores (pools of
 * leases), events and variables (boards, which show a value or nothing), queues, topics. What a client asks
 * for is a wish, with a number of the client's own: it is answered once, sent again after a lost connection,
 * and never counts twice. Must not know: how wishes are met.
 */
import { array, as, bytes, count, flag, maybe, object, oneOf, type TaskKey, text } from '../runtime/index.ts';

/** A value in which futures stand as references into `keys`, encoded by the codec. */
const value = object({ keys: array(as<TaskKey>(text)), shape: bytes });
const poolKind = oneOf('lock', 'semaphore');
const boardKind = oneOf('event', 'variable');
/** Each wish also says which answers have come since the last one: these need not be remembered. */
const asked = { wish: count, seen: array(count), name: text };

/** From a client. Where `wait` is false the answer comes at once, and may be `refused`. */
export const wishes = {
  /** `again`: it was granted by a former scheduler, or before the connection was lost. */
  'take-lease': { ...asked, kind: poolKind, leases: count, wait: flag, again: maybe(flag) },
  'show-on-board': { ...asked, kind: boardKind, value },
  'clear-board': { ...asked, kind: boardKind },
  'read-board': { ...asked, kind: boardKind, wait: flag },
  'put-in-queue': { ...asked, value, limit: maybe(count), wait: flag },
  'take-from-queue': { ...asked, limit: maybe(count), wait: flag },
  /** Answered with the number of items. */
  'count-queue': { ...asked, limit: maybe(count) },
  'say-on-topic': { ...asked, value },
  /** Answered with how much was said before; `topic-said` follows until the wish is ended. */
  'follow-topic': { ...asked },
} as const;

export const coordinationRequests = {
  ...wishes,
  /** Is answered, as the wish itself or by `withdrawn`, unless the answer is under way. */
  'withdraw-wish': { wish: count },
  /** Gives a lease back, ends the following of a topic, or says that the results in an answer are wanted by
   * now: until then they are kept. */
  'end-wish': { wish: count },
  /** All other wishes have come to an end: said before a farewell, and after a connection was lost. */
  'resume-wishes': { live: array(count) },
} as const;

export const coordinationAnswers = {
  'wish-answered': {
    wish: count,
    outcome: oneOf('granted', 'refused', 'withdrawn', 'lost'),
    /** Why it can't be met at all: a code of docs/errors.md, and its message. */
    problem: maybe(object({ code: text, message: text })),
    value: maybe(value),
    count: maybe(count),
  },
  'topic-said': { wish: count, count, value },
} as const;
