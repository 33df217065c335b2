/** The public graph API: declare tasks, connect, compute. */

export { type ActorAddress, type ActorChange, ActorRef } from './actor-ref.ts';
export { answerOf } from './actor-task.ts';
export { type AuditChain, verifyAudit } from './audit-log.ts';
export { type ConnectOptions, connect } from './client.ts';
export type { Actors } from './client-actors.ts';
export type { Inspector, TaskReport } from './client-inspect.ts';
export type {
  Cluster,
  ClusterStatus,
  Completed,
  CompletedIterable,
  GraphCluster,
  Progress,
  ScatterOptions,
  WaitFor,
  WaitOptions,
} from './cluster.ts';
export type { ClusterOpener, LocalSite, OpenClusterOptions, OpenedCluster } from './cluster-opener.ts';
export type {
  Lock,
  Semaphore,
  SharedEvent,
  SharedQueue,
  SubscribeOptions,
  Subscription,
  Topic,
  Variable,
} from './coordination.ts';
export { DelegatingCluster } from './delegating-cluster.ts';
export { type FoldOptions, fold } from './fold.ts';
export type { Journal } from './journal/journal.ts';
export { openJournal } from './journal/open-journal.ts';
export { type MetricFamily, openMetrics } from './metrics.ts';
export { type ClientRole, tokenRoles } from './permissions.ts';
export type { Hints, NodeStatus, RunTrace } from './protocol.ts';
export { bindReferences } from './references.ts';
export { type RunningScheduler, type SchedulerOptions, startScheduler } from './scheduler.ts';
export type { FunctionView, LinkView, NodeView, Overview } from './seeing-messages.ts';
export { checkSite, siteUri } from './site-proof.ts';
export type { SpanOptions } from './span-export.ts';
export {
  child,
  type GroupChild,
  type PlaceOptions,
  type Restarts,
  type SpawnOptions,
  type SupervisedGroup,
  type Supervision,
} from './supervision.ts';
export {
  type Future,
  type FutureStatus,
  type Held,
  type Input,
  isFuture,
  isLazy,
  type Lazy,
  type Resolved,
  type Task,
  type TaskContext,
  type TaskHints,
  task,
  taskBody,
} from './task.ts';
export { chromeTrace, type TraceEvent, traceEvents } from './trace-events.ts';
