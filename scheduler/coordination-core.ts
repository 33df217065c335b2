/**
 * Owns how the wishes of clients about locks, semaphores, events, variables, queues and topics are met: in
 * the order of asking, each answered once, however often it is sent. A client that is cut off keeps its place
 * and its leases until it is gone for good, and nothing is granted to it meanwhile. What nobody uses is
 * forgotten. Pure. Must not know: what any client does with what it gets.
 */
import { assertNever, type ClientId } from '../runtime/index.ts';
import { clearBoard, readBoard, serveBoard, showOnBoard } from './board-core.ts';
import { type About, problem, refuse } from './coordination-answers.ts';
import type {
  Asked,
  Board,
  CoordinationRequest,
  Pool,
  Queue,
  Thing,
  Topic,
  Wish,
} from './coordination-state.ts';
import { letGoOf } from './kept-values.ts';
import { serveLeases, takeLease } from './lease-core.ts';
import { limits } from './limits.ts';
import type { ToScheduler } from './protocol.ts';
import { countQueue, putInQueue, serveQueue, takeFromQueue } from './queue-core.ts';
import { notify, type SchedulerState } from './scheduler-state.ts';
import { followTopic, sayOnTopic } from './topic-core.ts';

export function isCoordination(message: ToScheduler): message is CoordinationRequest {
  return 'wish' in message || message.type === 'resume-wishes';
}

export function onCoordination(state: SchedulerState, client: ClientId, message: CoordinationRequest): void {
  const { asked } = state.coordination;
  const mine = asked.get(client) ?? new Map<number, Asked>();
  asked.set(client, mine);
  switch (message.type) {
    case 'withdraw-wish':
      withdraw(state, mine.get(message.wish));
      break;
    case 'end-wish':
      end(state, mine.get(message.wish));
      break;
    case 'resume-wishes': {
      const live = new Set(message.live);
      for (const [wish, one] of [...mine]) if (!live.has(wish)) end(state, one);
      expectNoLonger(state, client);
      break;
    }
    default:
      onWish(state, { client, mine, wish: message });
  }
  if (mine.size === 0) asked.delete(client);
}

/** A client is there again: what it waits for may be granted now. */
export function serveReturned(state: SchedulerState, client: ClientId): void {
  for (const { thing } of [...(state.coordination.asked.get(client)?.values() ?? [])]) serve(state, thing);
}

/** A client is gone for good: its places and leases go to others, and what only it used is forgotten. */
export function endCoordination(state: SchedulerState, client: ClientId): void {
  const { asked, things } = state.coordination;
  expectNoLonger(state, client);
  const mine = [...(asked.get(client)?.values() ?? [])];
  asked.delete(client);
  for (const one of mine) leave(state, one);
  for (const { thing } of mine) serve(state, thing);
  for (const thing of [...things.values()]) {
    thing.users.delete(client);
    if (thing.users.size === 0) forget(state, thing);
    else forgetIfBlank(state, thing);
  }
}

/** A former scheduler may have granted leases to these clients: they have some time to say so. */
export function expectHolders(state: SchedulerState): void {
  for (const [id, { kept }] of state.clients) if (!kept) state.coordination.expected.add(id);
}

function expectNoLonger(state: SchedulerState, client: ClientId): void {
  const { expected, things } = state.coordination;
  if (!expected.delete(client) || expected.size > 0) return;
  for (const thing of [...things.values()]) if (thing.type === 'pool') serve(state, thing);
}

interface Request {
  readonly client: ClientId;
  readonly mine: Map<number, Asked>;
  readonly wish: Wish;
}

function onWish(state: SchedulerState, { client, mine, wish }: Request): void {
  for (const number of wish.seen) {
    const one = mine.get(number);
    if (one?.answer !== undefined && !lasts(one)) end(state, one);
  }
  const known = mine.get(wish.wish);
  if (known !== undefined) {
    if (known.answer !== undefined) notify(state, client, known.answer);
    return;
  }
  const flaw = flawOf(state, mine, wish);
  if (flaw !== undefined) {
    refuse(state, { client, wish: wish.wish }, flaw);
    return;
  }
  const thing = thingOf(state, wish);
  thing.users.add(client);
  const one: Asked = { client, wish, thing, answer: undefined, kept: undefined };
  mine.set(wish.wish, one);
  meet(state, one);
  // What was not granted has left no trace, so its answer need not be remembered.
  if (one.answer !== undefined && one.answer.outcome !== 'granted') mine.delete(wish.wish);
  forgetIfBlank(state, thing);
}

/** A lease and the following of a topic last until their client ends them. */
function lasts({ wish }: Asked): boolean {
  return wish.type === 'take-lease' || wish.type === 'follow-topic';
}

function placeOf(wish: Wish): string {
  switch (wish.type) {
    case 'take-lease':
    case 'show-on-board':
    case 'clear-board':
    case 'read-board':
      return `${wish.kind} ${wish.name}`;
    case 'put-in-queue':
    case 'take-from-queue':
    case 'count-queue':
      return `queue ${wish.name}`;
    case 'say-on-topic':
    case 'follow-topic':
      return `topic ${wish.name}`;
    default:
      return assertNever(wish);
  }
}

/** Why a wish can't be met whatever others do. */
function flawOf(state: SchedulerState, mine: ReadonlyMap<number, Asked>, wish: Wish): About | undefined {
  const bytes = wish.name.length + ('value' in wish ? wish.value.shape.byteLength : 0);
  if (bytes > limits.valueBytes) {
    const message = `${wish.name.slice(0, 100)}: a value of ${bytes} bytes is too large; pass a future of it`;
    return problem('value-too-large', message);
  }
  const thing = state.coordination.things.get(placeOf(wish));
  if (
    mine.size >= limits.wishes ||
    (thing === undefined && state.coordination.things.size >= limits.things)
  ) {
    return problem('too-many-waits', 'too many locks, queues and the like are in use: end some first');
  }
  const asked = wish.type === 'take-lease' ? wish.leases : 'limit' in wish ? wish.limit : undefined;
  const found = thing?.type === 'pool' ? thing.leases : thing?.type === 'queue' ? thing.limit : undefined;
  if (asked === undefined || found === undefined || asked === found) return undefined;
  return problem('other-limit', `${placeOf(wish)} is in use with a limit of ${found}, not ${asked}`);
}

function thingOf(state: SchedulerState, wish: Wish): Thing {
  const { things } = state.coordination;
  const place = placeOf(wish);
  const known = things.get(place);
  if (known !== undefined) return known;
  const made = makeThing({ place, name: wish.name, users: new Set() }, wish);
  things.set(place, made);
  return made;
}

function makeThing(named: Pick<Thing, 'place' | 'name' | 'users'>, wish: Wish): Thing {
  switch (wish.type) {
    case 'take-lease':
      return { ...named, type: 'pool', leases: wish.leases, held: new Set(), line: new Set() };
    case 'show-on-board':
    case 'clear-board':
    case 'read-board':
      return { ...named, type: 'board', shown: undefined, line: new Set() };
    case 'put-in-queue':
    case 'take-from-queue':
    case 'count-queue': {
      const limit = wish.limit ?? limits.queueItems;
      return { ...named, type: 'queue', limit, items: [], bytes: 0, puts: new Set(), takes: new Set() };
    }
    case 'say-on-topic':
    case 'follow-topic':
      return { ...named, type: 'topic', said: 0, followers: new Set() };
    default:
      return assertNever(wish);
  }
}

function meet(state: SchedulerState, asked: Asked): void {
  const { wish, thing } = asked;
  switch (wish.type) {
    case 'take-lease':
      takeLease(state, thing as Pool, asked);
      return;
    case 'show-on-board':
      showOnBoard(state, thing as Board, asked);
      return;
    case 'clear-board':
      clearBoard(state, thing as Board, asked);
      return;
    case 'read-board':
      readBoard(state, thing as Board, asked);
      return;
    case 'put-in-queue':
      putInQueue(state, thing as Queue, asked);
      return;
    case 'take-from-queue':
      takeFromQueue(state, thing as Queue, asked);
      return;
    case 'count-queue':
      countQueue(state, thing as Queue, asked);
      return;
    case 'say-on-topic':
      sayOnTopic(state, thing as Topic, asked);
      return;
    case 'follow-topic':
      followTopic(state, thing as Topic, asked);
      return;
    default:
      assertNever(wish);
  }
}

/** Grants what can be granted now. */
function serve(state: SchedulerState, thing: Thing): void {
  if (thing.type === 'pool') serveLeases(state, thing);
  else if (thing.type === 'board') serveBoard(state, thing);
  else if (thing.type === 'queue') serveQueue(state, thing);
  forgetIfBlank(state, thing);
}

/** What was answered is not taken back: the answer is under way. */
function withdraw(state: SchedulerState, asked: Asked | undefined): void {
  if (asked === undefined || asked.answer !== undefined) return;
  end(state, asked);
  refuse(state, { client: asked.client, wish: asked.wish.wish }, { outcome: 'withdrawn' });
}

function end(state: SchedulerState, asked: Asked | undefined): void {
  if (asked === undefined) return;
  state.coordination.asked.get(asked.client)?.delete(asked.wish.wish);
  leave(state, asked);
  serve(state, asked.thing);
}

function leave(state: SchedulerState, asked: Asked): void {
  const { thing } = asked;
  letGoOf(state, asked.kept);
  asked.kept = undefined;
  if (thing.type === 'topic') thing.followers.delete(asked);
  else if (thing.type === 'queue') {
    thing.puts.delete(asked);
    thing.takes.delete(asked);
  } else {
    thing.line.delete(asked);
    if (thing.type === 'pool') thing.held.delete(asked);
  }
}

/** Whether a thing is as it would be if it were made anew. */
function isBlank(thing: Thing): boolean {
  switch (thing.type) {
    case 'pool':
      return thing.held.size === 0 && thing.line.size === 0;
    case 'board':
      return thing.shown === undefined && thing.line.size === 0;
    case 'queue':
      return thing.items.length === 0 && thing.puts.size === 0 && thing.takes.size === 0;
    case 'topic':
      return thing.followers.size === 0;
    default:
      return assertNever(thing);
  }
}

function forgetIfBlank(state: SchedulerState, thing: Thing): void {
  if (isBlank(thing)) forget(state, thing);
}

function forget(state: SchedulerState, thing: Thing): void {
  if (state.coordination.things.get(thing.place) !== thing) return;
  state.coordination.things.delete(thing.place);
  if (thing.type === 'queue') for (const kept of thing.items.splice(0)) letGoOf(state, kept);
  else if (thing.type === 'board') letGoOf(state, thing.shown);
}
