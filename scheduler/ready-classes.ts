/**
 * Owns the classes of tasks that the same nodes may run: who belongs where, refreshed when nodes come and go.
 * Pure. Must not know: which of its nodes a task then goes to.
 */
import type { SiteName } from '../runtime/index.ts';
import { limits } from './limits.ts';
import { type Needs, waysOf } from './needs.ts';
import { ReadyQueue } from './ready-queue.ts';
import {
  type NodeRecord,
  type ReadyClass,
  type SchedulerState,
  type TaskRecord,
  takesWork,
} from './scheduler-state.ts';

/** The one site that may run the task, if it is bound to one: by its own hint, or by inputs that must
 * stay. */
export function boundSite(state: SchedulerState, task: TaskRecord): SiteName | undefined | 'conflict' {
  let { site } = task.spec.hints;
  for (const { spec, phase } of task.inputs) {
    if (spec.hints.stay !== true || phase.name !== 'held') continue;
    const sites = [...phase.replicas].map((id) => state.nodes.get(id)!.info.site);
    site ??= sites[0];
    if (!sites.includes(site!)) return 'conflict';
  }
  return site;
}

const oneWay = waysOf({});

export function classOf(state: SchedulerState, task: TaskRecord, site: SiteName | undefined): ReadyClass {
  const { near, needs, orNeeds } = task.spec.hints;
  const plain = site === undefined && near === undefined && needs === undefined && orNeeds === undefined;
  const ways = plain ? oneWay : waysOf(task.spec.hints);
  const id = plain ? '' : JSON.stringify([site ?? null, near ?? null, ways]);
  let kind = state.classes.get(id);
  if (kind === undefined) {
    kind = {
      site,
      near,
      ways,
      queue: new ReadyQueue(),
      nodes: new Set(),
      bySite: new Map(),
      turn: 0,
      barrenSince: undefined,
    };
    // Now and then those that have emptied are forgotten.
    if (state.classes.size % limits.classes === limits.classes - 1) refreshClasses(state);
    state.classes.set(id, kind);
    refreshClass(state, kind);
  } else if (kind.barrenSince !== undefined && kind.queue.peek() === undefined) {
    // Nobody has waited meanwhile.
    kind.barrenSince = state.now;
  }
  return kind;
}

/** Finds again which nodes may run what, after one has come or is leaving. */
export function refreshClasses(state: SchedulerState): void {
  for (const node of state.nodes.values()) node.classes.clear();
  for (const [id, kind] of state.classes) {
    if (kind.queue.peek() === undefined) state.classes.delete(id);
    else refreshClass(state, kind);
  }
}

export function forgetNodeInClasses(state: SchedulerState, node: NodeRecord): void {
  for (const [word, id] of state.groups) if (id === node.info.node) state.groups.delete(word);
  refreshClasses(state);
}

function refreshClass(state: SchedulerState, kind: ReadyClass): void {
  const able = [...state.nodes.values()].filter(
    (node) =>
      takesWork(node) &&
      (kind.site === undefined || node.info.site === kind.site) &&
      kind.ways.some((needs) => couldRun(node, needs)),
  );
  const close = able.filter(({ info }) => info.site === kind.near || info.node === kind.near);
  kind.nodes.clear();
  kind.bySite.clear();
  // Near is kept to while it has a node that can; data read there are likely to be nowhere else.
  for (const node of close.length > 0 ? close : able) {
    kind.nodes.add(node);
    node.classes.add(kind);
    state.dirty.add(node);
    const list = kind.bySite.get(node.info.site);
    if (list === undefined) kind.bySite.set(node.info.site, [node]);
    else list.push(node);
  }
  kind.barrenSince = kind.nodes.size > 0 ? undefined : (kind.barrenSince ?? state.now);
}

/** Whether a node that has nothing else to do has what is needed. */
export function couldRun(node: NodeRecord, needs: Needs): boolean {
  if (needs.threads > node.info.threads) return false;
  return needs.named.every(([name, amount]) => amount <= capacity(node, name));
}

export function capacity({ info }: NodeRecord, name: string): number {
  return info.resources[name] ?? 0;
}

/** Whether the named resources that the task needs are free on the node. */
export function resourcesFree(
  state: SchedulerState,
  node: NodeRecord,
  { needs }: { readonly needs: Needs },
): boolean {
  return needs.named.every(([name, amount]) => {
    const taken = (node.used.get(name) ?? 0) + (node.reserved.named.get(name) ?? 0);
    // What a group of actors waits for is kept for it, or a stream of tasks would take it for ever.
    return amount + taken <= capacity(node, name) && !state.actors.awaited.has(name);
  });
}
