/**
 * Owns a node: its store, threads, devices and data connections, put together around a worker, and the
 * connection to the scheduler, which is dialled again when it is lost. Must not know: command lines.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AsperitasError,
  type Connection,
  dialAny,
  isAsperitasError,
  type Listener,
  type Log,
  nodeId,
  roleToken,
  siteName,
  type TlsPaths,
  type Transport,
  taskKey,
  type WireMessage,
  webSocketTransport,
} from '../runtime/index.ts';
import { tokenRoles } from '../scheduler/index.ts';
import type { NodeInfo } from '../scheduler/protocol.ts';
import { serveCaller } from './actor-door.ts';
import { ActorHost } from './actor-host.ts';
import { Fetcher } from './fetcher.ts';
import { limits } from './limits.ts';
import { versionsOf } from './module-digest.ts';
import type { NodeFigures } from './node-pages.ts';
import { PushDesk } from './push-desk.ts';
import { Runner } from './runner.ts';
import { Store } from './store.ts';
import { serveData } from './transfer.ts';
import { Worker } from './worker.ts';

export interface NodeOptions {
  readonly scheduler: string;
  readonly token: string;
  readonly name: string;
  readonly site: string;
  readonly threads: number;
  readonly memoryBytes: number;
  /** The folder whose files tasks may read. */
  readonly data: string | undefined;
  /** Where data are spilled that memory can't hold, in a folder of this process. */
  readonly spillFolder: string;
  /** URLs of the modules that declare tasks. */
  readonly modules: readonly string[];
  /** Names of devices, each with a host of its own. */
  readonly devices: readonly string[];
  /** Where data connections are accepted: loopback and any free port unless told otherwise. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** Listens on a routable address though nothing is encrypted. */
  readonly insecure?: boolean | undefined;
  /** The host under which others reach it, where that is not `host`. */
  readonly advertise: string | undefined;
  /** How it listens and dials: unencrypted unless told. */
  readonly transport?: Transport;
  /** The certificates of that, for tasks that submit tasks. */
  readonly tls?: TlsPaths | undefined;
  /** Variables of the environment that tasks need beside the usual ones. */
  readonly env?: readonly string[];
  /** Told of what an operator would want to know. */
  readonly log: Log;
}

/** A node at work. */
export class NodeAgent {
  readonly info: NodeInfo;
  /** Resolves when the node has left; rejects when it can't go on: `scheduler-lost`, or what the scheduler
   * has against it, such as `name-taken`. */
  readonly ended: Promise<void>;
  readonly #options: NodeOptions;
  readonly #parts: {
    readonly store: Store;
    readonly runner: Runner;
    readonly fetcher: Fetcher;
    readonly actors: ActorHost;
  };
  readonly #listener: Listener;
  readonly #worker: Worker;
  readonly #stop = new AbortController();
  readonly #served: Served;
  #connection: Connection | undefined;
  #settle!: { readonly resolve: () => void; readonly reject: (error: Error) => void };

  private constructor(
    options: NodeOptions,
    info: NodeInfo,
    parts: {
      readonly store: Store;
      readonly runner: Runner;
      readonly fetcher: Fetcher;
      readonly actors: ActorHost;
      readonly listener: Listener;
      readonly served: Served;
    },
  ) {
    this.#options = options;
    this.info = info;
    this.#parts = parts;
    this.#listener = parts.listener;
    this.#served = parts.served;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ended.catch(() => undefined);
    const onLeave = (error: Error | undefined): void => {
      if (error !== undefined) this.#settle.reject(error);
      void this.close();
    };
    this.#worker = new Worker({ info, ...parts, onLeave });
  }

  /** Starts a node and resolves when the scheduler has welcomed it.
   * @throws AsperitasError what the scheduler has against it, such as `name-taken`; `unreachable`,
   *   `wrong-token`, `cannot-listen`, `insecure-bind`, `weak-token`, `module-not-loaded` */
  static async start(options: NodeOptions): Promise<NodeAgent> {
    const { token, name, memoryBytes, transport = webSocketTransport } = options;
    const versions = await versionsOf(options.modules);
    let agent: NodeAgent | undefined;
    const store = Store.open({
      memoryBytes,
      folder: options.spillFolder,
      onLost: (key) => {
        if (agent !== undefined) agent.#worker.onLost(taskKey(key));
      },
      onPressure: (pressed) => {
        if (agent !== undefined) agent.#worker.onPressure(pressed);
      },
    });
    const fetcher = new Fetcher({ token, node: name, transport });
    // Tasks get no more than they need to submit tasks, whatever the node itself may do.
    const forThreads = { token: roleToken(token, tokenRoles.client), digests: versions.byUrl };
    const runner = await Runner.start({ ...options, node: name, ...forThreads });
    const onCount = (living: number): void => {
      if (agent !== undefined) agent.#worker.onActors(living);
    };
    const actors = new ActorHost({ ...options, node: name, ...forThreads, onCount });
    try {
      const served: Served = { served: 0, servedBytes: 0 };
      const onServed = (_key: string, bytes: number): void => {
        served.served++;
        served.servedBytes += bytes;
      };
      const desk = new PushDesk({
        node: name,
        memoryBytes,
        relieved: (signal) => store.relieved(signal),
        take: (key, parts) => (agent === undefined ? false : agent.#worker.take(key, parts)),
      });
      const listener = await listenForData(options, (connection) => {
        const { role } = connection.hello;
        if (role === 'caller') serveCaller(connection, actors);
        else if (role === 'data') serveData(connection, store, { onServed });
        else if (role === 'client') desk.serve(connection);
        else connection.close('a node has nothing for this role');
      });
      const parts = { store, runner, fetcher, actors, listener, served };
      const info = { ...infoOf(options, listener.url), modules: versions.byName };
      agent = new NodeAgent(options, info, parts);
      void agent.#keepConnected(await agent.#join());
      return agent;
    } catch (error) {
      if (agent === undefined) await Promise.all([runner.close(), fetcher.close(), store.close()]);
      else await agent.close();
      throw error;
    }
  }

  figures(): NodeFigures {
    const { store, fetcher } = this.#parts;
    const { node, site, threads, memoryBytes } = this.info;
    const { storedBytes, memoryUsedBytes, spilledBytes, pressed } = store;
    const { links, fetches, fetchedBytes } = fetcher;
    const stored = { storedBytes, memoryUsedBytes, spilledBytes, pressed };
    const moved = { links, fetches, fetchedBytes, ...this.#served };
    return { node, site, threads, memoryBytes, ...this.#worker.figures(), ...stored, ...moved };
  }

  /** Finishes what runs, then leaves; `ended` resolves then. */
  retire(): void {
    this.#worker.retire();
  }

  /** Gives up what runs and leaves. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#worker.close();
    this.#connection?.close('the node leaves');
    const { store, runner, fetcher, actors } = this.#parts;
    actors.close();
    await Promise.allSettled([this.#listener.close(), runner.close(), fetcher.close()]);
    await store.close();
    this.#settle.resolve();
  }

  /** Dials, and resolves when the scheduler has welcomed this node; `over` then resolves when the connection
   * has ended. */
  async #join(): Promise<{ readonly over: Promise<void> }> {
    const { scheduler, token, transport = webSocketTransport } = this.#options;
    const { signal } = this.#stop;
    const hello = this.info as unknown as WireMessage;
    const connection = await dialAny(scheduler, (url) => transport.dial(url, { token, hello, signal }));
    this.#connection = connection;
    let over!: Promise<void>;
    const welcomed = new Promise<boolean>((resolve) => {
      over = this.#worker.serve(connection, () => resolve(true));
    });
    const late = new AbortController();
    const silence = sleep(limits.welcomeMs, false, { signal: late.signal }).catch(() => false);
    const ended = this.ended.then(() => false);
    const welcome = await Promise.race([welcomed, ended, over.then(() => false), silence]);
    late.abort();
    if (welcome) return { over };
    connection.close('no welcome came');
    throw new AsperitasError('unreachable', `the scheduler at ${scheduler} did not welcome this node`, {
      url: scheduler,
    });
  }

  /** Works over one connection after the other. */
  async #keepConnected(first: { readonly over: Promise<void> }): Promise<void> {
    let joined: { readonly over: Promise<void> } | undefined = first;
    while (joined !== undefined && !this.#stop.signal.aborted) {
      await joined.over;
      this.#connection = undefined;
      if (this.#stop.signal.aborted) return;
      const { log, scheduler } = this.#options;
      const text = `the scheduler at ${scheduler} is gone; looking for it again`;
      log({ level: 'warn', event: 'scheduler-lost', text });
      joined = await this.#findAgain();
    }
  }

  async #findAgain(): Promise<{ readonly over: Promise<void> } | undefined> {
    const { scheduler, log } = this.#options;
    const untilMs = performance.now() + limits.reconnectMs;
    let pauseMs: number = limits.reconnectFirstMs;
    for (;;) {
      await sleep(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return undefined;
      try {
        const joined = await this.#join();
        const text = `found the scheduler at ${scheduler} again`;
        log({ level: 'info', event: 'scheduler-found', text });
        return joined;
      } catch (cause) {
        if (this.#stop.signal.aborted) return undefined;
        if (performance.now() > untilMs || isAsperitasError(cause, 'wrong-token')) {
          const message = `the scheduler at ${scheduler} was lost and not found again`;
          this.#settle.reject(new AsperitasError('scheduler-lost', message, { url: scheduler }, { cause }));
          await this.close();
          return undefined;
        }
        pauseMs = Math.min(2 * pauseMs, limits.reconnectLastMs);
      }
    }
  }
}

/** What was sent to others. */
interface Served {
  served: number;
  servedBytes: number;
}

function listenForData(
  options: NodeOptions,
  onConnection: (connection: Connection) => void,
): Promise<Listener> {
  const { token, name, host, port, insecure, transport = webSocketTransport } = options;
  return transport.listen({
    token,
    insecure,
    hello: { role: 'node', node: name },
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    onConnection,
  });
}

function infoOf(options: NodeOptions, url: string): NodeInfo {
  const { name, site, threads, memoryBytes, devices, data, advertise } = options;
  return {
    role: 'node',
    node: nodeId(name),
    site: siteName(site),
    url: advertised(url, advertise),
    threads,
    memoryBytes,
    resources: Object.fromEntries(devices.map((device) => [device, 1])),
    pid: process.pid,
    announces: true,
    ...(data === undefined ? {} : { data }),
  };
}

function advertised(url: string, host: string | undefined): string {
  if (host === undefined) return url;
  const { protocol, port } = new URL(url);
  return `${protocol}//${host.includes(':') ? `[${host}]` : host}:${port}`;
}
