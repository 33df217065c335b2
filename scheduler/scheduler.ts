/**
 * Owns the scheduler's shell: it listens, checks who connects and what they say, feeds the core one event
 * after the other with the time, and carries out what the core asks for. Must not know: what any event means
 * (scheduler-core.ts).
 */
import {
  AsperitasError,
  type ClientId,
  type Connection,
  type Listener,
  type Log,
  type Millis,
  millis,
  type NodeId,
  type Transport,
  type WireMessage,
  webSocketTransport,
} from '../runtime/index.ts';
import { checkName, checkSameRole, checkSecret, digestOf, sayFarewell } from './admission.ts';
import { defectReport } from './defect-report.ts';
import { Guard } from './guard.ts';
import { check } from './invariants.ts';
import type { Journal } from './journal/journal.ts';
import { forgetfulJournal } from './journal/memory.ts';
import { snapshotOf } from './journal-core.ts';
import { decodeRecord } from './journal-records.ts';
import { limits } from './limits.ts';
import { Outbox } from './outbox.ts';
import { checkPermission, isClientRole } from './permissions.ts';
import { clientInfo, FromNode, nodeInfo, type ToClient, type ToNode, ToScheduler } from './protocol.ts';
import { Recorder } from './recorder.ts';
import { handle } from './scheduler-core.ts';
import { SchedulerLog } from './scheduler-log.ts';
import { SchedulerPages } from './scheduler-pages.ts';
import {
  createState,
  type Instruction,
  type SchedulerEvent,
  type SchedulerState,
} from './scheduler-state.ts';
import { SpanExporter, type SpanOptions } from './span-export.ts';
import { isUnfinished } from './walks-state.ts';

export interface SchedulerOptions {
  /** Loopback unless told otherwise; 0 or absent: any free port. */
  readonly host?: string;
  readonly port?: number;
  /** The secret of the cluster, of which nodes and clients must prove to hold the key of their role. */
  readonly token: string;
  /** A task that was on so many nodes when they died is taken for their killer and fails; 3 unless told. */
  readonly allowedFailures?: number;
  /** Listens on a routable address though nothing is encrypted. */
  readonly insecure?: boolean;
  /** Where what clients intend is kept for the next scheduler, which loses nothing then; it is closed in the
   * end. Without one, clients must ask again. */
  readonly journal?: Journal;
  /** Where it is written down who submitted what and what was refused; nowhere unless told. */
  readonly auditFile?: string | undefined;
  /** Verifies the whole state after every turn and stops at the first flaw; takes time with its size. */
  readonly check?: boolean;
  readonly transport?: Transport;
  /** A loopback port for `/health` and `/metrics`, 0 for any free one; none unless told. */
  readonly httpPort?: number;
  /** Told of comings, goings, refusals and slow turns. */
  readonly log?: Log | undefined;
  /** Where a span for each run is sent, for OpenTelemetry; nowhere unless told. */
  readonly spans?: SpanOptions | undefined;
  /** Closes the scheduler when it fires. */
  readonly signal?: AbortSignal;
}

export interface RunningScheduler {
  /** Where nodes and clients dial. */
  readonly url: string;
  /** Where `/health` and `/metrics` are served, if they are. */
  readonly httpUrl: string | undefined;
  /** Resolves when the scheduler has ended, by `close` or because a client asked for a shutdown. Rejects with
   * `scheduler-failed` when it stopped at a defect of its own. */
  readonly closed: Promise<void>;
  /** Takes leave of nodes and clients, and ends; settles as `closed` does. What runs on nodes is not waited
   * for: a client's `shutdown` does that. */
  close(): Promise<void>;
}

/** One kind of peer: how what it says becomes events. */
interface Role<Id extends string, M extends FromNode | ToScheduler> {
  readonly peers: Map<Id, Connection>;
  /** Throws for what is no message, and for what this peer may not say. */
  readonly parse: (raw: unknown, connection: Connection) => M;
  readonly said: (id: Id, message: M) => SchedulerEvent;
  /** `broken`: its connection ended without a farewell. */
  readonly lost: (id: Id, why: { readonly reason: string; readonly broken: boolean }) => SchedulerEvent;
}

/** Milliseconds that never go back and can still be read as a time of day. */
function clock(): Millis {
  return millis(Math.round(performance.timeOrigin + performance.now()));
}

function lineOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class Shell implements RunningScheduler {
  readonly closed: Promise<void>;
  readonly #state: SchedulerState;
  readonly #options: SchedulerOptions;
  readonly #nodes: Role<NodeId, FromNode> = {
    peers: new Map(),
    parse: FromNode.parse,
    said: (node, message) => ({ type: 'from-node', node, message }),
    lost: (node, { reason, broken }) => ({ type: broken ? 'node-cut' : 'node-lost', node, reason }),
  };
  readonly #clients: Role<ClientId, ToScheduler> = {
    peers: new Map(),
    parse: (raw, { hello }) => {
      const message = ToScheduler.parse(raw);
      checkPermission(hello.role, message.type);
      return message;
    },
    said: (client, message) => ({ type: 'from-client', client, message }),
    lost: (client, { broken }) => ({ type: 'client-lost', client, broken }),
  };
  readonly #log: SchedulerLog;
  readonly #journal: Journal;
  readonly #recorder: Recorder;
  readonly #guard: Guard;
  readonly #outbox = new Outbox();
  #listener: Listener | undefined;
  #pages: SchedulerPages | undefined;
  readonly #spans: SpanExporter | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #turnEnds = false;
  #ending = false;
  #settle!: { readonly resolve: () => void; readonly reject: (error: Error) => void };

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#journal = options.journal ?? forgetfulJournal();
    this.#state = createState(this.#journal.epoch * limits.runsPerEpoch);
    this.#recorder = new Recorder({
      journal: this.#journal,
      onDurable: (through) => this.#feed({ type: 'recorded', through }),
      onLost: (error) => this.#end(error),
      snapshot: () => snapshotOf(this.#state),
    });
    this.#state.allowedFailures = options.allowedFailures ?? this.#state.allowedFailures;
    this.#log = new SchedulerLog(options.log);
    const { spans, log } = options;
    this.#spans = spans === undefined ? undefined : new SpanExporter(spans, log);
    this.#guard = new Guard(options.auditFile, this.#state, this.#log);
    this.closed = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  get url(): string {
    return this.#listener!.url;
  }

  get httpUrl(): string | undefined {
    return this.#pages?.url;
  }

  /** Takes in what an earlier scheduler left. */
  async recover(): Promise<void> {
    for await (const bytes of this.#journal.read()) {
      this.#recorder.found(bytes.byteLength);
      handle(this.#state, { type: 'record-replayed', record: decodeRecord(bytes) }, clock());
    }
    handle(this.#state, { type: 'journal-replayed' }, clock());
  }

  async listen(): Promise<void> {
    const { host, port, token, signal, insecure, httpPort, transport = webSocketTransport } = this.#options;
    this.#listener = await transport.listen({
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port }),
      token,
      insecure,
      hello: { role: 'scheduler' },
      onConnection: (connection) => this.#welcome(connection),
      maxBatchBytes: limits.controlBytes,
      onRefused: (address, why) => this.#guard.turnedAway(address, why),
    });
    if (httpPort !== undefined) await this.#openPages(httpPort);
    this.#log.started(this.url);
    this.#guard.started(this.url);
    this.#ticker = setInterval(() => {
      this.#log.ticked();
      this.#spans?.look(this.#state);
      this.#feed({ type: 'ticked' });
    }, limits.tickMs);
    signal?.addEventListener('abort', () => void this.close(), { once: true });
    if (signal?.aborted) void this.close();
  }

  async #openPages(port: number): Promise<void> {
    const [state, ending] = [this.#state, () => this.#ending];
    try {
      this.#pages = await SchedulerPages.open({ port, state, ending });
    } catch (error) {
      await this.#listener!.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#end(undefined);
    await this.closed;
  }

  #end(error: AsperitasError | undefined): void {
    if (this.#ending) return;
    this.#ending = true;
    clearInterval(this.#ticker);
    const { resolve, reject } = this.#settle;
    const settle = async (): Promise<void> => {
      await this.#recorder.close().catch(() => undefined);
      this.#guard.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    if (this.#journal.forgetful === true || this.#state.stopped) sayFarewell(this.#clients.peers.values());
    // Closing the listener sends what is queued to every peer, and says that it closes.
    this.#log.ended(error);
    void this.#pages?.close();
    this.#spans?.look(this.#state);
    const leaving = [this.#listener!.close(), this.#spans?.close()];
    void Promise.all(leaving).then(settle, settle);
  }

  #welcome(connection: Connection): void {
    try {
      const { hello } = connection;
      if (hello.role === 'node') {
        const info = nodeInfo.parse(hello, 'hello');
        checkName(info, this.#state.nodes.get(info.node));
        this.#guard.admitNode(info, connection);
        this.#join(this.#nodes, connection, { id: info.node, event: { type: 'node-joined', info } });
      } else if (isClientRole(hello.role)) {
        const { client, role, secret, modules } = clientInfo.parse(hello, 'hello');
        const digest = digestOf(secret);
        checkSameRole(client, role, this.#clients.peers.get(client));
        checkSecret(client, digest, this.#state.clients.get(client)?.secret);
        this.#guard.admitClient(client, modules, connection);
        const event = { type: 'client-joined', client, secret: digest } as const;
        this.#join(this.#clients, connection, { id: client, event });
      } else {
        const message = 'invalid message: hello.role must be node, client, observer or admin';
        throw new AsperitasError('invalid-message', message, { path: 'hello.role' });
      }
    } catch (error) {
      this.#guard.refuse(connection, error);
    }
  }

  /** Takes a peer in. Its name stands for this connection from now on: what a former one still says is about
   * a life that has ended. */
  #join<Id extends string, M extends FromNode | ToScheduler>(
    role: Role<Id, M>,
    connection: Connection,
    { id, event }: { readonly id: Id; readonly event: SchedulerEvent },
  ): void {
    const former = role.peers.get(id);
    role.peers.set(id, connection);
    former?.close(`${id} has connected anew`);
    this.#log.happened(event);
    this.#feed(event);
    connection.onMessage((raw) => this.#receive(role, { id, connection, raw }));
    void connection.closed.then((error) => {
      const reason = error?.message ?? 'its connection closed';
      this.#part(role, { id, connection, reason, broken: error !== undefined });
    });
  }

  #receive<Id extends string, M extends FromNode | ToScheduler>(
    role: Role<Id, M>,
    from: { readonly id: Id; readonly connection: Connection; readonly raw: WireMessage },
  ): void {
    if (role.peers.get(from.id) !== from.connection) return;
    let message: M;
    try {
      message = role.parse(from.raw, from.connection);
    } catch (error) {
      // A peer that breaks the protocol can't be followed any further; nobody else is concerned.
      this.#guard.refuse(from.connection, error);
      this.#part(role, { ...from, reason: lineOf(error), broken: false });
      return;
    }
    this.#guard.heard(from.id, from.connection, message);
    this.#feed(role.said(from.id, message));
  }

  #part<Id extends string, M extends FromNode | ToScheduler>(
    role: Role<Id, M>,
    from: {
      readonly id: Id;
      readonly connection: Connection;
      readonly reason: string;
      readonly broken: boolean;
    },
  ): void {
    if (role.peers.get(from.id) !== from.connection) return;
    role.peers.delete(from.id);
    this.#guard.left(from.id, from.connection, from.reason);
    from.connection.close(from.reason);
    const event = role.lost(from.id, from);
    if (!this.#ending) this.#log.happened(event);
    this.#feed(event);
  }

  #feed(event: SchedulerEvent): void {
    if (this.#ending) return;
    const startMs = this.#pages === undefined ? 0 : performance.now();
    try {
      for (const instruction of handle(this.#state, event, clock())) this.#carryOut(instruction);
      this.#pages?.count(performance.now() - startMs);
    } catch (error) {
      this.#stopAtDefect(error);
      return;
    }
    if (event.type === 'drained' || event.type === 'recorded' || this.#turnEnds) return;
    this.#endTurnSoon();
  }

  /** Placement sees all that came in this turn of the event loop at once. */
  #endTurnSoon(): void {
    this.#turnEnds = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#turnEnds = false;
    this.#feed({ type: 'drained' });
    this.#recorder.flush();
    this.#outbox.flush();
    if (isUnfinished(this.#state) && !this.#ending) this.#endTurnSoon();
    if (this.#options.check !== true || this.#ending) return;
    const wrong = check(this.#state);
    if (wrong.length > 0) this.#stopAtDefect(new Error(`broken invariants: ${wrong.join('; ')}`));
  }

  #carryOut(instruction: Instruction): void {
    switch (instruction.type) {
      case 'send':
        this.#send(instruction.to, instruction.message);
        return;
      case 'notify':
        this.#notify(instruction.client, instruction.message);
        return;
      case 'record':
        this.#recorder.take(instruction.record);
        return;
      case 'disconnect': {
        // The core has given it up already: there is nothing to tell it.
        const connection = this.#nodes.peers.get(instruction.node);
        this.#nodes.peers.delete(instruction.node);
        if (connection !== undefined) this.#guard.left(instruction.node, connection, instruction.reason);
        this.#log.nodeLost(instruction.node, instruction.reason);
        connection?.close(instruction.reason);
        return;
      }
      case 'stop':
        this.#end(undefined);
    }
  }

  /** What a node gives up is gone: the reason must outlive this scheduler. */
  #send(to: NodeId, message: ToNode): void {
    const send = (): void => this.#outbox.send(this.#nodes.peers.get(to), message);
    if (message.type === 'drop' || message.type === 'abort') this.#recorder.after(send);
    else send();
  }

  #notify(client: ClientId, message: ToClient): void {
    const connection = this.#clients.peers.get(client);
    if (connection === undefined) return;
    this.#outbox.send(connection, message);
    if (connection.bufferedBytes <= limits.backlogBytes) return;
    const reason = `${client} does not read: ${connection.bufferedBytes} bytes wait for it`;
    setImmediate(() => this.#part(this.#clients, { id: client, connection, reason, broken: false }));
  }

  #stopAtDefect(found: unknown): void {
    process.stderr.write(defectReport(this.#state, found));
    const message = `the scheduler stopped at a defect of its own: ${lineOf(found)}`;
    this.#end(new AsperitasError('scheduler-failed', message, {}, { cause: found }));
  }
}

/** Starts a scheduler in this process, which goes on where the last one of its journal ended. Rejects with
 * `cannot-listen`, `insecure-bind` or `weak-token`. */
export async function startScheduler(options: SchedulerOptions): Promise<RunningScheduler> {
  const shell = new Shell(options);
  await shell.recover();
  await shell.listen();
  return shell;
}
