/**
 * Owns what a client asks about published data sets, and its answers, told apart by their numbers. Must not
 * know: futures, who asks.
 */
import { AsperitasError } from '../runtime/index.ts';
import { until } from './client-wait.ts';
import type { Dataset, DatasetRequest } from './dataset-core.ts';
import type { ToClient } from './protocol.ts';

export type DatasetAnswer = Extract<ToClient, { type: 'dataset-answer' }>;
type Unnumbered<R> = R extends unknown ? Omit<R, 'request'> : never;

export class Datasets {
  readonly #tell: (request: DatasetRequest) => void;
  readonly #asked = new Map<number, (answer: DatasetAnswer) => void>();
  #last = 0;

  constructor(tell: (request: DatasetRequest) => void) {
    this.#tell = tell;
  }

  /** Rejects with the scheduler's objection. `onAnswer` is called at once with what has come, before any
   * later message is taken in, and whether or not somebody still waits. */
  async ask(
    question: Unnumbered<DatasetRequest>,
    signal: AbortSignal,
    onAnswer: (value: Dataset | undefined) => void = () => undefined,
  ): Promise<readonly string[]> {
    const request = ++this.#last;
    let answered: DatasetAnswer | undefined;
    await until((resolve) => {
      this.#asked.set(request, (answer) => {
        answered = answer;
        onAnswer(answer.value);
        resolve();
      });
      this.#tell({ ...question, request } as DatasetRequest);
      return () => undefined;
    }, signal);
    const { problem, names = [] } = answered!;
    if (problem !== undefined) throw new AsperitasError(problem.code, problem.message);
    return names;
  }

  /** The connection broke: an answer may have been lost, and nothing tells whether the request was heard. */
  interrupt(): void {
    const message = 'the connection broke before the scheduler answered: look whether it was done';
    for (const request of [...this.#asked.keys()]) {
      const problem = { code: 'connection-lost', message };
      this.answer({ type: 'dataset-answer', request, problem });
    }
  }

  answer(answer: DatasetAnswer): void {
    const settle = this.#asked.get(answer.request);
    this.#asked.delete(answer.request);
    settle?.(answer);
  }
}
