/**
 * Owns every message between clients, scheduler and nodes, each declared once. The scheduler never looks into
 * arguments and results: they are bytes made by the codec. Must not know: how messages travel or are handled.
 */
import {
  array,
  bytes,
  count,
  dictionary,
  flag,
  type Infer,
  type MessageOf,
  maybe,
  object,
  oneOf,
  protocol,
  real,
  text,
} from '../runtime/index.ts';
import { actorNews, actorOrders, actorReports, actorRequests } from './actor-messages.ts';
import { coordinationAnswers, coordinationRequests } from './coordination-messages.ts';
import { datasetAnswers, datasetRequests } from './dataset-messages.ts';
import { wireError } from './error-schema.ts';
import { handoverOrders } from './handover-messages.ts';
import { pauseReports } from './pause-messages.ts';
import { announcements, clientWelcome, nodeWelcome, recalls } from './recovery-messages.ts';
import { scatterAnswers, scatterRequests } from './scatter-messages.ts';
import { answers, questions } from './seeing-messages.ts';
import { clientId, nodeId, runId, siteName, taskKey } from './wire-ids.ts';

export type { ActorSpec } from './actor-messages.ts';
export { type WireError, wireError } from './error-schema.ts';
export { bindReferences } from './references.ts';

export { clientId, nodeId, runId, siteName, taskKey } from './wire-ids.ts';

/** Hints bias placement; `site` and `needs` constrain it. See docs/architecture.md. */
export const hints = object({
  /** A site or node whose data the task reads: placed there if it can be. */
  near: maybe(text),
  /** The only site that may run the task. */
  site: maybe(siteName),
  /** The result must not leave the site where it was made. */
  stay: maybe(flag),
  /** Tasks with the same word go to the same node while that is no loss; `roots`: those that come from the
   * same root. */
  together: maybe(text),
  /** Expected size of the result. */
  bytes: maybe(count),
  /** Expected duration. */
  seconds: maybe(real),
  /** Resources held while running, such as `{ gpu: 1 }`; `threads` is 1 unless told. */
  needs: maybe(dictionary(real)),
  /** Other ways to run it, if what `needs` asks for is not free. */
  orNeeds: maybe(array(dictionary(real))),
  /** At most so many tasks of the group are under way at once: running, or with results not yet released. */
  maxInFlight: maybe(object({ group: text, limit: count })),
  /** Memory that it takes while it runs, inputs and result included; measured unless told. */
  memoryBytes: maybe(count),
  /** How often a body that throws is run again. */
  retries: maybe(count),
  /** Higher runs earlier among the ready ones. */
  priority: maybe(real),
  /** When the result should be there: milliseconds since 1970 by the scheduler's clock. */
  deadlineMs: maybe(real),
  /** Not begun once the deadline has passed: fails with `late`. */
  dropIfLate: maybe(flag),
});
export type Hints = Infer<typeof hints>;

/** A task as submitted. `args` is the codec's encoding of the argument list, in which each dependency stands
 * as a reference `{ $task: index }` into `inputs`; `bindReferences` puts values in their places. */
export const taskSpec = object({
  key: taskKey,
  fn: text,
  args: bytes,
  inputs: array(taskKey),
  hints,
  /** The author's word for it; no two live tasks bear the same. */
  name: maybe(text),
  /** No run makes it: the client brings it to a node. */
  scattered: maybe(flag),
});
export type TaskSpec = Infer<typeof taskSpec>;

/** Where a datum can be fetched. */
export const replica = object({ node: nodeId, site: siteName, url: text });
export type Replica = Infer<typeof replica>;
/** `inline` is the datum itself, as the codec's header, where it is small: nobody need fetch it then. */
export const inputLocation = object({
  key: taskKey,
  bytes: count,
  replicas: array(replica),
  inline: maybe(bytes),
});
export type InputLocation = Infer<typeof inputLocation>;

/** How often a node sends `heartbeat`. */
export const heartbeatMs = 1000;

/** What a node says of itself in the handshake. */
export const nodeInfo = object({
  role: oneOf('node'),
  node: nodeId,
  site: siteName,
  /** Where its data connections are accepted. */
  url: text,
  threads: count,
  memoryBytes: count,
  /** Resources beside threads, by name. */
  resources: dictionary(real),
  pid: count,
  /** The folder whose sets its tasks may read, if any. */
  data: maybe(text),
  /** It says what it holds and runs before all else (recovery-messages.ts). */
  announces: maybe(flag),
  /** Digests of its modules of tasks, by name. */
  modules: maybe(dictionary(text)),
});
export type NodeInfo = Infer<typeof nodeInfo>;
export const clientInfo = object({
  role: oneOf('client', 'observer', 'admin'),
  client: clientId,
  secret: maybe(text),
  /** Digests of the modules that it expects the nodes to have, by name. */
  modules: maybe(dictionary(text)),
});

/** Why a holder did not deliver: it says that it does not hold the datum, or it could not be talked to. */
export const missReason = oneOf('absent', 'unreachable');

export const ToScheduler = protocol('client-to-scheduler', {
  /** Tasks whose inputs are all in this or an earlier submission of this client; `wants` are kept until
   * released. A large graph comes in several messages: all but the last say that `more` will follow, and
   * their tasks are remembered until then though nothing is made from them yet. `serial` is said again in
   * `failed`, so that an error of an earlier attempt is known for what it is. */
  submit: { tasks: array(taskSpec), wants: array(taskKey), more: maybe(flag), serial: maybe(count) },
  release: { keys: array(taskKey) },
  /** Like `release`, but unfinished ones are answered by `failed` with code `cancelled`. */
  cancel: { keys: array(taskKey) },
  /** Failed ones that the client wants are tried again, and what failed before them. */
  retry: { keys: array(taskKey), serial: count },
  /** To run to their ends, whoever releases them. */
  forget: { keys: array(taskKey) },
  ...datasetRequests,
  ...scatterRequests,
  ...coordinationRequests,
  /** A holder named in `held` did not deliver; answered by `held` again, after a recomputation if need be. */
  unfetched: { key: taskKey, node: nodeId, reason: missReason },
  /** Asks for one `status`. */
  status: {},
  /** Asks for `trace` records so far. */
  trace: {},
  /** Ends every node and the scheduler itself. */
  shutdown: {},
  ...questions,
  ...actorRequests,
  ...recalls,
});
export type ToScheduler = MessageOf<typeof ToScheduler>;

/** One finished run, for trace.json and the progress line. Times are wall-clock milliseconds of the node. */
export const runTrace = object({
  key: taskKey,
  fn: text,
  node: nodeId,
  site: siteName,
  thread: count,
  startMs: real,
  endMs: real,
  /** Bytes fetched for it from nodes of its own site and of other sites. */
  localBytes: count,
  remoteBytes: count,
  /** Whole milliseconds from the order until its inputs were there, and from then until it was started. */
  fetchMs: maybe(count),
  queueMs: maybe(count),
  /** Bytes of the node's process when the run began, the most that was seen, and when it had ended. What ran
   * beside it is included. */
  rssBeforeBytes: maybe(count),
  rssPeakBytes: maybe(count),
  rssAfterBytes: maybe(count),
  /** Of its inputs, the one that came last; put in by the scheduler. */
  after: maybe(taskKey),
  outcome: oneOf('done', 'failed'),
});
export type RunTrace = Infer<typeof runTrace>;

export const nodeStatus = object({
  node: nodeId,
  site: siteName,
  threads: count,
  running: count,
  storedBytes: count,
  rssBytes: count,
  memoryBytes: count,
  data: maybe(text),
});

export type NodeStatus = Infer<typeof nodeStatus>;

export const ToClient = protocol('scheduler-to-client', {
  ...clientWelcome,
  held: { key: taskKey, bytes: count, replicas: array(replica), inline: maybe(bytes) },
  failed: { key: taskKey, error: wireError, culprit: taskKey, serial: maybe(count) },
  /** At most a few times a second while the client has unfinished tasks. */
  progress: {
    total: count,
    done: count,
    running: count,
    storedBytes: count,
    rssBytes: count,
    crossSiteBytes: count,
    nodes: count,
    /** Done and total by function name. */
    byFunction: array(object({ fn: text, done: count, total: count })),
    /** Why tasks have waited for a while with no node that may run them. */
    stalled: maybe(array(object({ tasks: count, reason: text }))),
  },
  status: {
    nodes: array(nodeStatus),
    tasks: dictionary(count),
    crossSiteBytes: count,
    /** Tasks not begun because their deadline had passed, and tasks that had not ended by then. */
    lateness: object({ dropped: count, missed: count }),
  },
  ...datasetAnswers,
  ...scatterAnswers,
  ...coordinationAnswers,
  /** In several messages; the last one says so. */
  trace: { runs: array(runTrace), last: flag },
  ...answers,
  ...actorNews,
  /** The connection is closed after this: the client has sent what can't be followed. */
  refused: { error: wireError },
});
export type ToClient = MessageOf<typeof ToClient>;

export const ToNode = protocol('scheduler-to-node', {
  ...nodeWelcome,
  compute: {
    key: taskKey,
    run: runId,
    fn: text,
    args: bytes,
    inputs: array(inputLocation),
    hints,
    rank: real,
    /** It was on a node that died: its start is to be told at once, and it runs with no other. */
    wary: maybe(flag),
  },
  /** Stop a run if it has not ended, and forget the datum that it made if it has; its report is ignored. */
  abort: { run: runId },
  /** Forget data that nobody wants, fetched copies included. */
  drop: { keys: array(taskKey) },
  /** Finish what runs, then leave. */
  retire: {},
  ...handoverOrders,
  ...actorOrders,
  /** The connection is closed after this, and would be again: the node bears the name of another, or has sent
   * what can't be followed. */
  refused: { error: wireError },
});
export type ToNode = MessageOf<typeof ToNode>;
/** Those about actors, and those about tasks. */
export type ActorOrder = Extract<ToNode, { readonly incarnation: number }>;
export type TaskOrder = Exclude<ToNode, ActorOrder>;

export function isActorOrder(order: ToNode): order is ActorOrder {
  return 'incarnation' in order;
}

export const FromNode = protocol('node-to-scheduler', {
  'run-started': { key: taskKey, run: runId },
  ...pauseReports,
  /** A small result comes along as the codec's header, unless it must stay where it was made. The node
   * holds it all the same. */
  'run-done': { key: taskKey, run: runId, bytes: count, inline: maybe(bytes), trace: runTrace },
  /** `retryable` is false for errors that another attempt can't mend, such as an unknown function. */
  'run-failed': { key: taskKey, run: runId, error: wireError, retryable: flag, trace: runTrace },
  /** No holder named in `compute` could deliver these inputs; the run is over. Without any the run is given
   * back for another reason: its node is leaving. */
  'inputs-missing': {
    key: taskKey,
    run: runId,
    inputs: array(object({ key: taskKey, node: nodeId, reason: missReason })),
  },
  /** A copy was fetched, from which node and in what time, and is kept here too. A node that joins with data
   * announces them so as well. */
  'replica-added': { key: taskKey, bytes: count, from: maybe(nodeId), fetchMs: maybe(real) },
  /** A copy is gone (dropped, or lost with a damaged spill file). */
  'replica-lost': { key: taskKey },
  heartbeat: { storedBytes: count, rssBytes: count, running: count },
  retiring: {},
  ...announcements,
  ...actorReports,
});
export type FromNode = MessageOf<typeof FromNode>;
