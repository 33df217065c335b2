/**
 * Owns what the scheduler knows: tasks with their phases, nodes, clients, and the counters derived from them.
 * Pure data and small queries. Must not know: sockets, clocks, or how events change it (scheduler-core.ts,
 * lineage-core.ts, placement.ts).
 */
import {
  type ClientId,
  type FewSet,
  Heap,
  type Millis,
  type NodeId,
  type RunId,
  type SiteName,
  type TaskKey,
} from '../runtime/index.ts';
import { type ActorsState, createActors } from './actor-state.ts';
import { BlackBox } from './black-box.ts';
import { type CoordinationState, createCoordination } from './coordination-state.ts';
import type { Dataset } from './dataset-core.ts';
import type { Learnt } from './estimates.ts';
import type { Incoming } from './incoming-core.ts';
import type { JournalRecord } from './journal-records.ts';
import { limits } from './limits.ts';
import { emptyMeter, type Link, type Meter } from './link-model.ts';
import type { Needs } from './needs.ts';
import type { PlacementPolicy } from './policy.ts';
import type { NodeInfo, Replica, RunTrace, TaskSpec, ToClient, ToNode } from './protocol.ts';
import { createQuota, type QuotaState } from './quota-state.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { Instruction } from './scheduler-event.ts';
import { createTally, type Tally } from './tally.ts';
import type { PhaseName, TaskPhase } from './task-phase.ts';
import { TransitionLog } from './transition-log.ts';
import { createWalks, type Walks } from './walks-state.ts';
import type { Window } from './window-state.ts';

export type { Instruction, SchedulerEvent } from './scheduler-event.ts';
export type {
  AssignedPhase,
  FailedPhase,
  HeldPhase,
  PhaseName,
  ReadyPhase,
  TaskPhase,
} from './task-phase.ts';

/** A task known to the scheduler: needed, or part of the lineage of something that is. */
export interface TaskRecord {
  readonly spec: TaskSpec;
  readonly inputs: readonly TaskRecord[];
  readonly owner: ClientId;
  rank: number;
  readonly priority: number;
  /** When it should begin, for the sake of deadlines; `Infinity` without. */
  due: Millis | number;
  /** What it takes where it is assigned; before that, what it would like best. */
  needs: Needs;
  /** All known tasks that have this one as an input. */
  readonly dependents: FewSet<TaskRecord>;
  readonly wantedBy: FewSet<ClientId>;
  /** How many dependents are waiting, ready or assigned. */
  waiters: number;
  /** In how many clients' unfinished submissions it stands: its users may be still to come. */
  announced: number;
  phase: TaskPhase;
  /** Whose progress it was counted in when it became active: the owner may have gone and come anew since. */
  countedIn: ClientRecord | undefined;
  /** Bodies that threw, nodes that died while it ran, nodes that died before it started. */
  thrown: number;
  deaths: number;
  losses: number;
  /** The input that came last: what it waited for longest. */
  readiedBy?: TaskKey | undefined;
  /** Attempts that ended because living holders of inputs could not be reached. */
  unreachable: number;
  /** For scattered data: it has once been held. */
  arrived: boolean;
}

/** Tasks that the same nodes may run. `nodes` is refreshed when the membership changes. */
export interface ReadyClass {
  readonly site: SiteName | undefined;
  readonly near: string | undefined;
  readonly ways: readonly Needs[];
  readonly queue: ReadyQueue<TaskRecord>;
  readonly nodes: Set<NodeRecord>;
  readonly bySite: Map<SiteName, NodeRecord[]>;
  /** Where the search for a node of a site starts next. */
  turn: number;
  /** Since when no node may run its tasks. */
  barrenSince: Millis | undefined;
}

export interface Handover {
  since: Millis;
  readonly ordered: Map<TaskRecord, NodeId>;
  dismissed: boolean;
}

export interface NodeRecord {
  readonly info: NodeInfo;
  /** The node as a holder of data, made once because it is named very often. */
  readonly replica: Replica;
  lastHeard: Millis;
  /** Since when its connection is broken; undefined while it stands. */
  awaySince: Millis | undefined;
  /** While it announces: what it is believed to hold and run and has not named yet. */
  unconfirmed: ({ readonly held: Set<TaskRecord> } & Record<'runs' | 'named', Set<RunId>>) | undefined;
  retiring: boolean;
  /** While it leaves: who takes over what only it holds. */
  handover?: Handover | undefined;
  readonly assigned: Map<RunId, TaskRecord>;
  readonly held: Set<TaskRecord>;
  readonly parked: ReadyQueue<TaskRecord>;
  parkedCount: number;
  /** Estimated seconds of parked and of assigned work. */
  parkedSeconds: number;
  assignedSeconds: number;
  /** Threads, and other resources by name, of assigned runs. */
  usedThreads: number;
  readonly used: Map<string, number>;
  /** Memory that assigned runs are expected to take. */
  reservedBytes: number;
  /** What actors hold there for as long as they live. */
  readonly reserved: { actors: number; threads: number; readonly named: Map<string, number> };
  readonly classes: Set<ReadyClass>;
  /** Bytes that it is planned to send and to receive; what it has done so far; rates by sender. */
  sendingBytes: number;
  receivingBytes: number;
  readonly sent: Meter;
  readonly received: Meter;
  readonly rates: Map<NodeId, number>;
  /** Assigned runs that still wait for inputs to come. */
  fetchingRuns: number;
  status: { storedBytes: number; rssBytes: number; running: number };
}

export interface ClientRecord {
  /** A keeper: no client at all (keeper-core.ts). */
  readonly kept: boolean;
  /** Of its last submission or retry. */
  serial: number | undefined;
  /** Of the submission of which more is to come. */
  hasDeadlines: boolean;
  readonly wants: Set<TaskRecord>;
  /** Tasks of a submission of which more is to come. */
  readonly announced: Set<TaskRecord>;
  /** A digest of what it must know to come again. */
  readonly secret: string;
  /** How many of its intents were taken in. */
  heard: number;
  goneSince: Millis | undefined;
  /** Its connection broke, rather than that it went. */
  broken: boolean;
  total: number;
  done: number;
  readonly byFunction: Map<string, { done: number; total: number }>;
  /** `done` and `total` as last told. */
  told: string;
}

export interface Deadline {
  readonly task: TaskRecord;
  readonly deadlineMs: number;
}

export interface SchedulerState {
  /** Instead of the scheduler's own. */
  readonly policy: PlacementPolicy<SchedulerState> | undefined;
  seq: number;
  now: Millis;
  /** When the first event came. */
  since: Millis;
  readonly firstRun: number;
  /** Greater than that of every earlier scheduler of this cluster. */
  readonly epoch: number;
  nextRun: number;
  nextRank: number;
  readonly tasks: Map<TaskKey, TaskRecord>;
  /** By the names that authors gave. */
  readonly names: Map<string, TaskRecord>;
  /** Scattered data that have not come yet, and since when they are awaited. */
  readonly awaited: Map<TaskRecord, Millis>;
  /** The next to pass first; also of tasks that have ended. */
  readonly deadlines: Heap<Deadline>;
  readonly lateness: { dropped: number; missed: number };
  readonly datasets: Map<string, Dataset>;
  readonly coordination: CoordinationState;
  /** The tasks of submissions that have come to their end, of which those from `next` on are still counted as
   * announced. */
  readonly ended: { readonly tasks: readonly TaskRecord[]; next: number }[];
  readonly walks: Walks;
  /** A task that was on so many nodes when they died is given up. */
  allowedFailures: number;
  readonly nodes: Map<NodeId, NodeRecord>;
  readonly clients: Map<ClientId, ClientRecord>;
  readonly quotas: QuotaState;
  /** Every site that ever had a node. */
  readonly sites: Set<SiteName>;
  /** What nodes of each site ever had. */
  readonly offers: Map<SiteName, { threads: number; resources: Readonly<Record<string, number>> }[]>;
  /** Windows by group, and those in which there may be room. */
  readonly windows: Map<string, Window>;
  readonly openedWindows: Set<string>;
  readonly classes: Map<string, ReadyClass>;
  readonly actors: ActorsState;
  /** Tasks that became ready, or lost the node they were parked at, since the last placement. */
  fresh: TaskRecord[];
  /** Nodes that may have got room, or something to run, since the last placement. */
  readonly dirty: Set<NodeRecord>;
  /** Nodes with a thread to spare, and nodes with tasks parked. */
  readonly idle: Set<NodeRecord>;
  readonly crowded: Set<NodeRecord>;
  readonly groups: Map<string, NodeId>;
  /** The roots of tasks that stay together by them. */
  readonly roots: WeakMap<TaskRecord, string>;
  /** What runs have shown, by function name and by kind of task; links by the names of their sites. */
  readonly learnt: Map<string, Learnt>;
  readonly links: Map<SiteName, Map<SiteName, Link>>;
  /** Copies that are coming, by datum. */
  readonly incoming: Map<TaskRecord, Incoming[]>;
  /** When a node last could not reach another, by `node<holder`. */
  readonly unreached: Map<string, Millis>;
  readonly counts: Record<PhaseName, number>;
  /** Of data that are kept here because they are small. */
  inlineBytes: number;
  crossSiteBytes: number;
  readonly tally: Tally;
  traces: RunTrace[];
  readonly transitions: TransitionLog;
  readonly log: BlackBox;
  lastTick: Millis;
  /** Records of an earlier scheduler are being taken in: nothing is recorded of it. */
  replaying: boolean;
  /** Since when nodes are waited for before anything is placed; undefined when that is over. */
  recoveringSince: Millis | undefined;
  /** How many records were asked for, and which of them let clients be told that their intents are safe. */
  records: number;
  unaccepted: { readonly record: number; readonly client: ClientId; readonly heard: number }[];
  stoppingSince: Millis | undefined;
  stopped: boolean;
  /** What the event at hand asks for; data to be dropped are gathered by node. */
  out: Instruction[];
  readonly drops: Map<NodeId, TaskKey[]>;
}

/** A scheduler that knows nothing yet.
 * @param firstRun the first run id, from which the epoch follows: beyond all that an earlier life may have
 *   given, since nodes outlive it; `walkSteps`: how far walks over the graph go in one turn */
export function createState(
  firstRun = 1,
  policy?: PlacementPolicy<SchedulerState>,
  walkSteps: number = limits.walkSteps,
): SchedulerState {
  const zero = 0 as Millis;
  return {
    policy,
    seq: 0,
    now: zero,
    since: zero,
    firstRun,
    epoch: Math.floor(firstRun / limits.runsPerEpoch),
    nextRun: firstRun,
    nextRank: 0,
    tasks: new Map(),
    names: new Map(),
    awaited: new Map(),
    deadlines: new Heap((a, b) => a.deadlineMs < b.deadlineMs),
    lateness: { dropped: 0, missed: 0 },
    datasets: new Map(),
    coordination: createCoordination(),
    ended: [],
    walks: createWalks(walkSteps),
    allowedFailures: limits.allowedFailures,
    nodes: new Map(),
    clients: new Map(),
    quotas: createQuota(),
    sites: new Set(),
    offers: new Map(),
    windows: new Map(),
    openedWindows: new Set(),
    classes: new Map(),
    actors: createActors(firstRun),
    fresh: [],
    dirty: new Set(),
    idle: new Set(),
    crowded: new Set(),
    groups: new Map(),
    roots: new WeakMap(),
    learnt: new Map(),
    links: new Map(),
    incoming: new Map(),
    unreached: new Map(),
    counts: { released: 0, waiting: 0, ready: 0, assigned: 0, held: 0, failed: 0 },
    inlineBytes: 0,
    crossSiteBytes: 0,
    tally: createTally(),
    traces: [],
    transitions: new TransitionLog(),
    log: new BlackBox(),
    lastTick: zero,
    replaying: false,
    recoveringSince: undefined,
    records: 0,
    unaccepted: [],
    stoppingSince: undefined,
    stopped: false,
    out: [],
    drops: new Map(),
  };
}

export function createNode(info: NodeInfo, now: Millis): NodeRecord {
  return {
    info,
    replica: { node: info.node, site: info.site, url: info.url },
    lastHeard: now,
    awaySince: undefined,
    unconfirmed: info.announces === true ? { held: new Set(), runs: new Set(), named: new Set() } : undefined,
    retiring: false,
    assigned: new Map(),
    held: new Set(),
    parked: new ReadyQueue(),
    parkedCount: 0,
    parkedSeconds: 0,
    assignedSeconds: 0,
    usedThreads: 0,
    used: new Map(),
    reservedBytes: 0,
    reserved: { actors: 0, threads: 0, named: new Map() },
    classes: new Set(),
    sendingBytes: 0,
    receivingBytes: 0,
    sent: emptyMeter(),
    received: emptyMeter(),
    rates: new Map(),
    fetchingRuns: 0,
    status: { storedBytes: 0, rssBytes: 0, running: 0 },
  };
}

export function createClient(secret = ''): ClientRecord {
  return {
    kept: false,
    serial: undefined,
    hasDeadlines: false,
    wants: new Set(),
    announced: new Set(),
    secret,
    heard: 0,
    goneSince: undefined,
    broken: false,
    total: 0,
    done: 0,
    byFunction: new Map(),
    told: '',
  };
}

/** Waiting, ready or assigned: an unfinished task that somebody needs. */
export function isActive({ phase }: TaskRecord): boolean {
  return phase.name === 'waiting' || phase.name === 'ready' || phase.name === 'assigned';
}

export function isNeeded(task: TaskRecord): boolean {
  return task.waiters > 0 || task.wantedBy.size > 0;
}

/** Threads that no assigned run and no actor takes; negative while work is sent ahead. */
export function idleThreads(node: NodeRecord): number {
  return node.info.threads - node.reserved.threads - node.usedThreads;
}

/** Whether a node is given work: one that is leaving, cut off, or still saying what it has is not. */
export function takesWork(node: NodeRecord): boolean {
  return !node.retiring && node.awaySince === undefined && node.unconfirmed === undefined;
}

/** Brings the sets of idle and crowded nodes up to date with a node's load. */
export function noteLoad(state: SchedulerState, node: NodeRecord): void {
  if (takesWork(node) && idleThreads(node) > 0) state.idle.add(node);
  else state.idle.delete(node);
  if (node.parkedCount > 0) state.crowded.add(node);
  else state.crowded.delete(node);
}

export function send(state: SchedulerState, to: NodeId, message: ToNode): void {
  state.out.push({ type: 'send', to, message });
}

export function notify(state: SchedulerState, client: ClientId, message: ToClient): void {
  if (state.clients.get(client)?.goneSince === undefined) state.out.push({ type: 'notify', client, message });
}

/** Has something kept for the next scheduler. */
export function record(state: SchedulerState, kept: JournalRecord): void {
  if (state.replaying) return;
  state.records++;
  state.out.push({ type: 'record', record: kept });
}
