/**
 * Owns what a node's shell and its threads say to one another about a run: the request, its outcome, and what
 * travels between threads. Must not know: how threads are kept, what a task computes.
 */
import {
  type DatumParts,
  decodeBatch,
  type EncodedValue,
  encodeBatch,
  type RunId,
  type TaskKey,
  type TlsPaths,
} from '../runtime/index.ts';
import type { WireError } from '../scheduler/protocol.ts';
import type { LaneMemory } from './lane-memory.ts';
import { toOwnBytes } from './shared-frames.ts';

/** One attempt at a task, its inputs at hand. */
export interface RunRequest {
  readonly run: RunId;
  readonly key: TaskKey;
  readonly fn: string;
  /** The codec's encoding of the argument list, with references to the inputs. */
  readonly args: Uint8Array;
  /** As the task's hints say. */
  readonly priority?: number;
  /** Frames in shared memory reach the thread without a copy. */
  readonly inputs: readonly DatumParts[];
}

export interface RunOptions {
  /** Cancels the run: first asking, then, after a grace, by ending its thread. */
  readonly signal?: AbortSignal;
  /** It is not expected to take long: a thread may be given it together with others of the kind. */
  readonly brief?: boolean;
  /** Called when a thread has been given the run. */
  readonly onStarted?: (thread: number) => void;
  /** Called when the body begins to wait for tasks of its own, and when it goes on. */
  readonly onPaused?: (paused: boolean) => void;
}

/** Times are wall-clock milliseconds; `thread` is a lane of the trace, in which no two runs overlap. */
interface RunEnd {
  readonly thread: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** How a run ended. `retryable` is false for what another attempt can't mend. */
export type RunOutcome = RunEnd &
  (
    | { readonly outcome: 'done'; readonly parts: DatumParts }
    | { readonly outcome: 'failed'; readonly error: WireError; readonly retryable: boolean }
    | { readonly outcome: 'cancelled' }
  );

/** What runs tasks on a node: the executor's threads, or the host of a device. */
export interface TaskRunner {
  /** Runs a task when a thread is free. Never rejects: every end is an outcome. */
  run(request: RunRequest, options?: RunOptions): Promise<RunOutcome>;
  /** Cancels a run, if it has not ended: first asking, then, after a grace, by ending its thread. */
  cancel(run: RunId): void;
  /** Cancels what runs and ends the threads. */
  close(): Promise<void>;
}

/** What the threads of a node work with. */
export interface ThreadOptions {
  /** URLs of the modules that declare tasks; imported by every thread. */
  readonly modules: readonly string[];
  /** Their digests by URL, as the node has announced them: what has changed since is not loaded. */
  readonly digests?: Readonly<Record<string, string>> | undefined;
  /** Variables of the environment that threads get beside the usual ones. */
  readonly env?: readonly string[] | undefined;
  readonly node: string;
  readonly site: string;
  /** The folder whose files tasks may read. */
  readonly data?: string | undefined;
  /** What the results of the node may fill. */
  readonly memoryBytes?: number | undefined;
  /** Where the scheduler is, and what proves a client there, for tasks that submit tasks. */
  readonly scheduler?: string | undefined;
  readonly token?: string | undefined;
  readonly tls?: TlsPaths | undefined;
}

/** What every thread of a node is started with. */
export interface ThreadSetup extends ThreadOptions {
  readonly memory: LaneMemory;
}

/** Runs for a thread, one after the other; without any, it only loads its modules. */
export interface ThreadRequest {
  readonly lane: number;
  /** Of the first run; the others have those that follow. */
  readonly ticket: number;
  readonly requests: readonly RunRequest[];
}

/** The same as it crosses to the thread. */
export interface ThreadCall extends Omit<ThreadRequest, 'requests'> {
  packed: EncodedValue;
}

/** How a run ended in a thread that lives; `index` is its place in the call. */
export type RunReply =
  | {
      readonly index: number;
      readonly ok: true;
      readonly parts: DatumParts;
      readonly startMs: number;
      readonly endMs: number;
    }
  | {
      readonly index: number;
      readonly ok: false;
      readonly error: WireError;
      readonly retryable: boolean;
      readonly startMs: number;
      readonly endMs: number;
    };

/** A run's body waits for tasks of its own, or goes on. */
export interface PauseNote {
  readonly run: RunId;
  readonly paused: boolean;
  readonly threadId: number;
}

/** Ends of runs that are told before their call ends. */
export interface EarlyReplies {
  readonly lane: number;
  readonly ticket: number;
  readonly replies: readonly RunReply[];
}

/** What crosses to a thread and back: many runs are one message of few objects, which structured clone is
 * slow with. Bulk data cross in shared memory, without a copy. */
export function toThreadCall({ requests, ...about }: ThreadRequest): ThreadCall {
  const { header, frames } = encodeBatch(requests);
  return { ...about, packed: { header, frames: frames.map(toOwnBytes) } };
}

export function fromThreadCall({ header, frames }: EncodedValue): RunRequest[] {
  return decodeBatch(header, frames) as RunRequest[];
}

export function toThreadReply(replies: readonly RunReply[]): EncodedValue {
  return encodeBatch(replies);
}

export function fromThreadReply({ header, frames }: EncodedValue): RunReply[] {
  return decodeBatch(header, frames) as RunReply[];
}
