/**
 * Owns the limits of this folder: every queue, log, retry and wait has one here, with its reason. Must not
 * know: who keeps them.
 */
export const limits = {
  /** Plain lists and records of arguments may be nested so deep; deeper ones are most likely a cycle. */
  argumentDepth: 200,
  /** Tasks of one chain that become one: enough to make the word to the scheduler cheap; a run that must be
   * done again loses no more, and its message stays small. */
  fusedTasks: 32,
  /** A task that was running on so many nodes when they died is taken for their killer. */
  allowedFailures: 3,
  /** The same for tasks that were sent to a node but not yet started there: weaker evidence. */
  allowedLosses: 12,
  /** So often a task is tried again because holders of its inputs can't be reached though they live; then
   * the inputs are made anew. */
  unreachableTries: 3,
  /** A node that could not reach another is so long not sent to fetch from it, where there is a choice; so
   * many such pairs are remembered, the oldest forgotten first. */
  unreachedMs: 60_000,
  unreachedPairs: 10_000,
  /** A node silent for so long is lost: ten missed heartbeats, since its event loop may be busy serving. */
  nodeSilenceMs: 10_000,
  /** A node whose connection broke, but not because it said so, may come back for so long before its runs are
   * done elsewhere: its first tries to reconnect take less. */
  awayMs: 1_000,
  /** A new scheduler waits so long for the nodes of its journal, and for what they say, before it places
   * anything: they look for it every second. */
  recoveryMs: 3_000,
  /** A journal is cut short when so many bytes, and so many times what a snapshot takes, were appended. */
  journalBytes: 8 * 2 ** 20,
  journalGrowth: 3,
  /** Tasks, and bytes of their arguments, of one record of a snapshot: each is written in one go. */
  recordTasks: 1_000,
  recordBytes: 2 ** 20,
  /** When the scheduler itself slept so long between two ticks, silence proves nothing about the nodes. */
  ownStallMs: 2_000,
  /** Wants of a client that is gone are kept so long, for it to come back. */
  clientGraceMs: 5_000,
  /** The same when its connection broke, or the scheduler was replaced: it looks for it. */
  clientCutMs: 15_000,
  /** Tasks that are given up within one event: the others wait for the next, so that nothing else waits for
   * them. */
  forgottenTasks: 10_000,
  /** Steps, over tasks and their inputs, by which need and its end spread in one turn, and tasks that are
   * looked at for placement: the rest waits for the next turn, so that no graph holds up the loop. */
  walkSteps: 10_000,
  /** Data sets that may be published: each holds results for ever. */
  datasets: 10_000,
  /** Bytes of one value in a queue, on a variable or a topic: it is kept here, in memory; larger ones belong
   * into a datum, whose future is passed. */
  valueBytes: 256 * 2 ** 10,
  /** Items of a queue unless it says otherwise, and bytes of its items; who puts more waits. */
  queueItems: 10_000,
  queueBytes: 64 * 2 ** 20,
  /** Locks, queues and the like that are in use, and wishes of one client that are not ended: a program that
   * has more has lost count of them. */
  things: 100_000,
  wishes: 100_000,
  /** Scattered data that have not come to a node after so long will not come. */
  scatterMs: 3_600_000,
  /** Deadlines of ended tasks that are put up with before they are cleared away. */
  idleDeadlines: 100,
  /** Tasks bound to a site that never existed fail after so long: the site's first node may be starting. */
  noSuchSiteMs: 15_000,
  /** After so long clients are told why tasks wait without a node; so many reasons, counting so many
   * tasks. */
  stalledMs: 3_000,
  stalledReasons: 8,
  stalledTasks: 1_000,
  /** Different kinds of nodes remembered for each site. */
  offersOfSite: 64,
  /** Nodes are given so long to finish what runs when the cluster shuts down. */
  shutdownMs: 20_000,
  /** Tasks that one client may have here at once, and bytes of their arguments: a graph of a million tasks
   * twice over, in less memory than a process of Node.js has. */
  clientTasks: 2_000_000,
  clientBytes: 2 ** 31,
  /** What a peer may send at once: the largest argument, which is held whole while it is read. */
  controlBytes: 2 ** 28,
  /** Interval of ticks, and so of progress notices. */
  tickMs: 250,
  /** Weight (events, and tasks in them) of the black box. */
  blackBoxWeight: 100_000,
  /** Arguments so short are kept in it: a copy of the task without them would take more. */
  blackBoxArgsBytes: 256,
  /** Changes of phase that `story` can look back on. */
  transitions: 100_000,
  /** Runs kept for `trace`, and how many travel in one message. */
  traceRuns: 200_000,
  tracePiece: 5_000,
  /** More runs than a scheduler can give in a second. Epochs follow the seconds of the clock: the next life
   * begins beyond the runs of this one. */
  runsPerEpoch: 1_000_000,
  /** A result of so many bytes at most is kept here too, so that nobody need fetch it; of all together so
   * many: further ones are only on nodes. */
  inlineBytes: 1024,
  inlineTotalBytes: 64 * 2 ** 20,
  /** Holders named for one input of a run: further ones are seldom tried. */
  replicasNamed: 4,
  /** Words of `together` remembered; the oldest is forgotten first. */
  groups: 10_000,
  /** So far back the root of a task is looked for that asks to stay with it. */
  rootSteps: 1_000,
  /** Classes of tasks (site, near, needs) after which those without tasks are forgotten. */
  classes: 256,
  /** Nodes holding inputs, and nodes of each site, that are weighed for one task: constant work a task. */
  holderCandidates: 8,
  siteCandidates: 3,
  idleCandidates: 6,
  /** Of the inputs of a task so many are weighed, standing for all; of the runs of a node, so many. */
  weighedInputs: 64,
  weighedRuns: 16,
  /** Users of a result, and inputs of each, that are looked at to see where the result will be drawn; smaller
   * results move anywhere. */
  usersAhead: 3,
  inputsAhead: 8,
  pulledBytes: 1e5,
  /** Measured pairs remembered by a node; kinds of tasks whose runs are remembered. */
  pairRates: 256,
  learntKinds: 10_000,
  /** Larger submissions keep the order in which they came: ranking them would hold up the loop. */
  rankedTasks: 50_000,
  /** Nodes and tasks looked at when an idle node takes over queued work. */
  stealNodes: 8,
  stealTasks: 4,
  /** Placement is tried again at once so often, since moves make other tasks placeable. */
  placementRounds: 4,
  /** Bytes that may wait for a client that does not read: a whole trace, and then some. */
  backlogBytes: 256 * 2 ** 20,
  /** A node's memory is looked at in spans of so many runs; when the least of each of so many spans exceeds
   * that of the one before, and by so much in all, it is said to ratchet. */
  ratchetRuns: 32,
  ratchetSpans: 6,
  ratchetBytes: 64 * 2 ** 20,
  /** Functions that have metrics of their own: their names are labels, which monitors keep for long. */
  metricFunctions: 200,
  /** A tick that is so late means that one turn of the event loop took too long. */
  slowTurnMs: 250,
  /** A node that leaves may take so long to hand over what only it holds; then that is made again. */
  handoverMs: 60_000,
  /** Copies ordered in one message. */
  copiesTold: 1_000,
  /** Spans that wait for a collector, spans in one message to it, how long it may take, and the pause after
   * it took none. */
  spansQueued: 20_000,
  spansSent: 500,
  spansPostMs: 3_000,
  spansRetryMs: 5_000,
  /** Lines of a task's story, tasks named as hindering a node, keys named as like the one asked for. */
  storyLines: 1_000,
  hinderersNamed: 10,
  likeNamed: 5,
  /** An actor that has lost its node seeks another for so long; then its callers are told that it is lost. */
  actorHomelessMs: 30_000,
  /** Actors, and supervisors, that are spawned together: each event is weighed against all of a group. */
  groupActors: 1_000,
  /** A saved state that the scheduler keeps for an actor: larger ones are kept only while they move. */
  snapshotBytes: 4 * 2 ** 20,
  /** How an actor is restarted whose supervisors were lost with an earlier scheduler. */
  adoptedSupervisor: { limit: 3, withinMs: 60_000, leastPauseMs: 200, mostPauseMs: 10_000, jitter: 0.2 },
  /** Nodes named with what they would cost a task. */
  explainedCosts: 5,
  /** Events of the black box shown after a defect. */
  reportedEvents: 30,
} as const;

/** Limits of the client's side. */
export const clientLimits = {
  /** Tasks, and bytes of arguments, of one message: it is handled as a whole, so it must not hold up the
   * scheduler for long. */
  submitTasks: 5_000,
  submitBytes: 8 * 2 ** 20,
  /** Arguments of one task: a message of them is held whole by the scheduler, which takes no more than twice
   * that at once. */
  argumentBytes: 2 ** 27,
  /** Results on their way at once: enough to fill a line, few enough to bound what is half received. */
  fetches: 16,
  /** Data on their way to nodes at once: enough to hide the round trips of small ones. */
  pushes: 16,
  /** So often a datum is brought to a node to which connections break. */
  pushTries: 3,
  /** What nodes say of their memory is no older than this: two heartbeats. */
  figuresMs: 2_000,
  /** Connections to nodes that are kept open while nothing travels on them. */
  links: 64,
  dialMs: 5_000,
  /** Spawning, finding or stopping an actor: loading its modules and a network included. */
  spawnMs: 120_000,
  /** Messages that may wait for an actor, unless told: several windows of callers. */
  mailbox: 10_000,
  actorShutdownMs: 15_000,
  /** After a scheduler was lost, an actor that the new one does not know may be on a node that is still on
   * its way: it is asked about again and again for so long. */
  actorReturnMs: 20_000,
  actorReturnPauseMs: 500,
  /** An idempotent message that has ended so many incarnations is taken for their killer. */
  poisonAfter: 3,
  /** How often an actor is restarted before it is given up. */
  restarts: { limit: 3, withinMs: 60_000, leastPauseMs: 200, mostPauseMs: 10_000, jitter: 0.2 },
  /** A scheduler greets who connects at once; one that is silent for so long hangs. */
  welcomeMs: 10_000,
  /** A scheduler that is gone is looked for so long, after pauses from the first to the last, each twice the
   * one before. */
  reconnectMs: 120_000,
  reconnectFirstMs: 100,
  reconnectLastMs: 1_000,
  /** Graphs whose results are used are kept, for a scheduler that knows nothing of them: others are looked
   * for when so many are there, and the oldest forgotten when their arguments take so many bytes. */
  keptGraphs: 64,
  keptGraphBytes: 256 * 2 ** 20,
  /** Pause between two questions whether a node has left. */
  drainPollMs: 250,
  /** So often a result is asked for again after all its holders failed; the scheduler gives up holders and
   * has results recomputed long before. */
  fetchRounds: 12,
  /** The first pause before a holder that can't be reached is reported, and the longest. */
  leastPauseMs: 50,
  mostPauseMs: 2_000,
  /** Words of a topic kept for a subscriber unless it says otherwise. */
  topicWords: 1_000,
  /** Characters of a failed task's message in the error's one line; the cause has all. */
  messageCharacters: 500,
} as const;

/** Assumptions of placement until something is measured. */
export const assumptions = {
  taskSeconds: 0.5,
  /** No task is expected to run longer: three months. */
  mostSeconds: 8e6,
  inSite: { bytesPerSecond: 1e9, latencySeconds: 0.0002 },
  crossSite: { bytesPerSecond: 50e6, latencySeconds: 0.02 },
  /** Weight of a new measurement in a running mean. */
  learning: 0.2,
  /** Cost of placing a task where it can't fetch its inputs: more than any wait that is worth while. */
  unreachedSeconds: 600,
  /** Smaller transfers measure latency, not bandwidth. */
  measuredBytes: 1e6,
  latencyBytes: 64_000,
  /** Evidence of what a line bears fades over so many seconds of use. */
  meterSeconds: 3,
  /** What the time of transfers counts beside the delay: they hold up others on the same lines. */
  fetchWeight: 1,
  /** The same for what users of the result will have to move: it is less certain. */
  pullWeight: 0.5,
  /** A full store is worth avoiding for so many seconds. */
  pressureSeconds: 60,
  /** What moving a queued task must gain, as a part of what it takes (of a second at most). */
  stealDoubt: 0.05,
  /** Inputs of fewer bytes tell nothing about how long a task takes. */
  smallInputBytes: 1e6,
  /** Work sent ahead so that a thread need not wait for the scheduler: in seconds of work a thread and in
   * tasks a thread. Tasks known to be longer are not sent ahead, or they would start before the
   * continuation of what has just finished. */
  aheadSeconds: 0.02,
  aheadTasks: 256,
  /** A node whose store is fuller than this is given no further root tasks while it has other work. */
  storePressure: 0.7,
} as const;
