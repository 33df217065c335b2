/**
 * Owns an operator's questions to the scheduler: each is sent with a number and waits for the answer that
 * bears it. Must not know: how answers are shown.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AsperitasError } from '../runtime/index.ts';
import { until } from './client-wait.ts';
import type { WaitOptions } from './cluster.ts';
import { clientLimits } from './limits.ts';
import type { ToClient, ToScheduler } from './protocol.ts';
import type { Overview } from './seeing-messages.ts';

type Question = Extract<ToScheduler, { readonly question: number }>;
export type Answer = Extract<ToClient, { readonly question: number }>;
/** A question as it is asked; its number is put in when it is sent. */
type Asked = Question extends infer Q ? (Q extends Question ? Omit<Q, 'question'> : never) : never;

export function isAnswer(message: ToClient): message is Answer {
  return 'question' in message;
}

/** Why a task is where it is, and its changes of phase, the oldest first. */
export interface TaskReport {
  readonly key: string;
  readonly explanation: readonly string[];
  readonly story: readonly string[];
}

export interface DrainOptions extends WaitOptions {
  readonly onWait?: (hinders: readonly string[]) => void;
  /** Though actors be lost that can be neither moved nor restarted. */
  readonly force?: boolean;
}

/** What an operator can ask of a cluster. `task` is a key, or a beginning that only one key has. */
export interface Inspector {
  /** Nodes, tasks, functions and transfers as the scheduler sees them now. */
  overview(options?: WaitOptions): Promise<Overview>;
  /** Rejects with `no-such-task` or `ambiguous-task`. */
  task(task: string, options?: WaitOptions): Promise<TaskReport>;
  /** Ends a task, whoever wants it, with the error `cancelled`, and all that wait for it. False where it had
   * ended already: then nothing changes. Rejects as `task` does. */
  cancel(task: string, options?: WaitOptions): Promise<{ readonly key: string; readonly cancelled: boolean }>;
  /** Retires a node: it finishes what runs and leaves. Resolves when it has gone; `onWait` is told what
   * hinders it whenever that changes. Rejects with `no-such-node`, and with `actor-pinned` where an actor
   * would be lost that can be neither moved nor restarted. */
  drain(node: string, options?: DrainOptions): Promise<void>;
}

export interface InspectorTools {
  readonly tell: (message: ToScheduler) => void;
  /** Runs `body` within the wait's limits. */
  readonly within: <R>(
    what: string,
    options: WaitOptions,
    body: (signal: AbortSignal) => Promise<R>,
  ) => Promise<R>;
}

export class ClientInspector implements Inspector {
  readonly #tools: InspectorTools;
  readonly #asked = new Map<
    number,
    { readonly asked: Question; readonly resolve: (answer: Answer) => void }
  >();
  #last = 0;

  constructor(tools: InspectorTools) {
    this.#tools = tools;
  }

  overview(options: WaitOptions = {}): Promise<Overview> {
    return this.#tools.within('overview', options, async (signal) => {
      return (await this.#ask({ type: 'ask-overview' }, 'overview', signal)).overview;
    });
  }

  task(task: string, options: WaitOptions = {}): Promise<TaskReport> {
    return this.#tools.within('task', options, async (signal) => {
      const { key, explanation, story } = await this.#ask({ type: 'ask-task', task }, 'task-told', signal);
      return { key, explanation, story };
    });
  }

  cancel(task: string, options: WaitOptions = {}) {
    return this.#tools.within('cancel', options, async (signal) => {
      const answer = await this.#ask({ type: 'cancel-task', task }, 'task-cancelled', signal);
      return { key: answer.key, cancelled: answer.cancelled };
    });
  }

  drain(node: string, options: DrainOptions = {}): Promise<void> {
    return this.#tools.within('drain', options, async (signal) => {
      let told: string | undefined;
      const force = options.force === undefined ? {} : { force: options.force };
      for (let known = false; ; known = true) {
        let answer: Extract<Answer, { type: 'node-leaves' }>;
        try {
          answer = await this.#ask({ type: 'drain-node', node, ...force }, 'node-leaves', signal);
        } catch (error) {
          // Known a moment ago, and not any more: it has gone.
          if (known && (error as Partial<AsperitasError>).code === 'no-such-node') return;
          throw error;
        }
        if (answer.gone) return;
        const said = answer.hinders.join('; ');
        if (said !== told) options.onWait?.(answer.hinders);
        told = said;
        await sleep(clientLimits.drainPollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    });
  }

  /** Answers may have been lost with a connection. To ask twice does no harm. */
  askAgain(): void {
    for (const { asked } of this.#asked.values()) this.#tools.tell(asked);
  }

  answer(message: Answer): void {
    const waiting = this.#asked.get(message.question);
    this.#asked.delete(message.question);
    waiting?.resolve(message);
  }

  async #ask<T extends Answer['type']>(
    asked: Asked,
    wanted: T,
    signal: AbortSignal,
  ): Promise<Extract<Answer, { type: T }>> {
    const question = ++this.#last;
    let answer: Answer | undefined;
    await until((resolve) => {
      const told = { ...asked, question } as Question;
      const settle = (message: Answer): void => {
        answer = message;
        resolve();
      };
      this.#asked.set(question, { asked: told, resolve: settle });
      this.#tools.tell(told);
      return () => void this.#asked.delete(question);
    }, signal);
    const told = answer as Answer;
    if (told.type === wanted) return told as Extract<Answer, { type: T }>;
    if (told.type !== 'declined') {
      const message = `invalid message: ${told.type} does not answer ${asked.type}`;
      throw new AsperitasError('invalid-message', message, { type: told.type });
    }
    throw new AsperitasError(told.code, told.message, told.thing === undefined ? {} : { thing: told.thing });
  }
}
