/**
 * Owns the limits of one wait: its caller's signal, its deadline and the loss of the scheduler become one
 * signal, whose reason is the error to reject with. Must not know: what is waited for.
 */
import { setMaxListeners } from 'node:events';
import { AsperitasError } from '../runtime/index.ts';
import type { WaitOptions } from './cluster.ts';
import { clientLimits } from './limits.ts';

export class Wait {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort: () => void;

  readonly #onEnd: (() => void) | undefined;

  /** `what` is named in errors, such as `compute`. */
  constructor({ signal, timeoutMs }: WaitOptions, what: string, onEnd?: () => void) {
    this.#onEnd = onEnd;
    shareWidely(this.#controller.signal);
    this.#caller = signal;
    this.#onAbort = () => {
      const options = { cause: signal?.reason as unknown };
      this.fail(new AsperitasError('aborted', `${what} was aborted`, { what }, options));
    };
    if (timeoutMs !== undefined) {
      this.#timer = setTimeout(() => {
        const message = `${what} did not end within ${timeoutMs} ms`;
        this.fail(new AsperitasError('timeout', message, { what, timeoutMs }));
      }, timeoutMs);
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /** Aborted with the error to reject with, when the wait is over before its time. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  fail(error: Error): void {
    this.#controller.abort(error);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#onEnd?.();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }
}

/** Every fetch of a wait listens to its signal, at several places; that is no leak to be warned of. */
export function shareWidely(signal: AbortSignal): void {
  setMaxListeners(4 * clientLimits.fetches, signal);
}

/** Resolves when `start` calls its argument; rejects with the signal's reason. `start` returns how to stop
 * listening. */
export function until(start: (resolve: () => void) => () => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const settle = (done: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      stop();
      done();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    let ended = false;
    let stop = (): void => {
      ended = true;
    };
    const stopped = start(() => settle(resolve));
    if (ended) stopped();
    else stop = stopped;
  });
}

/** Waits so long, or rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return until((resolve) => {
    const timer = setTimeout(resolve, ms);
    return () => clearTimeout(timer);
  }, signal);
}

/** The promise's own end, unless the signal fires first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).then(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
