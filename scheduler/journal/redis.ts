/**
 * Owns the link to one Redis server: connected anew when it breaks, and what was sent without an answer sent
 * again, so every script that runs here must bear to be run twice. A connection that is lost is thrown away
 * with all that ioredis remembers of it: nothing is queued or sent again behind our back. Must not know: what
 * is kept there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { AsperitasError } from '../../runtime/index.ts';
import { journalLimits } from './limits.ts';

export interface RedisPlace {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly encrypted: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Until when something is tried. */
export interface Persistence {
  /** Given up when it fires, with its reason. */
  readonly signal: AbortSignal;
  /** Give up at the first failure. */
  readonly once?: boolean;
}

type Argument = string | number | Uint8Array;

/** Errors of a server that will answer later. */
const passing = /^(LOADING|BUSY|TRYAGAIN|MASTERDOWN|CLUSTERDOWN)\b/;

const hints: readonly (readonly [RegExp, string])[] = [
  [/^NOAUTH/, 'it wants a password: set ASPERITAS_REDIS_PASSWORD, or write it into the URL'],
  [/^WRONGPASS|^ERR invalid password|^ERR AUTH/, 'it does not take the user or the password'],
  [/^NOPERM/, 'the user may not run scripts (EVAL) or use the keys asperitas:*'],
  [
    /^WRONGTYPE|wrong kind of value/,
    'keys of this cluster name hold something else: choose another --cluster-name',
  ],
  [/^OOM/, 'its memory is full (maxmemory)'],
  [/^MISCONF/, 'it can not write to its disk'],
  [/^READONLY/, 'it is a read-only replica: name the primary'],
  [/^MOVED/, 'it is part of a Redis Cluster, which is not supported'],
];

/** What Redis says, in words of ours where it is something to be acted on. The error itself is not passed on:
 * it holds the words of the command, and so the password. */
function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message.split('\n')[0]! : String(error);
  // A script's error names the script behind the server's own word.
  const plain = text.replace(/^ERR Error running script[^:]*:[^:]*:\d+: /, '').replace(/ script: .*$/, '');
  return hints.find(([pattern]) => pattern.test(plain))?.[1] ?? plain;
}

const isReply = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

export class RedisLink {
  /** The server's address without user and password. */
  readonly url: string;
  readonly #place: RedisPlace;
  readonly #ended = new AbortController();
  #client: Promise<Redis> | undefined;

  constructor(place: RedisPlace) {
    this.#place = place;
    const host = place.host.includes(':') ? `[${place.host}]` : place.host;
    this.url = `${place.encrypted ? 'rediss' : 'redis'}://${host}:${place.port}/${place.database}`;
  }

  /** Sends a command until it is answered; bytes in the answer come as Buffers.
   * @throws AsperitasError `journal-failed` for what the server refuses; `journal-unreachable` with `once`;
   *   else the signal's reason */
  async send(words: readonly [string, ...Argument[]], until: Persistence): Promise<unknown> {
    for (;;) {
      until.signal.throwIfAborted();
      try {
        return await this.#sendOnce(words, until.signal);
      } catch (error) {
        until.signal.throwIfAborted();
        if (isReply(error) && !passing.test((error as Error).message)) throw this.#refused(error);
        if ((until.once === true && !isReply(error)) || this.#ended.signal.aborted)
          throw this.#unreachable(error);
      }
      await sleep(journalLimits.retryPauseMs, undefined, { signal: until.signal }).catch(() => undefined);
    }
  }

  /** Runs a script.
   * @throws as `send` does */
  run(
    lua: string,
    what: { readonly keys: readonly string[]; readonly args: readonly Argument[] },
    until: Persistence,
  ): Promise<unknown> {
    return this.send(['EVAL', lua, what.keys.length, ...what.keys, ...what.args], until);
  }

  close(): void {
    this.#ended.abort();
    void this.#client?.then(
      (client) => client.disconnect(),
      () => undefined,
    );
  }

  async #sendOnce([name, ...args]: readonly [string, ...Argument[]], signal: AbortSignal): Promise<unknown> {
    const connecting = (this.#client ??= this.#connect());
    try {
      const client = await orAborted(connecting, signal);
      const words = args.map((word) => (word instanceof Uint8Array ? Buffer.from(word) : word));
      return await orAborted(client.callBuffer(name, ...words), signal);
    } catch (error) {
      if (!isReply(error) && this.#client === connecting) this.#drop(connecting);
      throw error;
    }
  }

  /** The next command gets a connection of its own. */
  #drop(connecting: Promise<Redis>): void {
    this.#client = undefined;
    void connecting.then(
      (client) => client.disconnect(),
      () => undefined,
    );
  }

  async #connect(): Promise<Redis> {
    const { host, port, database, encrypted, user, password } = this.#place;
    const client = new Redis({
      host,
      port,
      db: database,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...(encrypted ? { tls: { servername: host } } : {}),
      protocol: 2,
      lazyConnect: true,
      retryStrategy: () => null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      connectTimeout: journalLimits.connectMs,
      commandTimeout: journalLimits.answerMs,
      disableClientInfo: true,
    });
    // What goes wrong rejects the command that is under way.
    let said: unknown;
    client.on('error', (error: unknown) => {
      said = error;
    });
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('no answer')), journalLimits.connectMs);
    try {
      await orAborted(client.connect(), late.signal);
      return client;
    } catch (error) {
      client.disconnect();
      throw said ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  #refused(error: unknown): AsperitasError {
    const why = wordsOf(error);
    return new AsperitasError('journal-failed', `${this.url} refuses: ${why}`, { url: this.url, why });
  }

  #unreachable(error: unknown): AsperitasError {
    const why = wordsOf(error);
    const message = `${this.url} can't be reached: ${why}`;
    return new AsperitasError('journal-unreachable', message, { url: this.url, why });
  }
}

/** The promise, or a rejection with the reason when the signal fires first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  // The loser's rejection is nobody's concern.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop!);
  }
}
