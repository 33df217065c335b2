/**
 * Owns what the scheduler answers when a client asks where it may put data. Pure. Must not know: the data,
 * which place the client chooses.
 */
import type { ClientId } from '../runtime/index.ts';
import { limits } from './limits.ts';
import type { ToClient, ToScheduler } from './protocol.ts';
import { notify, type SchedulerState, takesWork } from './scheduler-state.ts';

type Question = Extract<ToScheduler, { type: 'find-places' }>;
type Problem = Extract<ToClient, { type: 'places-found' }>['problem'];

export function onFindPlaces(state: SchedulerState, client: ClientId, asked: Question): void {
  const { request, node, site } = asked;
  const places = [...state.nodes.values()]
    .filter((one) => takesWork(one) && (node ?? one.info.node) === one.info.node)
    .filter(({ info }) => (site ?? info.site) === info.site)
    .map(({ replica, info, status }) => {
      return { ...replica, memoryBytes: info.memoryBytes, storedBytes: status.storedBytes };
    });
  const problem = places.length > 0 ? undefined : problemOf(state, asked);
  const answer = { type: 'places-found', request, places } as const;
  notify(state, client, problem === undefined ? answer : { ...answer, problem });
}

function someNodes({ nodes }: SchedulerState): string {
  return [...nodes.keys()].sort().slice(0, limits.likeNamed).join(', ') || 'none';
}

/** Why there is no such place, unless one may still come. */
function problemOf(state: SchedulerState, { node, site }: Question): Problem {
  if (node !== undefined) {
    const known = state.nodes.get(node);
    const at = site === undefined ? '' : ` at site ${site}`;
    if (known === undefined || (site ?? known.info.site) !== known.info.site)
      return { code: 'no-such-node', message: `there is no node ${node}${at}; nodes: ${someNodes(state)}` };
    return undefined;
  }
  if (site === undefined || state.sites.has(site)) return undefined;
  const sites = [...state.sites].sort().join(', ') || 'none';
  return {
    code: 'no-such-site',
    message: `data are to lie at site ${site}, which has no node; sites: ${sites}`,
  };
}
