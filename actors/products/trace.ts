/**
 * Owns the record of a run in time: which task ran where and when, and what had to be moved for it. Must not
 * know: how tasks are placed.
 */

/** What one node did. */
export interface NodeSummary {
  readonly node: string;
  readonly site: string;
  readonly tasks: number;
  readonly failed: number;
  /** Seconds spent in tasks, all threads together. */
  readonly busyS: number;
  /** Bytes fetched from nodes of its own site. */
  readonly localBytes: number;
  /** Bytes fetched from other sites. */
  readonly remoteBytes: number;
}

/** What one function took, over all nodes. */
export interface FunctionSummary {
  readonly fn: string;
  readonly tasks: number;
  readonly totalS: number;
  readonly longestS: number;
}

/** A run in figures. */
export interface TraceSummary {
  /** Seconds from the start of the first task to the end of the last one. */
  readonly wallS: number;
  readonly nodes: readonly NodeSummary[];
  /** The longest total first. */
  readonly functions: readonly FunctionSummary[];
}
