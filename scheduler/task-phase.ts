/**
 * Owns the phases of a task, each with exactly the data of that phase. Must not know: how a task comes from
 * one to the next (lineage-core.ts).
 */
import type { FewSet, Millis, NodeId, RunId, TaskKey } from '../runtime/index.ts';
import type { Incoming } from './incoming-core.ts';
import type { WireError } from './protocol.ts';

/** Ready: all inputs are held. `parked` names the node that is best for it but has no room yet. */
export interface ReadyPhase {
  readonly name: 'ready';
  readonly parked: NodeId | undefined;
  readonly seconds: number;
  /** What its node will fetch for it. */
  readonly plan: readonly Incoming[];
}
export interface AssignedPhase {
  readonly name: 'assigned';
  readonly node: NodeId;
  readonly run: RunId;
  readonly since: Millis;
  readonly seconds: number;
  started: boolean;
  /** What it is expected to take of its node's memory. */
  readonly memoryBytes: number;
  /** What its node fetches for it; nothing more once it has begun. */
  plan: readonly Incoming[];
  /** It waits for tasks of its own: its threads are free. */
  paused?: boolean;
}
export interface HeldPhase {
  readonly name: 'held';
  readonly replicas: FewSet<NodeId>;
  readonly bytes: number;
  /** The datum itself, where it is small. */
  readonly inline: Uint8Array | undefined;
}
export interface FailedPhase {
  readonly name: 'failed';
  readonly error: WireError;
  readonly culprit: TaskKey;
}
export type TaskPhase =
  | { readonly name: 'released' }
  | { readonly name: 'waiting'; missing: number }
  | ReadyPhase
  | AssignedPhase
  | HeldPhase
  | FailedPhase;
export type PhaseName = TaskPhase['name'];
