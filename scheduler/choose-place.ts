/**
 * Owns which node gets which of the data that a client puts on the cluster: the one with the most free
 * memory, of those in which the datum fits at all. Pure. Must not know: how places are learnt, how data
 * travel.
 */
import type { NodeId } from '../runtime/index.ts';
import type { Place } from './scatter-messages.ts';

/** The best place for so many bytes; undefined where there is none. What this client has put on a node lately
 * may not be in the figures that nodes send once a second: it counts beside them. */
export function choosePlace(
  places: readonly Place[],
  bytes: number,
  put: ReadonlyMap<NodeId, number>,
): Place | undefined {
  const fitting = places.filter(({ memoryBytes }) => memoryBytes >= bytes);
  const free = ({ node, memoryBytes, storedBytes }: Place): number =>
    memoryBytes - storedBytes - (put.get(node) ?? 0);
  let best: Place | undefined;
  // If it fits nowhere, a node says so in its own words.
  for (const place of fitting.length > 0 ? fitting : places) {
    if (best === undefined || free(place) > free(best)) best = place;
  }
  return best;
}
