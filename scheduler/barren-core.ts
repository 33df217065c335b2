/**
 * Owns what becomes of tasks that no node may run: those that ask for a site or for resources which no node
 * ever had fail after a while; the others wait, since such a node may come, and their clients are told why.
 * Pure. Must not know: how tasks are placed where they can be.
 */
import type { ClientId } from '../runtime/index.ts';
import { schedulerError } from './flaw-core.ts';
import { limits } from './limits.ts';
import { fail } from './lineage-core.ts';
import { givenOf, type Needs } from './needs.ts';
import type { NodeInfo } from './protocol.ts';
import type { ReadyClass, SchedulerState } from './scheduler-state.ts';

/** Remembers what a node has, for what is asked when it is gone. */
export function noteOffer(state: SchedulerState, { site, threads, resources }: NodeInfo): void {
  state.sites.add(site);
  let offers = state.offers.get(site);
  if (offers === undefined) {
    offers = [];
    state.offers.set(site, offers);
  }
  const known = offers.some((offer) => {
    return (
      offer.threads >= threads &&
      Object.entries(resources).every(([name, amount]) => amount <= (offer.resources[name] ?? 0))
    );
  });
  if (!known && offers.length < limits.offersOfSite) offers.push({ threads, resources });
}

function everOffered(state: SchedulerState, { site, ways }: ReadyClass): boolean {
  for (const [place, offers] of state.offers) {
    if (site !== undefined && place !== site) continue;
    for (const { threads, resources } of offers) {
      const fits = (needs: Needs): boolean =>
        needs.threads <= threads && needs.named.every(([name, amount]) => amount <= (resources[name] ?? 0));
      if (ways.some(fits)) return true;
    }
  }
  return false;
}

function describe({ site, ways }: ReadyClass): string {
  const needs = ways.map((way) => JSON.stringify({ threads: way.threads, ...givenOf(way) })).join(' or ');
  return `${needs} at ${site === undefined ? 'any site' : `site ${site}`}`;
}

/** Fails the tasks of classes that no node could ever run. */
export function failBarren(state: SchedulerState): void {
  for (const kind of state.classes.values()) {
    const { site, barrenSince, queue } = kind;
    if (barrenSince === undefined || state.now - barrenSince < limits.noSuchSiteMs) continue;
    // Before the first node has come nothing can be said of any.
    if (state.sites.size === 0 && site === undefined) continue;
    const noSite = site !== undefined && !state.sites.has(site);
    if (!noSite && everOffered(state, kind)) continue;
    const known = [...state.sites].sort().join(', ') || 'none';
    for (const task of queue.all()) {
      const { key } = task.spec;
      const [code, message] = noSite
        ? ['no-such-site', `task ${key} must run at site ${site}, which has no node; sites: ${known}`]
        : ['no-such-resource', `task ${key} needs ${describe(kind)}, which no node ever had`];
      fail(state, task, schedulerError(code!, message!, key), key);
    }
  }
}

/** Why tasks of a client have waited for a while with no node to run them. */
export function stalledFor(state: SchedulerState, client: ClientId): { tasks: number; reason: string }[] {
  const reasons: { tasks: number; reason: string }[] = [];
  for (const kind of state.classes.values()) {
    const { barrenSince, queue } = kind;
    if (barrenSince === undefined || state.now - barrenSince < limits.stalledMs) continue;
    const tasks = queue.sample(limits.stalledTasks).filter(({ owner }) => owner === client).length;
    if (tasks === 0) continue;
    reasons.push({ tasks, reason: `no node there now has ${describe(kind)}` });
    if (reasons.length === limits.stalledReasons) break;
  }
  return reasons;
}
