/**
 * Owns the copies of data that are on their way or planned: which datum to which node for how many tasks. So
 * lines know their backlog, a datum crosses between two sites once, and tasks wait for a copy that is coming
 * to their site instead of fetching another. Pure. Must not know: why a task is to run where.
 */
import type { SiteName } from '../runtime/index.ts';
import { linkBetween, pairRate } from './link-model.ts';
import type { NodeRecord, SchedulerState, TaskRecord } from './scheduler-state.ts';

export interface Incoming {
  readonly input: TaskRecord;
  readonly from: NodeRecord;
  readonly to: NodeRecord;
  readonly bytes: number;
  /** Tasks parked or assigned at `to` that take it. */
  users: number;
  open: boolean;
  /** Ready tasks that are placed when it has come, each with its phase by then. */
  readonly waiting: { readonly task: TaskRecord; readonly phase: object }[];
}

/** Shared by all that need nothing fetched. */
export const nothingPlanned: readonly Incoming[] = [];

/** The copy that is coming to a node, if one is. */
export function incomingTo(state: SchedulerState, input: TaskRecord, node: NodeRecord): Incoming | undefined {
  return state.incoming.size === 0 ? undefined : state.incoming.get(input)?.find(({ to }) => to === node);
}

/** A copy that is coming to any node of the site from another. */
export function incomingAtSite(
  state: SchedulerState,
  input: TaskRecord,
  site: SiteName,
): Incoming | undefined {
  if (state.incoming.size === 0) return undefined;
  return state.incoming.get(input)?.find(({ to, from }) => to.info.site === site && from.info.site !== site);
}

/** The holder from which a node would fetch: in its own site if there is one, the fastest otherwise. */
export function sourceFor(
  state: SchedulerState,
  input: TaskRecord,
  node: NodeRecord,
): NodeRecord | undefined {
  if (input.phase.name !== 'held') return undefined;
  let best: NodeRecord | undefined;
  let most = -1;
  for (const id of input.phase.replicas) {
    const holder = state.nodes.get(id)!;
    if (holder === node) return undefined;
    const inSite = holder.info.site === node.info.site;
    if (input.phase.replicas.size === 1) return holder;
    const link = linkBetween(state, holder.info.site, node.info.site);
    const rate = (inSite ? 1e15 : 0) + pairRate(holder, node, link) - holder.sendingBytes;
    if (best === undefined || rate > most) {
      best = holder;
      most = rate;
    }
  }
  return best;
}

/** Notes what a node will fetch for a task, to be given back to `unplan`. */
export function planFetches(state: SchedulerState, task: TaskRecord, node: NodeRecord): readonly Incoming[] {
  let plan: Incoming[] | undefined;
  for (const input of task.inputs) {
    const { phase } = input;
    if (phase.name !== 'held' || phase.inline !== undefined) continue;
    if (phase.replicas.has(node.info.node)) continue;
    let coming = incomingTo(state, input, node);
    if (coming === undefined) {
      const from = sourceFor(state, input, node);
      if (from === undefined) continue;
      coming = { input, from, to: node, bytes: phase.bytes, users: 0, open: true, waiting: [] };
      const list = state.incoming.get(input);
      if (list === undefined) state.incoming.set(input, [coming]);
      else list.push(coming);
      count(state, coming, coming.bytes);
    }
    coming.users++;
    plan ??= [];
    plan.push(coming);
  }
  return plan ?? nothingPlanned;
}

/** The task is no longer about to run there, or has begun. */
export function unplan(state: SchedulerState, plan: readonly Incoming[]): void {
  for (const coming of plan) if (--coming.users === 0 && coming.open) close(state, coming);
}

/** A node has got a copy. */
export function noteArrival(state: SchedulerState, input: TaskRecord, node: NodeRecord): void {
  const coming = incomingTo(state, input, node);
  if (coming !== undefined) close(state, coming);
}

function count(state: SchedulerState, { from, to }: Incoming, bytes: number): void {
  from.sendingBytes += bytes;
  to.receivingBytes += bytes;
  linkBetween(state, from.info.site, to.info.site).plannedBytes += bytes;
}

function close(state: SchedulerState, coming: Incoming): void {
  coming.open = false;
  count(state, coming, -coming.bytes);
  const rest = state.incoming.get(coming.input)!.filter((other) => other !== coming);
  if (rest.length === 0) state.incoming.delete(coming.input);
  else state.incoming.set(coming.input, rest);
  for (const { task, phase } of coming.waiting) if (task.phase === phase) state.fresh.push(task);
}
