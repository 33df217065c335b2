/**
 * Owns the limits of this folder: every queue, retry and wait has one here, with its reason. Must not know:
 * who keeps them.
 */
export const limits = {
  /** Data fetched at once: enough to fill a long line with small ones, few enough that each gets on. */
  fetchesInFlight: 16,
  /** A result of so many bytes at most is sent along with the news of it: a fetch would cost far more. */
  inlineBytes: 1024,
  /** Runs of a function of which none lately took longer are brief: so many of them share a thread, a power
   * of two, so that their parts add up to one. */
  briefMs: 2,
  briefRuns: 64,
  /** Ready runs looked at behind one that waits for a resource: the scheduler seldom sends more. */
  lookAhead: 64,
  /** Threads of a node: more than any machine has processors, as a mistake in a number would be. */
  threads: 1024,
  /** Processes of a local cluster: more than that is a mistake in a number. */
  localNodes: 256,
  /** A daemon on a busy machine may take seconds to load; after so long something is wrong with it. */
  readyMs: 60_000,
  /** A daemon that was asked to end may finish what runs for so long. */
  stopMs: 10_000,
  /** What is kept of a daemon's words, to be quoted when it fails. */
  saidCharacters: 4_000,
  /** A node tries so long to find its scheduler again before it gives up what it holds: somebody may have to
   * start that by hand. */
  reconnectMs: 600_000,
  /** Pause between two tries: doubled from the first to the last, which is less than a new scheduler waits
   * for nodes to come back. */
  reconnectFirstMs: 200,
  reconnectLastMs: 1_000,
  /** A scheduler greets who connects at once; one that is silent for so long hangs. */
  welcomeMs: 10_000,
  /** An actor's `init` or `restore`, modules included: it may load a network onto a card. */
  actorBeginMs: 120_000,
  /** Its `snapshot` or `stop`. */
  actorCallMs: 10_000,
  /** The message at hand may go on so long when its actor is to move or stop. */
  actorPauseMs: 10_000,
  /** Messages handed to an actor's thread before it has answered: so that it need not wait for the next. */
  actorAhead: 256,
  /** What may wait in one mailbox, beside the number of messages. */
  mailboxBytes: 512 * 2 ** 20,
  /** Answers that wait for a caller that does not read. */
  callerBacklogBytes: 256 * 2 ** 20,
  /** Lines of one connection of a caller. */
  actorLines: 10_000,
  /** Actors may be so long in leaving a node that leaves; then they end with it. */
  actorLeaveMs: 30_000,
} as const;
