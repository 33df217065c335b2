/**
 * Owns a client's connection to the scheduler: how it is made, and made again when it breaks or the scheduler
 * is replaced; what was said and may be lost is said again, so that it counts once. Its end, which happens
 * once. Must not know: what is asked for, or what an answer means.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AsperitasError,
  type Connection,
  clientId,
  dialAny,
  fromWireError,
  isAsperitasError,
  roleOf,
  type Transport,
  webSocketTransport,
} from '../runtime/index.ts';
import type { WaitOptions } from './cluster.ts';
import { Intents, isIntent } from './intents.ts';
import { clientLimits } from './limits.ts';
import type { ClientRole } from './permissions.ts';
import { ToClient, type ToScheduler } from './protocol.ts';
import type { TaskHints } from './task.ts';

export interface ConnectOptions extends WaitOptions {
  /** Makes one task of a chain of tasks, each made from the one before it alone; true unless told. The last
   * one's result is the only one that is then to be had. */
  readonly fuse?: boolean;
  /** For tasks that have none of their own. */
  readonly hints?: TaskHints;
  /** Called when a wait of this client begins; returns what is called when it ends. */
  readonly onWait?: () => () => void;
  /** The secret that the scheduler was started with, or a token for a role. */
  readonly token: string;
  /** As whom to act: the role that the token is for, or with the secret, which allows all, an admin. */
  readonly role?: ClientRole;
  /** Digests of the modules that the nodes must have, by name: `module-mismatch` where they have others. */
  readonly modules?: Readonly<Record<string, string>>;
  readonly transport?: Transport;
  /** How long a scheduler that is gone is looked for before everything rejects with `scheduler-lost`; two
   * minutes unless told, 0: not at all. */
  readonly reconnectMs?: number;
}

type Welcome = Extract<ToClient, { readonly type: 'welcome' }>;
/** Everything a scheduler says that is not about the connection itself. */
export type SchedulerNews = Exclude<ToClient, { readonly type: 'refused' | 'welcome' | 'accepted' }>;

export interface ConnectionEars {
  readonly onNews: (news: SchedulerNews) => void;
  /** A scheduler is there again. `known`: it has all that was asked for; else it knows nothing of it. Words
   * may have been lost. */
  readonly onReturn: (known: boolean) => void;
  /** The scheduler is gone for good: called once, with `scheduler-lost`. */
  readonly onLost: (error: AsperitasError) => void;
}

/** The scheduler will not have this client: asking again is of no use. */
class Refusal {
  readonly error: Error;
  constructor(error: Error) {
    this.error = error;
  }
}

export class ClientConnection {
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #hello;
  readonly #intents = new Intents();
  readonly #stop = new AbortController();
  /** Resolves when nothing more will come. */
  readonly closed: Promise<void>;
  #close!: () => void;
  /** None while it is broken. */
  #connection: Connection | undefined;
  #epoch = 0;
  #life = 0;
  #parting = false;
  #holds = true;
  #ears: ConnectionEars | undefined;
  #lost: AsperitasError | undefined;

  private constructor(url: string, options: ConnectOptions) {
    this.#url = url;
    this.#options = options;
    const { token, role, modules } = options;
    const client = clientId(randomUUID());
    this.#hello = {
      role: role ?? roleOf(token) ?? 'admin',
      client,
      secret: randomUUID(),
      ...(modules === undefined ? {} : { modules }),
    };
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
  }

  /** Rejects with `unreachable`, `wrong-token`, `not-a-scheduler`, `timeout` or `aborted`, or with what the
   * scheduler has against this client. */
  static async dial(url: string, options: ConnectOptions): Promise<ClientConnection> {
    const made = new ClientConnection(url, options);
    try {
      await made.#join(options, () => undefined);
    } catch (error) {
      throw error instanceof Refusal ? error.error : error;
    }
    return made;
  }

  /** Begins to deliver. */
  listen(ears: ConnectionEars): void {
    this.#ears = ears;
    if (this.#lost !== undefined) ears.onLost(this.#lost);
  }

  /** Why nothing more will come, once that is so. */
  get lost(): AsperitasError | undefined {
    return this.#lost;
  }

  /** Counts how often the scheduler was found to know nothing of this client. */
  get life(): number {
    return this.#life;
  }

  /** Intents reach a scheduler and count once, now or when one is there again. Other words are lost while
   * there is none. */
  send(message: ToScheduler): void {
    if (this.#lost !== undefined) return;
    if (isIntent(message)) this.#intents.add(message);
    if (message.type === 'shutdown') this.#parting = true;
    this.#connection?.send(message);
  }

  /** Lets what was said leave now, rather than at the end of the turn. */
  flush(): void {
    this.#connection?.flush();
  }

  /** Whether it keeps the process from ending: while something is waited for. */
  hold(active: boolean): void {
    this.#holds = active;
    this.#connection?.hold?.(active);
  }

  /** Waits while much of what was sent has not left yet. */
  async drained(signal: AbortSignal): Promise<void> {
    await this.#connection?.drained(signal);
  }

  /** Says farewell, and takes the scheduler for lost. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#lose('this client was closed', undefined);
    this.hold(true);
    connection?.close('the client closes');
    await connection?.closed;
  }

  /** Dials; resolves when the scheduler has welcomed this client, after `onWelcome`. */
  async #join(wait: WaitOptions, onWelcome: (welcome: Welcome) => void): Promise<void> {
    const { token, transport = webSocketTransport } = this.#options;
    const { signal = this.#stop.signal, timeoutMs } = wait;
    const options = { token, hello: this.#hello, signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    const connection = await dialAny(this.#url, (url) => transport.dial(url, options));
    checkRole(this.#url, connection);
    const deadline = AbortSignal.timeout(timeoutMs ?? clientLimits.welcomeMs);
    try {
      await this.#greeting(connection, { signal: AbortSignal.any([signal, deadline]), onWelcome });
    } catch (error) {
      connection.close('no welcome came');
      throw error;
    }
  }

  /** Takes in everything that comes over a new connection; resolves with its first word, the welcome. */
  #greeting(
    connection: Connection,
    { signal, onWelcome }: { readonly signal: AbortSignal; readonly onWelcome: (welcome: Welcome) => void },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const url = this.#url;
      const silent = `the scheduler at ${url} did not welcome this client`;
      const fail = (cause?: unknown): void => {
        reject(new AsperitasError('unreachable', silent, { url }, { cause }));
      };
      signal.addEventListener('abort', () => fail(signal.reason), { once: true });
      connection.onMessage((raw) => {
        let message: ToClient;
        try {
          message = ToClient.parse(raw);
        } catch (error) {
          reject(new Refusal(error as Error));
          if (this.#connection === connection) this.#lose('the scheduler sent a message that is none', error);
          connection.close('protocol error');
          return;
        }
        if (message.type === 'welcome') {
          // Its successor has been heard already: what this one says is about a life that has ended.
          if (signal.aborted || message.epoch < this.#epoch) return fail();
          this.#epoch = message.epoch;
          this.#connection = connection;
          connection.hold?.(this.#holds);
          onWelcome(message);
          resolve();
        } else if (message.type === 'refused') {
          const error = fromWireError(message.error);
          reject(new Refusal(error));
          if (this.#connection === connection) this.#lose('the scheduler refused this client', error);
        } else if (this.#connection === connection) {
          this.#hear(message);
        }
      });
      void connection.closed.then((error) => {
        fail(error);
        this.#onClosed(connection, error);
      });
    });
  }

  #hear(message: Exclude<ToClient, { readonly type: 'welcome' | 'refused' }>): void {
    if (message.type === 'accepted') this.#intents.accept(message.through);
    else this.#ears?.onNews(message);
  }

  #onClosed(connection: Connection, error: AsperitasError | undefined): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#lost !== undefined) return;
    const { reconnectMs = clientLimits.reconnectMs } = this.#options;
    if (this.#parting || reconnectMs <= 0) this.#lose('the connection to the scheduler has ended', error);
    else void this.#findAgain(reconnectMs);
  }

  async #findAgain(reconnectMs: number): Promise<void> {
    const { signal } = this.#stop;
    const untilMs = performance.now() + reconnectMs;
    let pauseMs: number = clientLimits.reconnectFirstMs;
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal, ref: this.#holds }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#join({}, (welcome) => this.#resume(welcome));
        return;
      } catch (cause) {
        const useless = cause instanceof Refusal || isAsperitasError(cause, 'wrong-token');
        if (useless || performance.now() > untilMs) {
          this.#lose('the scheduler was not found again', cause instanceof Refusal ? cause.error : cause);
        }
      }
      pauseMs = Math.min(2 * pauseMs, clientLimits.reconnectLastMs);
    }
  }

  /** Says again what the scheduler has not heard, before anything else. */
  #resume({ known, heard }: Welcome): void {
    const again = known ? this.#intents.after(heard) : undefined;
    if (again === undefined) {
      this.#intents.forget(heard);
      this.#life++;
    }
    for (const message of again ?? []) this.#connection?.send(message);
    this.#ears?.onReturn(again !== undefined);
  }

  #lose(why: string, cause: unknown): void {
    if (this.#lost !== undefined) return;
    const detail = cause instanceof Error ? ` (${cause.message})` : '';
    const options = cause === undefined ? {} : { cause };
    this.#lost = new AsperitasError('scheduler-lost', `${why}${detail}`, {}, options);
    this.#stop.abort();
    this.#close();
    this.#ears?.onLost(this.#lost);
  }
}

function checkRole(url: string, connection: Connection): void {
  if (connection.hello.role === 'scheduler') return;
  connection.close('a scheduler was expected');
  const role = String(connection.hello.role).slice(0, 40);
  const message = `${url} is the address of a ${role}, not of a scheduler: check the address`;
  throw new AsperitasError('not-a-scheduler', message, { url, role });
}
