/**
 * Owns what a node's shell and its threads say to one another about a run: the request, its outcome, and what
 * travels between threads. Must not know: how threads are kept, what a task computes.
 */
import type { DatumParts, RunId, TaskKey } from '../runtime/index.ts';
import type { WireError } from '../scheduler/protocol.ts';

/** One attempt at a task, its inputs at hand. */
export interface RunRequest {
  readonly run: RunId;
  readonly key: TaskKey;
  readonly fn: string;
  /** The codec's encoding of the argument list, with references to the inputs. */
  readonly args: Uint8Array;
  /** Frames in shared memory reach the thread without a copy. */
  readonly inputs: readonly DatumParts[];
}

export interface RunOptions {
  /** Cancels the run: first asking, then, after a grace, by ending its thread. */
  readonly signal?: AbortSignal;
  /** Called when a thread has been given the run. */
  readonly onStarted?: (thread: number) => void;
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
  /** Cancels what runs and ends the threads. */
  close(): Promise<void>;
}

/** What the threads of a node work with. */
export interface ThreadOptions {
  /** URLs of the modules that declare tasks; imported by every thread. */
  readonly modules: readonly string[];
  readonly node: string;
  readonly site: string;
  /** The folder whose files tasks may read. */
  readonly data?: string | undefined;
}

/** What every thread of a node is started with. */
export interface ThreadSetup extends ThreadOptions {
  /** Which run of each lane is cancelled, by its ticket: shared by all threads, so that a body which never
   * yields sees it too. */
  readonly cancelled: Int32Array;
}

/** A run as it is handed to a thread; without a request, the thread only loads its modules. */
export interface ThreadCall {
  readonly lane: number;
  readonly ticket: number;
  request: RunRequest | undefined;
}

/** What comes back from a thread that lives. */
export type ThreadReply =
  | { readonly ok: true; readonly parts: DatumParts; readonly startMs: number; readonly endMs: number }
  | {
      readonly ok: false;
      readonly error: WireError;
      readonly retryable: boolean;
      readonly startMs: number;
      readonly endMs: number;
    };
