/**
 * Owns the question where data of a client may be put, and its answer. The data themselves go from the client
 * to the nodes (runtime/push-link.ts). Must not know: which place is chosen.
 */
import { array, count, type Infer, maybe, object, text } from '../runtime/index.ts';
import { nodeId, siteName } from './wire-ids.ts';

/** A node that takes data. */
export const place = object({
  node: nodeId,
  site: siteName,
  url: text,
  memoryBytes: count,
  storedBytes: count,
});
export type Place = Infer<typeof place>;

export const scatterRequests = {
  /** Answered by one `places-found` with the same number. */
  'find-places': { request: count, node: maybe(nodeId), site: maybe(siteName) },
};

export const scatterAnswers = {
  /** No place may mean that none is there yet. `problem`: none will ever be; a code of docs/errors.md. */
  'places-found': {
    request: count,
    places: array(place),
    problem: maybe(object({ code: text, message: text })),
  },
};
