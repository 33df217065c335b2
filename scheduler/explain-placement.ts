/**
 * Owns the words for why a ready task waits and what every node worth weighing would cost it. Worked out when
 * it is asked for: nothing is recorded for it. Pure. Must not know: who asks.
 */
import { costsOf } from './candidates.ts';
import type { Cost } from './cost.ts';
import { limits } from './limits.ts';
import { givenOf, waysOf } from './needs.ts';
import { boundSite, classOf } from './ready-classes.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

function secondsText(seconds: number): string {
  return `${Number(seconds.toPrecision(2))} s`;
}

function costText({ node, waitSeconds, fetchSeconds, pullSeconds, sum, awaited }: Cost): string {
  const parts = [
    waitSeconds > 0 ? `${secondsText(waitSeconds)} until a thread is free` : '',
    fetchSeconds > 0 ? `${secondsText(fetchSeconds)} to fetch inputs` : '',
    pullSeconds > 0 ? `${secondsText(pullSeconds)} for its users to fetch the rest` : '',
    awaited === undefined ? '' : `a copy is coming to ${awaited.to.info.node}`,
  ].filter((part) => part !== '');
  return `${node.info.node} ${secondsText(sum)}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
}

/** What the nodes worth weighing cost now, the cheapest first; empty when none may run it. */
export function placementCosts(state: SchedulerState, task: TaskRecord): string[] {
  const site = boundSite(state, task);
  if (site === 'conflict') return [];
  const costs = costsOf(state, task, classOf(state, task, site));
  costs.sort((a, b) => a.sum - b.sum).splice(limits.explainedCosts);
  return costs.map(costText);
}

/** Why a task that is ready has not been sent. */
export function whyReady(state: SchedulerState, task: TaskRecord): string {
  const { phase, spec } = task;
  const { maxInFlight, site } = spec.hints;
  if (phase.name === 'ready' && phase.parked !== undefined) {
    return `queued for ${phase.parked}, which is busy`;
  }
  const window = maxInFlight === undefined ? undefined : state.windows.get(maxInFlight.group);
  if (window !== undefined && !window.members.has(task)) {
    const { group, limit } = maxInFlight!;
    return `${window.members.size} tasks of group ${group} are in flight or held, and ${limit} may be`;
  }
  for (const list of state.incoming.values()) {
    for (const { input, to, waiting } of list) {
      if (!waiting.some((entry) => entry.task === task && entry.phase === phase)) continue;
      return `its input ${input.spec.key} is on its way to ${to.info.node}, from where it will be taken`;
    }
  }
  const able = [...state.classes.values()].find(({ queue }) => queue.all().includes(task));
  const where = site === undefined ? 'any site' : `site ${site}`;
  if (able !== undefined && able.nodes.size === 0) {
    const needs = waysOf(spec.hints).map((way) => JSON.stringify({ ...givenOf(way), threads: way.threads }));
    return `no node of ${where} has ${needs.join(' or ')}`;
  }
  return `all ${able?.nodes.size ?? 0} nodes that may run it are busy`;
}
