/**
 * Owns the copies of data that come without a run that needs them: ordered by the scheduler, as when their
 * holder leaves, and fetched like inputs, after those; or brought by a client. Pure. Must not know: why a
 * copy is wanted.
 */
import type { ToNode } from '../scheduler/protocol.ts';
import { datumOf, hold, stopFetch, tidy } from './worker-data.ts';
import {
  type Datum,
  type MissReason,
  send,
  sourceOf,
  type WorkerEvent,
  type WorkerState,
} from './worker-state.ts';

/** After every run: a run that waits goes first. */
const lastRank = Number.MAX_SAFE_INTEGER;

export function onCopy(state: WorkerState, { data }: Extract<ToNode, { type: 'copy' }>): void {
  if (state.retiring) return;
  for (const order of data) {
    const datum = datumOf(state, order.key);
    const { phase } = datum;
    if (phase.name === 'held') {
      // One that was about to go stays after all; of any other the scheduler knows.
      if (phase.doomed) {
        datum.phase = { ...phase, doomed: false };
        send(state, { type: 'replica-added', key: order.key, bytes: phase.bytes });
      }
      continue;
    }
    datum.ordered = { ...order, misses: new Map() };
    if (phase.name === 'absent') state.toFetch.push(lastRank, datum);
  }
}

/** A client has brought a datum: the scheduler, which awaits it, is told; or says that nobody wants it. */
export function onPushed(state: WorkerState, { key, bytes }: Extract<WorkerEvent, { type: 'pushed' }>): void {
  const datum = datumOf(state, key);
  const { phase } = datum;
  if (phase.name === 'held' && !phase.doomed) return;
  // A run here was fetching it from a node that had got it before.
  if (phase.name === 'fetching') state.out.push({ type: 'cancel-fetch', key });
  hold(state, datum, { bytes, madeBy: undefined });
  send(state, { type: 'replica-added', key, bytes });
}

/** A place did not deliver: the next one is tried, or the order is given up. */
export function copyFailed(
  state: WorkerState,
  datum: Datum,
  miss: { readonly from: Parameters<Map<string, MissReason>['set']>[0]; readonly reason: MissReason },
): void {
  const { ordered } = datum;
  if (ordered === undefined) return;
  const place = ordered.replicas.find(({ node }) => node === miss.from);
  if (place !== undefined) ordered.misses.set(place.node, miss.reason);
  if (sourceOf(ordered) === undefined) datum.ordered = undefined;
  else if (datum.phase.name === 'absent') state.toFetch.push(lastRank, datum);
  tidy(state, datum);
}

/** Nobody wants the copy any more. */
export function cancelCopy(state: WorkerState, datum: Datum): void {
  if (datum.ordered === undefined) return;
  datum.ordered = undefined;
  const awaited = [...datum.neededBy].some(({ phase }) => phase.name === 'waiting');
  if (datum.phase.name === 'fetching' && !awaited) stopFetch(state, datum);
  tidy(state, datum);
}
