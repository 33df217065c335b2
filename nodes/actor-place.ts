/**
 * Owns the thread or process in which an actor lives, as the main thread sees it: started, called with a
 * limit of time, posted to, and known to be dead when it is. Must not know: the mailbox, what an actor does.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ActorMethods, FromPlace, ToPlace } from './actor-post.ts';
import type { ActorThreadData } from './actor-thread.ts';
import { limits } from './limits.ts';
import { machineLimits } from './machine-limits.ts';
import { ThreadCalls } from './thread-calls.ts';

export interface ActorPlace {
  call<N extends keyof ActorMethods>(
    name: N,
    argument: Parameters<ActorMethods[N]>[0],
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<ActorMethods[N]>>>;
  post(message: ToPlace): void;
  /** Resolves when it has ended, with what it said last. */
  readonly ended: Promise<Error>;
  kill(): void;
}

/** Of the node's, what the actor may see. */
type Environment = Readonly<Record<string, string>>;
type Receive = (message: FromPlace) => void;

/** A thread for an actor of its own. */
export function openThread(
  { label, env }: { readonly label: string; readonly env: Environment },
  receive: Receive,
): ActorPlace {
  const { port1, port2 } = new MessageChannel();
  const workerData: ActorThreadData = { port: port2 };
  const worker = new Worker(new URL('./actor-thread.js', import.meta.url), {
    workerData,
    transferList: [port2],
    name: label.slice(0, 60),
    env,
    resourceLimits: {
      maxOldGenerationSizeMb: machineLimits.threadHeapBytes / 2 ** 20,
      maxYoungGenerationSizeMb: machineLimits.youngHeapBytes / 2 ** 20,
    },
  });
  const calls = new ThreadCalls<ActorMethods>(worker, port1);
  worker.on('message', receive);
  const ended = new Promise<Error>((resolve) => {
    let cause: unknown;
    worker.once('error', (error) => {
      cause = error;
    });
    worker.once('exit', (code) => {
      calls.close();
      resolve(cause instanceof Error ? cause : new Error(`its thread exited with code ${code}`));
    });
  });
  return {
    call: (name, argument, signal) => calls.call(name, argument, { signal }),
    post: (message) => {
      const { body } = message as { readonly body?: { readonly frames: readonly Uint8Array[] } };
      worker.postMessage(message, body?.frames.map(({ buffer }) => buffer as ArrayBuffer) ?? []);
    },
    ended,
    kill: () => void worker.terminate(),
  };
}

/** What goes over the channel to a process: a call with its number, or a message as to a thread. */
export type ToProcess =
  | { readonly call: number; readonly name: string; readonly argument: unknown }
  | { readonly message: ToPlace };
export type FromProcess =
  | { readonly call: number; readonly value: unknown }
  | { readonly message: FromPlace };

/** A process for an actor of its own: for libraries that fail in a second thread of one process. */
class ProcessPlace implements ActorPlace {
  readonly ended: Promise<Error>;
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, (reply: Extract<FromProcess, { readonly call: number }>) => void>();
  #lastCall = 0;

  constructor(env: Environment, receive: Receive) {
    const file = fileURLToPath(new URL('./actor-process.js', import.meta.url));
    // What it prints is the node's; the channel keeps typed arrays and errors as they are.
    this.#child = fork(file, [], {
      serialization: 'advanced',
      env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (raw) => {
      const from = raw as FromProcess;
      if ('message' in from) receive(from.message);
      else this.#calls.get(from.call)?.(from);
    });
    this.ended = new Promise<Error>((resolve) => {
      this.#child.once('error', resolve);
      this.#child.once('exit', (code, signal) =>
        resolve(new Error(`its process exited with ${signal ?? `code ${code}`}`)),
      );
    });
  }

  async call<N extends keyof ActorMethods>(
    name: N,
    argument: Parameters<ActorMethods[N]>[0],
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<ActorMethods[N]>>> {
    signal.throwIfAborted();
    const call = ++this.#lastCall;
    let onAbort: () => void = () => undefined;
    try {
      const answered = new Promise<Awaited<ReturnType<ActorMethods[N]>>>((resolve, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
        this.#calls.set(call, ({ value }) => resolve(value as never));
      });
      const died = this.ended.then((error) => {
        throw error;
      });
      this.#send({ call, name, argument });
      return await Promise.race([answered, died]);
    } finally {
      this.#calls.delete(call);
      signal.removeEventListener('abort', onAbort);
    }
  }

  post(message: ToPlace): void {
    this.#send({ message });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The end of the process is told by itself. */
  #send(message: ToProcess): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

export function openProcess(env: Environment, receive: Receive): ActorPlace {
  return new ProcessPlace(env, receive);
}

/** A signal for one of the calls about an actor's life. */
export function within(ms: number = limits.actorCallMs): AbortSignal {
  return AbortSignal.timeout(ms);
}
