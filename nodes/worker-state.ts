/**
 * Owns what a worker knows: its data and its runs with their phases, and what can happen to it and be asked
 * of it. Two small machines: a datum is absent, fetching or held; a run is waiting, ready, running or ending.
 * Pure data and small queries. Must not know: sockets, threads, buffers, or how events change it
 * (worker-core.ts, worker-data.ts).
 */
import type { Millis, NodeId, RunId, SiteName, TaskKey } from '../runtime/index.ts';
import type { FromNode, Hints, Replica, TaskOrder, WireError } from '../scheduler/protocol.ts';
import type { RunMemory } from './memory-meter.ts';
import { RankQueue } from './rank-queue.ts';

export type MissReason = 'absent' | 'unreachable';

/** What a run takes in, where the scheduler says it lies, and which of these places did not deliver it. */
export interface Need {
  readonly key: TaskKey;
  readonly bytes: number;
  readonly replicas: readonly Replica[];
  readonly misses: Map<NodeId, MissReason>;
}

export type RunPhase =
  | { readonly name: 'waiting'; missing: number }
  | { readonly name: 'ready' }
  | { readonly name: 'running' }
  /** Told to stop, but its thread has not come to an end; it still uses its inputs. */
  | { readonly name: 'ending' };

export interface RunRecord {
  readonly run: RunId;
  readonly key: TaskKey;
  readonly fn: string;
  readonly args: Uint8Array;
  readonly hints: Hints;
  readonly rank: number;
  /** Each input once that must lie in the store, in the order of the message. */
  readonly needs: ReadonlyMap<TaskKey, Need>;
  /** All inputs in the order of the message, and those that came along with it. */
  readonly inputs: readonly TaskKey[];
  readonly inlined: ReadonlyMap<TaskKey, Uint8Array>;
  /** Its node may be killed by it: it is never brief. */
  readonly wary: boolean;
  /** What it takes while it runs. */
  takes: readonly (readonly [name: string, amount: number])[];
  phase: RunPhase;
  /** Whether it waits for tasks of its own, or ever has. */
  pause: 'never' | 'now' | 'over';
  /** An input was lost after it had begun: if it fails, that may be why. */
  bereft: boolean;
  /** Bytes fetched for it from its own site and from others. */
  localBytes: number;
  remoteBytes: number;
  /** When the order came, when its inputs were there, when it was started. */
  readonly givenMs: Millis;
  readyMs: Millis;
  startedMs: Millis;
}

export type DatumPhase =
  | { readonly name: 'absent' }
  | { readonly name: 'fetching'; readonly from: Replica }
  | {
      readonly name: 'held';
      readonly bytes: number;
      /** The run here that made it; none for a fetched copy. */
      readonly madeBy: RunId | undefined;
      /** To be forgotten when no run needs it any more. The scheduler does not count on it. */
      readonly doomed: boolean;
    };

/** A datum that is here, on its way, or needed by a run. */
export interface Datum {
  readonly key: TaskKey;
  phase: DatumPhase;
  /** Runs that have it as an input and have not ended. */
  readonly neededBy: Set<RunRecord>;
  /** The scheduler wants a copy here, whether or not a run needs it. */
  ordered: Need | undefined;
}

export type RunOutcome =
  | {
      readonly ok: true;
      readonly bytes: number;
      /** The whole result, where it is small. */
      readonly inline?: Uint8Array | undefined;
    }
  | { readonly ok: false; readonly error: WireError; readonly retryable: boolean };

export type WorkerEvent =
  | { readonly type: 'from-scheduler'; readonly message: TaskOrder }
  /** The shell has put the datum into the store, unless it lay there already. */
  | {
      readonly type: 'fetched';
      readonly key: TaskKey;
      readonly bytes: number;
      readonly from: NodeId;
      readonly ms: number;
    }
  | {
      readonly type: 'fetch-failed';
      readonly key: TaskKey;
      readonly from: NodeId;
      readonly reason: MissReason;
    }
  /** A client has brought it, and the shell has put it into the store. */
  | { readonly type: 'pushed'; readonly key: TaskKey; readonly bytes: number }
  | { readonly type: 'run-started'; readonly run: RunId }
  /** The run has begun to wait for tasks of its own, or goes on. */
  | { readonly type: 'run-paused'; readonly run: RunId; readonly paused: boolean }
  /** Comes once for every `start`, also after `stop-run`. Times are wall-clock milliseconds. */
  | {
      readonly type: 'run-ended';
      readonly run: RunId;
      readonly outcome: RunOutcome;
      readonly thread: number;
      readonly startMs: number;
      readonly endMs: number;
      readonly memory?: RunMemory | undefined;
    }
  /** The store can no longer read it. When a run that takes it fails for that reason, this comes first. */
  | { readonly type: 'datum-lost'; readonly key: TaskKey }
  /** Memory is short, or no longer. */
  | { readonly type: 'memory-noted'; readonly pressed: boolean }
  | { readonly type: 'ticked'; readonly storedBytes: number; readonly rssBytes: number }
  /** The connection is over; the next one begins with a `welcome`. */
  | { readonly type: 'scheduler-lost' }
  /** So many actors live here. */
  | { readonly type: 'actors-noted'; readonly living: number }
  /** The process was asked to end. */
  | { readonly type: 'stopping' };

export type WorkerInstruction =
  | { readonly type: 'send'; readonly message: FromNode }
  | { readonly type: 'fetch'; readonly key: TaskKey; readonly bytes: number; readonly from: Replica }
  /** What it brings afterwards is reported all the same, or nothing is. */
  | { readonly type: 'cancel-fetch'; readonly key: TaskKey }
  | {
      readonly type: 'start';
      readonly run: RunId;
      readonly key: TaskKey;
      readonly fn: string;
      readonly args: Uint8Array;
      /** Those that are not in `inlined` lie in the store. */
      readonly inputs: readonly TaskKey[];
      readonly inlined: ReadonlyMap<TaskKey, Uint8Array>;
      readonly hints: Hints;
      /** It will probably end soon: it may share a thread with others of the kind, and its start is not
       * worth telling. */
      readonly brief: boolean;
    }
  | { readonly type: 'stop-run'; readonly run: RunId }
  /** Move the finished run's result into the store, which does not hold the key. */
  | { readonly type: 'keep'; readonly run: RunId; readonly key: TaskKey }
  | { readonly type: 'discard'; readonly run: RunId }
  | { readonly type: 'forget'; readonly keys: readonly TaskKey[] }
  /** Close this connection and look for the scheduler again: the one at its end was replaced. */
  | { readonly type: 'hang-up'; readonly reason: string }
  /** All is done, or the scheduler will not have this node: close and exit. Nothing is asked after this. */
  | { readonly type: 'leave'; readonly error?: WireError };

/** How a run ended. */
export type Report = Extract<FromNode, { readonly type: 'run-done' | 'run-failed' }>;

export interface WorkerOptions {
  readonly node: NodeId;
  readonly site: SiteName;
  readonly threads: number;
  /** Resources beside threads, by name. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface WorkerState extends WorkerOptions {
  now: Millis;
  readonly runs: Map<RunId, RunRecord>;
  readonly data: Map<TaskKey, Datum>;
  /** The data made by runs here, for an `abort` that comes after the end. */
  readonly made: Map<RunId, Datum>;
  readonly ready: RankQueue<RunRecord>;
  /** Data to be fetched when there is room. */
  readonly toFetch: RankQueue<Datum>;
  fetching: number;
  /** Runs that are running or ending, and the threads and resources they take. */
  occupied: number;
  /** Runs that wait for tasks of their own: they are not counted as occupied. */
  paused: number;
  /** Actors that live here: the node does not leave before they have. */
  actors: number;
  readonly used: Map<string, number>;
  /** Of the last scheduler that it worked for. */
  epoch: number;
  /** Milliseconds that runs of a function lately took at most, by its name. */
  readonly longest: Map<string, number>;
  connected: boolean;
  /** Reports of runs that ended without a connection. */
  outbox: Report[];
  pressed: boolean;
  retiring: boolean;
  /** Leaving, and nothing that only this node holds is waited for. */
  dismissed: boolean;
  left: boolean;
  /** What the event at hand asks for; data to be forgotten are gathered. */
  out: WorkerInstruction[];
  forgotten: TaskKey[];
}

export function createWorkerState(options: WorkerOptions): WorkerState {
  return {
    ...options,
    now: 0 as Millis,
    runs: new Map(),
    data: new Map(),
    made: new Map(),
    ready: new RankQueue(),
    toFetch: new RankQueue(),
    fetching: 0,
    occupied: 0,
    paused: 0,
    actors: 0,
    used: new Map(),
    epoch: 0,
    longest: new Map(),
    connected: false,
    outbox: [],
    pressed: false,
    retiring: false,
    dismissed: false,
    left: false,
    out: [],
    forgotten: [],
  };
}

/** Running or ending: it has a thread. */
export function isOccupying({ phase }: RunRecord): boolean {
  return phase.name === 'running' || phase.name === 'ending';
}

/** Not begun: it can still be given back. */
export function isPending({ phase }: RunRecord): boolean {
  return phase.name === 'waiting' || phase.name === 'ready';
}

const oneThread = [['threads', 1]] as const;

/** What a run takes while it runs: `threads` is 1 unless told. */
export function needsOf({ needs }: Hints): RunRecord['takes'] {
  return needs === undefined ? oneThread : Object.entries({ threads: 1, ...needs });
}

export function capacityOf(state: WorkerState, name: string): number {
  return name === 'threads' ? state.threads : (state.resources[name] ?? 0);
}

/** The first place named for an input that has not failed to deliver it. */
export function sourceOf({ replicas, misses }: Need): Replica | undefined {
  return replicas.find(({ node }) => !misses.has(node));
}

/** Without a connection nothing is said: the next one begins with all that counts. How runs ended is kept for
 * it. */
export function send(state: WorkerState, message: FromNode): void {
  if (state.connected) state.out.push({ type: 'send', message });
  else if (message.type === 'run-done' || message.type === 'run-failed') state.outbox.push(message);
}
