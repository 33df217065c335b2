/**
 * Owns what is left of walks over the graph that are too long for one event: tasks that are still to be
 * demanded, tasks that are still to be given up if nobody needs them, and lost nodes whose data are still to
 * be seen to. Must not know: what any of it means.
 */
import type { NodeId } from '../runtime/index.ts';
import type { SchedulerState, TaskRecord } from './scheduler-state.ts';

export interface Walks {
  /** The last goes first, like what calls would do that are nested. */
  readonly demanded: TaskRecord[];
  /** Why each of them is. */
  readonly reasons: string[];
  /** Not gone on with while something is still to be demanded: until then who needs what is not known. */
  readonly loose: TaskRecord[];
  /** Nodes that were lost with more data than one turn can see to, and why; known until that is done. */
  readonly parting: Map<NodeId, string>;
  /** Steps of a turn, and how many of them are left in this one: a task, or an input of a task. */
  readonly steps: number;
  room: number;
  /** Tasks that have become ready are left without a look. */
  unplaced: boolean;
}

export function createWalks(steps: number): Walks {
  return { demanded: [], reasons: [], loose: [], parting: new Map(), steps, room: steps, unplaced: false };
}

/** Whether something is left for another turn. */
export function isUnfinished({ walks, ended }: SchedulerState): boolean {
  return (
    walks.demanded.length > 0 ||
    walks.loose.length > 0 ||
    walks.parting.size > 0 ||
    walks.unplaced ||
    ended.length > 0
  );
}
