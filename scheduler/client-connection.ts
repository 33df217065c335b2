/**
 * Owns a client's connection to the scheduler: how it is made, what counts as a message, and its loss, which
 * happens once. Must not know: what is asked for, or what an answer means.
 */
import { randomUUID } from 'node:crypto';
import {
  AsperitasError,
  type Connection,
  clientId,
  fromWireError,
  roleOf,
  type Transport,
  webSocketTransport,
} from '../runtime/index.ts';
import type { WaitOptions } from './cluster.ts';
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
  readonly transport?: Transport;
}

/** Everything a scheduler says that is not about the connection itself. */
export type SchedulerNews = Exclude<ToClient, { readonly type: 'refused' }>;

export interface ConnectionEars {
  readonly onNews: (news: SchedulerNews) => void;
  /** The scheduler is gone: called once, with `scheduler-lost`. */
  readonly onLost: (error: AsperitasError) => void;
}

export class ClientConnection {
  readonly #connection: Connection;
  #ears: ConnectionEars | undefined;
  #lost: AsperitasError | undefined;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Rejects with `unreachable`, `wrong-token`, `not-a-scheduler`, `timeout` or `aborted`. */
  static async dial(url: string, options: ConnectOptions): Promise<ClientConnection> {
    const { token, role, signal, timeoutMs, transport = webSocketTransport } = options;
    const connection = await transport.dial(url, {
      token,
      hello: { role: role ?? roleOf(token) ?? 'admin', client: clientId(randomUUID()) },
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
    if (connection.hello.role !== 'scheduler') {
      connection.close('a scheduler was expected');
      const role = String(connection.hello.role).slice(0, 40);
      const message = `${url} is the address of a ${role}, not of a scheduler: check the address`;
      throw new AsperitasError('not-a-scheduler', message, { url, role });
    }
    return new ClientConnection(connection);
  }

  /** Begins to deliver; what came earlier comes first. */
  listen(ears: ConnectionEars): void {
    this.#ears = ears;
    this.#connection.onMessage((raw) => this.#receive(raw));
    void this.#connection.closed.then((error) =>
      this.#lose('the connection to the scheduler has ended', error),
    );
  }

  /** Why nothing more will come, once that is so. */
  get lost(): AsperitasError | undefined {
    return this.#lost;
  }

  /** Resolves when the connection has ended. */
  get closed(): Promise<unknown> {
    return this.#connection.closed;
  }

  send(message: ToScheduler): void {
    this.#connection.send(message);
  }

  /** Whether it keeps the process from ending: while something is waited for. */
  hold(active: boolean): void {
    this.#connection.hold?.(active);
  }

  /** Waits while much of what was sent has not left yet. */
  drained(signal: AbortSignal): Promise<void> {
    return this.#connection.drained(signal);
  }

  /** Says farewell, and takes the scheduler for lost. */
  async close(): Promise<void> {
    this.#lose('this client was closed', undefined);
    this.hold(true);
    this.#connection.close('the client closes');
    await this.#connection.closed;
  }

  #lose(why: string, cause: unknown): void {
    if (this.#lost !== undefined) return;
    const detail = cause instanceof Error ? ` (${cause.message})` : '';
    const options = cause === undefined ? {} : { cause };
    this.#lost = new AsperitasError('scheduler-lost', `${why}${detail}`, {}, options);
    this.#ears?.onLost(this.#lost);
  }

  #receive(raw: unknown): void {
    let message: ToClient;
    try {
      message = ToClient.parse(raw);
    } catch (error) {
      this.#lose('the scheduler sent a message that is none', error);
      this.#connection.close('protocol error');
      return;
    }
    if (message.type === 'refused')
      this.#lose('the scheduler refused this client', fromWireError(message.error));
    else this.#ears?.onNews(message);
  }
}
