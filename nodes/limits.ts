/**
 * Owns the limits of this folder: every queue, retry and wait has one here, with its reason. Must not know:
 * who keeps them.
 */
export const limits = {
  /** Data fetched at once: enough to fill a long line with small ones, few enough that each gets on. */
  fetchesInFlight: 16,
  /** Ready runs looked at behind one that waits for a resource: the scheduler seldom sends more. */
  lookAhead: 64,
} as const;
