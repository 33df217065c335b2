/**
 * Owns the limits of this folder: every wait, retry and piece has one here, with its reason. Must not know:
 * who keeps them.
 */
export const journalLimits = {
  /** Bytes of appended records that are made durable in one step: large enough that a flush to disk is shared
   * by many, small enough that none waits long for the others. */
  blockBytes: 2 ** 20,
  /** Entries removed in one step, so that the event loop gets its turn between steps. */
  removedAtOnce: 1_000,
  /** Blocks that are asked from Redis at once while a journal is read. */
  blocksRead: 16,
  /** A trial reading that has not ended by then goes round in circles: it reads gigabytes in this time. */
  trialMs: 120_000,
  /** What is kept of the words of a trial reading. */
  trialCharacters: 2_000,
  /** Unless the URL says otherwise a lease lasts so long: what a standby waits after its leader has died. */
  leaseMs: 4_000,
  /** Shorter leases would be lost to every pause of a busy machine; longer ones are no failover. */
  leastLeaseMs: 500,
  mostLeaseMs: 600_000,
  /** Shares of a lease's time: a leader renews it so often, and stops when it was not renewed for so long,
   * well before Redis can give the lease to another. */
  renewShare: 0.25,
  stopShare: 0.75,
  /** A standby asks so often whether the lease is free. */
  standbyPauseMs: 300,
  /** Pause before Redis is tried again after a failure. */
  retryPauseMs: 100,
  /** A server that does not answer within this time is taken for gone; the command is sent again. */
  answerMs: 2_000,
  connectMs: 5_000,
} as const;
