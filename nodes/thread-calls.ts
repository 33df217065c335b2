/**
 * Owns calls into a thread by method name. The only importer of comlink, which would let a caller walk any
 * property and never tells him that the thread is dead: here only named methods can be reached, and a call
 * ends with its thread or its signal. Must not know: what the methods do.
 */

import type { MessagePort, Worker } from 'node:worker_threads';
import { type Endpoint, expose, type Remote, wrap } from 'comlink';

export type Methods = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

/** A function of which nothing but the call itself can be reached. */
function bare(method: (argument: never) => unknown): object {
  const apply = (_: unknown, args: readonly never[]): unknown => method(args[0] as never);
  Object.setPrototypeOf(apply, null);
  const callable = (): void => undefined;
  Object.setPrototypeOf(callable, Object.freeze(Object.assign(Object.create(null), { apply })));
  return Object.freeze(callable);
}

/** Inside the thread: answers calls of these methods, and of nothing else. */
export function serveCalls(port: MessagePort, methods: Methods): void {
  const listed: Record<string, object> = Object.create(null);
  for (const [name, method] of Object.entries(methods)) listed[name] = bare(method);
  expose(Object.freeze(listed), port as unknown as Endpoint);
}

export interface CallOptions {
  readonly signal: AbortSignal;
}

/** Calls into one thread over one port; rejects what is under way when the thread exits. */
export class ThreadCalls<M extends Methods> {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #remote: Remote<M>;
  readonly #exited: Promise<never>;
  #underWay = 0;

  constructor(worker: Worker, port: MessagePort) {
    this.#port = port;
    this.#remote = wrap<M>(port as unknown as Endpoint);
    this.#exited = new Promise((_, reject) => {
      let cause: unknown;
      worker.once('error', (error) => {
        cause = error;
      });
      worker.once('exit', (code) => reject(cause ?? new Error(`the thread exited with code ${code}`)));
    });
    this.#exited.catch(() => undefined);
    this.#worker = worker;
    this.#holdProcess(false);
  }

  /** Rejects with what the method throws, with the reason of the signal, or when the thread dies. */
  async call<N extends keyof M & string>(
    name: N,
    argument: Parameters<M[N]>[0],
    { signal }: CallOptions,
  ): Promise<Awaited<ReturnType<M[N]>>> {
    signal.throwIfAborted();
    let onAbort: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    if (this.#underWay++ === 0) this.#holdProcess(true);
    try {
      const method = this.#remote[name] as (argument: unknown) => Promise<Awaited<ReturnType<M[N]>>>;
      return await Promise.race([method(argument), this.#exited, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (--this.#underWay === 0) this.#holdProcess(false);
    }
  }

  close(): void {
    this.#port.close();
  }

  /** An idle thread must not keep the process; one that is called must, up to the news of its death. */
  #holdProcess(hold: boolean): void {
    for (const handle of [this.#worker, this.#port]) {
      if (hold) handle.ref();
      else handle.unref();
    }
  }
}
