/**
 * Owns the questions that a client has asked of the scheduler and whose answers are to come; they come in the
 * order of asking. Must not know: what is done with the answers.
 */
import { until } from './client-wait.ts';
import type { ClusterStatus } from './cluster.ts';
import type { RunTrace, ToClient, ToScheduler } from './protocol.ts';

type Answer = Extract<ToClient, { readonly type: 'status' | 'trace' }>;

export class Questions {
  readonly #tell: (message: ToScheduler) => void;
  readonly #status: ((status: ClusterStatus) => void)[] = [];
  readonly #trace: ((runs: readonly RunTrace[]) => void)[] = [];
  #runs: RunTrace[] = [];

  constructor(tell: (message: ToScheduler) => void) {
    this.#tell = tell;
  }

  status(signal: AbortSignal): Promise<ClusterStatus> {
    return this.#ask('status', this.#status, signal);
  }

  trace(signal: AbortSignal): Promise<readonly RunTrace[]> {
    return this.#ask('trace', this.#trace, signal);
  }

  /** The answers may have been lost with a connection. */
  askAgain(): void {
    this.#runs = [];
    for (const _ of this.#status) this.#tell({ type: 'status' });
    for (const _ of this.#trace) this.#tell({ type: 'trace' });
  }

  answer(message: Answer): void {
    if (message.type === 'status') {
      const { type: _, ...status } = message;
      this.#status.shift()?.(status);
      return;
    }
    for (const run of message.runs) this.#runs.push(run);
    if (!message.last) return;
    this.#trace.shift()?.(this.#runs);
    this.#runs = [];
  }

  /** A question keeps its turn when its wait is over before the answer, which is then nobody's. */
  async #ask<T>(type: 'status' | 'trace', asked: ((answer: T) => void)[], signal: AbortSignal): Promise<T> {
    let answer: T | undefined;
    await until((resolve) => {
      asked.push((value) => {
        answer = value;
        resolve();
      });
      this.#tell({ type });
      return () => undefined;
    }, signal);
    return answer as T;
  }
}
