/**
 * Owns what a placement policy is: the one place where a node is chosen for every task that may run. The
 * scheduler's own is placement.ts; others compete with it in the makespan simulator. Pure. Must not know: any
 * policy.
 */

/** Called after every batch of events. It finds in the state what has become ready and which nodes may have
 * room, and assigns, parks or leaves (assignment.ts, ready-classes.ts). */
export interface PlacementPolicy<S> {
  readonly name: string;
  place(state: S): void;
}
