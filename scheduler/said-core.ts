/**
 * Owns how what clients say is counted and kept, so that an intent counts once though connections break and
 * schedulers die; and the clients' coming and going. Pure. Must not know: what any message does.
 */
import type { ClientId } from '../runtime/index.ts';
import { endActorsOf, isActorRequest, onActorRequest } from './actor-requests.ts';
import { onClientMessage, releaseSome } from './client-core.ts';
import { endCoordination, serveReturned } from './coordination-core.ts';
import { isIntent } from './intents.ts';
import { limits } from './limits.ts';
import type { ToScheduler } from './protocol.ts';
import { type ClientRecord, createClient, notify, record, type SchedulerState } from './scheduler-state.ts';

/** A client is there, for the first time or again. It hears at once what is known of it. */
export function onClientJoined(state: SchedulerState, id: ClientId, secret: string): void {
  const known = state.clients.get(id);
  const client = known ?? createClient(secret);
  client.goneSince = undefined;
  if (known === undefined) {
    state.clients.set(id, client);
    record(state, { type: 'client-known', client: id, secret, heard: 0, kept: false });
  }
  const { epoch } = state;
  notify(state, id, { type: 'welcome', epoch, known: known !== undefined, heard: client.heard });
  serveReturned(state, id);
}

export function onClientLost(state: SchedulerState, id: ClientId, broken: boolean): void {
  const client = state.clients.get(id);
  if (client === undefined) return;
  client.goneSince = state.now;
  client.broken = broken;
}

/** Forgets a client that has been away for too long, with all that it wanted. */
export function forgetIfGone(state: SchedulerState, id: ClientId, client: ClientRecord): void {
  if (client.kept || client.goneSince === undefined) return;
  const graceMs = client.broken ? limits.clientCutMs : limits.clientGraceMs;
  if (state.now - client.goneSince <= graceMs) return;
  endActorsOf(state, id);
  // The rest when the next tick comes: nobody else is to wait for it.
  if (!releaseSome(state, id)) return;
  state.clients.delete(id);
  endCoordination(state, id);
  record(state, { type: 'client-forgotten', client: id });
}

export function onClientSaid(state: SchedulerState, id: ClientId, message: ToScheduler): void {
  const client = state.clients.get(id);
  if (client === undefined) return;
  if (isIntent(message)) {
    const heard = ++client.heard;
    record(state, { type: 'said', client: id, heard, message });
    state.unaccepted.push({ record: state.records, client: id, heard });
  }
  heed(state, id, message);
}

/** Does what a client says. */
export function heed(state: SchedulerState, id: ClientId, message: ToScheduler): void {
  if (isActorRequest(message)) onActorRequest(state, id, message);
  else onClientMessage(state, id, message);
}

/** Records are durable: the clients whose intents they hold need not keep them any longer. */
export function onRecorded(state: SchedulerState, through: number): void {
  const accepted = new Map<ClientId, number>();
  const { unaccepted } = state;
  let count = 0;
  while (count < unaccepted.length && unaccepted[count]!.record <= through) {
    const { client, heard } = unaccepted[count++]!;
    accepted.set(client, heard);
  }
  state.unaccepted = unaccepted.slice(count);
  for (const [client, heard] of accepted) {
    if (state.clients.has(client)) notify(state, client, { type: 'accepted', through: heard });
  }
}
