/**
 * Owns what happens inside a thread for one run: the task's function is found, its arguments and inputs are
 * decoded without a copy, its result is put into shared memory, and whatever it throws becomes data. Must not
 * know: which kind of thread it is in, the scheduler, the store.
 */
import {
  AsperitasError,
  type DatumParts,
  decodePacked,
  decodeValue,
  type EncodedValue,
  encodedBytes,
  encodeValue,
  isAsperitasError,
  type RunId,
  toWireError,
} from '../runtime/index.ts';
import { bindReferences, type TaskContext, taskBody } from '../scheduler/index.ts';
import type { WireError } from '../scheduler/protocol.ts';
import { loadingVariable } from './config.ts';
import { collectBytesFor, GarbageMeter } from './garbage.ts';
import { Lane } from './lane-memory.ts';
import { machineLimits } from './machine-limits.ts';
import { checkVersion } from './module-digest.ts';
import { RunClient, type RunClientOptions } from './run-client.ts';
import {
  fromThreadCall,
  type RunReply,
  type RunRequest,
  type ThreadCall,
  type ThreadSetup,
  toThreadReply,
} from './run-request.ts';
import { toSharedParts } from './shared-frames.ts';

/** Of this thread. */
let garbage: GarbageMeter | undefined;

/** Codes of operating errors that may be gone the next time, or on another node. */
const passingCodes = new Set([
  'aborted',
  'connection-lost',
  'disk-full',
  'timeout',
  'unreachable',
  'unreadable-file',
]);

/** Whether another attempt may end better. An AsperitasError tells of bad input, and will again, but for the
 * codes above; any other error may come from the machine, so it is tried again. */
function isRetryable(error: unknown): boolean {
  return !isAsperitasError(error) || passingCodes.has(error.code);
}

const nativeAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!;

/** The signal of a run. It asks the shared flag whenever its body does, so that a body which never yields can
 * stop too, and a timer asks for bodies that wait. Made only for bodies that look at it. */
class Cancellation {
  readonly #isCancelled: () => boolean;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #fired = false;

  constructor(isCancelled: () => boolean) {
    this.#isCancelled = isCancelled;
    const { signal } = this.#controller;
    Object.defineProperties(signal, {
      aborted: {
        get: () => {
          this.#ask();
          return nativeAborted.call(signal) as boolean;
        },
      },
      throwIfAborted: {
        value: () => {
          if (signal.aborted) throw signal.reason;
        },
      },
    });
    this.#timer = setInterval(() => this.#ask(), machineLimits.cancelPollMs);
    this.#ask();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #ask(): void {
    if (this.#fired || !this.#isCancelled()) return;
    this.#fired = true;
    this.#controller.abort(new AsperitasError('aborted', 'the run was cancelled'));
  }
}

let loading: Promise<void> | undefined;

export async function loadModules({
  modules,
  digests = {},
}: Pick<ThreadSetup, 'modules' | 'digests'>): Promise<void> {
  for (const url of modules) {
    await checkVersion(url, digests[url]);
    // A thread's environment is its own: this is no mark on the node's process.
    process.env[loadingVariable] = url;
    try {
      await import(url);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `can't load the module ${url}: ${why}`;
      throw new AsperitasError('module-not-loaded', message, { url }, { cause: error });
    } finally {
      delete process.env[loadingVariable];
    }
  }
}

interface Prepared {
  readonly body: ReturnType<typeof taskBody>;
  readonly args: readonly never[];
}

function prepare(request: RunRequest): Prepared {
  const body = taskBody(request.fn);
  const inputs = request.inputs.map(({ header, frames }) => decodeValue(header, frames));
  const args = bindReferences(decodePacked(request.args), inputs);
  if (Array.isArray(args)) return { body, args: args as unknown[] as never[] };
  throw new AsperitasError('invalid-message', 'invalid message: arguments are no list', { task: request.fn });
}

function clientOf(
  { scheduler: url, token, tls }: ThreadSetup,
  request: RunRequest,
  run: Pick<RunClientOptions, 'signal' | 'onPaused'>,
): RunClient {
  if (url === undefined || token === undefined) {
    const message = `${request.fn} runs where there is no scheduler to submit tasks to`;
    throw new AsperitasError('no-scheduler', message, { task: request.fn });
  }
  return new RunClient({ url, token, tls, priority: request.priority ?? 0, ...run });
}

async function resultOf(setup: ThreadSetup, place: Place, request: RunRequest): Promise<DatumParts> {
  const { body, args } = prepare(request);
  let cancellation: Cancellation | undefined;
  let client: RunClient | undefined;
  const context: TaskContext = {
    key: request.key,
    node: setup.node,
    site: setup.site,
    data: setup.data,
    get signal() {
      cancellation ??= new Cancellation(() => place.lane.isCancelled(place.ticket));
      return cancellation.signal;
    },
    async cluster() {
      const onPaused = (paused: boolean): void => place.tellers.tellPaused?.(request.run, paused);
      client ??= clientOf(setup, request, { signal: context.signal, onPaused });
      return client.cluster();
    },
  };
  try {
    return toSharedParts(encodeValue(await body(context, ...args)));
  } finally {
    client?.end();
    cancellation?.end();
  }
}

/** What is told while a call goes on. */
export interface Tellers {
  /** Takes the ends of some runs while others take their time. */
  readonly tellEarly?: (replies: readonly RunReply[]) => void;
  /** A body waits for tasks of its own, or goes on. */
  readonly tellPaused?: (run: RunId, paused: boolean) => void;
}

/** Where a run is in its call. */
interface Place {
  readonly lane: Lane;
  readonly index: number;
  readonly ticket: number;
  readonly tellers: Tellers;
}

async function serveRun(setup: ThreadSetup, place: Place, request: RunRequest): Promise<RunReply> {
  const { index } = place;
  const startMs = Date.now();
  try {
    const parts = await resultOf(setup, place, request);
    return { index, ok: true, parts, startMs, endMs: Date.now() };
  } catch (error) {
    return { index, ok: false, ...failureOf(error), startMs, endMs: Date.now() };
  } finally {
    noteGarbage(setup, request, Date.now() - startMs);
  }
}

function failureOf(error: unknown): { readonly error: WireError; readonly retryable: boolean } {
  return { error: toWireError(error), retryable: isRetryable(error) };
}

/** Serves one call: loads the modules if they are not, and runs the tasks that are not taken back meanwhile.
 * Never throws. */
export async function serveCall(
  setup: ThreadSetup,
  call: ThreadCall,
  tellers: Tellers = {},
): Promise<EncodedValue> {
  const requests: (RunRequest | undefined)[] = fromThreadCall(call.packed);
  // The message may live on in the caller's frames; its inputs must not.
  call.packed = { header: new Uint8Array(0), frames: [] };
  const lane = new Lane(setup.memory, call.lane);
  const startMs = Date.now();
  try {
    await (loading ??= loadModules(setup));
  } catch (error) {
    const failed = { ok: false, ...failureOf(error), startMs, endMs: Date.now() } as const;
    return toThreadReply([
      { index: 0, ...failed },
      ...requests.slice(1).map((_, k) => ({ index: k + 1, ...failed })),
    ]);
  }
  if (requests.length === 0) {
    const parts = { header: new Uint8Array(0), frames: [] };
    return toThreadReply([{ index: 0, ok: true, parts, startMs, endMs: startMs }]);
  }
  return toThreadReply(await serveAll(setup, { lane, ticket: call.ticket, requests }, tellers));
}

async function serveAll(
  setup: ThreadSetup,
  {
    lane,
    ticket,
    requests,
  }: { readonly lane: Lane; readonly ticket: number; readonly requests: (RunRequest | undefined)[] },
  tellers: Tellers,
): Promise<readonly RunReply[]> {
  const replies: RunReply[] = [];
  let told = 0;
  let toldMs = Date.now();
  // The call's own reply has them all again: it may overtake what is told early.
  const tell = (): void => {
    if (replies.length > told) tellers.tellEarly?.(replies.slice(told));
    told = replies.length;
    toldMs = Date.now();
  };
  // For bodies that wait; those that compute keep it from firing.
  const timer = requests.length > 1 ? setInterval(tell, machineLimits.earlyMs) : undefined;
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index]!;
    requests[index] = undefined;
    if (!lane.begin(index)) continue;
    if (Date.now() - toldMs > machineLimits.earlyMs) tell();
    replies.push(await serveRun(setup, { lane, index, ticket: ticket + index, tellers }, request));
    lane.end(index);
  }
  clearInterval(timer);
  return replies;
}

/** What a run leaves behind: its inputs, which the store may drop at any time, and its scratch arrays. A run
 * of no time can't have made many. */
function noteGarbage(setup: ThreadSetup, request: RunRequest, tookMs: number): void {
  garbage ??= new GarbageMeter(collectBytesFor(setup.memoryBytes));
  garbage.released(request.inputs.reduce((sum, input) => sum + encodedBytes(input), 0));
  if (tookMs >= machineLimits.scratchMs) garbage.look();
}
