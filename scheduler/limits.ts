/**
 * Owns the limits of this folder: every queue, log, retry and wait has one here, with its reason. Must not
 * know: who keeps them.
 */
export const limits = {
  /** Plain lists and records of arguments may be nested so deep; deeper ones are most likely a cycle. */
  argumentDepth: 200,
} as const;
