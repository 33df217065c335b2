/**
 * Owns the limits of a node's machinery, store, transfers and threads, each with its reason. Must not know:
 * who keeps them.
 */
export const machineLimits = {
  /** Fractions of the store's memory: spilling starts above the first and stops below the second, so that it
   * comes in bursts that leave room for a while. */
  highWater: 0.7,
  lowWater: 0.5,
  /** A smaller datum stays in memory: its file would cost more than it frees. */
  spillBytes: 65_536,
  /** After a disk refused a file, so long until the next try. */
  spillRetryMs: 5_000,
  /** Pieces of files: large enough for the disk's full speed, small enough to hash between two heartbeats. */
  filePieceBytes: 8 * 2 ** 20,
  /** Shared memory given up before V8, which does not count it, is told to collect it. */
  collectBytes: 256 * 2 ** 20,
  /** Where results may fill little, less: this share of it, but no less than is worth a collection. */
  collectShare: 1 / 8,
  leastCollectBytes: 16 * 2 ** 20,
  /** A shorter run can't have filled much memory: touching a gigabyte takes a hundred times as long. */
  scratchMs: 2,

  /** One message of a datum. Larger ones lose to page faults, smaller ones to overhead; other requests of the
   * connection take turns with it. */
  pieceBytes: 4 * 2 ** 20,
  /** Requests of one connection served at once; further ones wait, up to the second number, past which the
   * peer is no fetcher of ours. */
  servedRequests: 16,
  queuedRequests: 1_000,
  /** Fetches under way on one link: enough to hide the round trips of small data. */
  linkFetches: 8,
  /** A link on which nothing was fetched for so long is closed. */
  linkIdleMs: 30_000,
  /** A peer that takes nothing of what it asked for is cut off when so long has passed twice: longer than it
   * takes a slow line to bring what the sockets hold. */
  stallMs: 120_000,
  /** Data that one client brings at once, what may be under way of each, and its parts: an honest frame has
   * more than a kilobyte. */
  pushes: 64,
  pushWindowBytes: 32 * 2 ** 20,
  pushParts: 2 ** 18,
  /** What clients bring and has not come whole may fill so much of the store's memory beside it, or be a
   * single datum. */
  pushShare: 1 / 2,
  /** The transport notices a dead peer by itself; a living one may be busy with the requests of others. */
  fetchSilenceMs: 120_000,

  /** The JavaScript objects of one thread, arrays not counted: a task that goes on beyond loses its thread,
   * where without a limit the whole node would end. */
  threadHeapBytes: 2 * 2 ** 30,
  /** Of these, the young ones. V8's usual size; unless it is set, Node.js 24 now and then ends the process
   * instead of the thread. */
  youngHeapBytes: 48 * 2 ** 20,

  /** Brief runs that one call of a thread takes at most: the costs of the call are spread over them. */
  batchRuns: 64,
  /** After so long they were not brief after all: those that the thread has not begun go to another. */
  batchOverdueMs: 20,
  /** Ends of runs are told after so long, though their call goes on. */
  earlyMs: 5,

  /** Runs of one node that wait for tasks of their own at once: each holds its inputs in memory. Further
   * ones keep their threads while they wait. */
  pausedRuns: 4_096,
  /** How long a body that was told to stop may go on before its thread is ended. */
  cancelGraceMs: 2_000,
  /** How often a thread looks whether the run that it works on was cancelled. */
  cancelPollMs: 20,
  /** An actor works so long without looking at what else has come. */
  actorSliceMs: 5,
  /** Loading the modules of tasks, in all threads at once, on a slow disk. */
  loadMs: 60_000,
  /** A device's thread that dies so often within the time is not started again before it is over: a broken
   * driver must not keep a node busy starting it. */
  deviceRestarts: 3,
  deviceRestartMs: 60_000,
} as const;
