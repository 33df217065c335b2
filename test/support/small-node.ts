/**
 * A small real node for tests of the scheduler's and the client's shells: a peer over real sockets that runs
 * task bodies in this process, keeps results in a map and serves them. It has no memory limit, no threads and
 * no spilling; the real node is nodes/agent.ts. Tests can make it misbehave.
 */
import {
  type Connection,
  DataLink,
  type DataReply,
  DataRequest,
  type DatumParts,
  decodePacked,
  decodeValue,
  encodedBytes,
  encodeValue,
  type Listener,
  type NodeId,
  nodeId,
  type RunId,
  siteName,
  type TaskKey,
  toWireError,
  webSocketTransport,
} from '../../runtime/index.ts';
import { bindReferences, connect, taskBody } from '../../scheduler/index.ts';
import {
  type FromNode,
  heartbeatMs,
  type InputLocation,
  type NodeInfo,
  type RunTrace,
  ToNode,
} from '../../scheduler/protocol.ts';

export interface SmallNodeOptions {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly threads?: number;
}

type Compute = Extract<ToNode, { readonly type: 'compute' }>;
type Miss = { readonly key: TaskKey; readonly node: NodeId; readonly reason: 'absent' | 'unreachable' };

/** Its inputs could not be had. */
class InputsMissing extends Error {
  readonly misses: readonly Miss[];
  constructor(misses: readonly Miss[]) {
    super('inputs are missing');
    this.misses = misses;
  }
}

const pieceBytes = 2 ** 20;

export class SmallNode {
  readonly name: string;
  readonly site: string;
  /** Runs begun, by function. */
  readonly counts = new Map<string, number>();
  readonly data = new Map<TaskKey, DatumParts>();
  readonly #options: SmallNodeOptions;
  readonly #runs = new Map<RunId, AbortController>();
  readonly #made = new Map<RunId, TaskKey>();
  readonly #links = new Map<string, Promise<DataLink>>();
  #queue: Compute[] = [];
  #running = 0;
  #retiring = false;
  #connection!: Connection;
  #listener!: Listener;
  #heart: NodeJS.Timeout | undefined;

  /** The site is the letters of the name: `a1` is at `a`. */
  static async start(options: SmallNodeOptions): Promise<SmallNode> {
    const node = new SmallNode(options);
    await node.#open();
    return node;
  }

  private constructor(options: SmallNodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.site = options.name.replace(/\d+$/, '');
  }

  get dataUrl(): string {
    return this.#listener.url;
  }

  get closed(): Promise<unknown> {
    return this.#connection.closed;
  }

  /** The node dies: both its connection and its data are gone. */
  async die(): Promise<void> {
    clearInterval(this.#heart);
    this.#connection.close('died');
    for (const run of this.#runs.values()) run.abort();
    await this.hideData();
    for (const link of this.#links.values()) (await link.catch(() => undefined))?.close();
  }

  /** Nobody can fetch from it any longer, though it lives. */
  async hideData(): Promise<void> {
    await this.#listener.close();
  }

  async #open(): Promise<void> {
    const { url, token, threads = 1 } = this.#options;
    this.#listener = await webSocketTransport.listen({
      token,
      hello: { role: 'node', node: this.name },
      onConnection: (connection) => this.#serve(connection),
    });
    const hello: NodeInfo = {
      role: 'node',
      node: nodeId(this.name),
      site: siteName(this.site),
      url: this.#listener.url,
      threads,
      memoryBytes: 2 ** 30,
      resources: {},
      pid: process.pid,
    };
    this.#connection = await webSocketTransport.dial(url, { token, hello });
    this.#connection.onMessage((raw) => this.#receive(ToNode.parse(raw)));
    void this.#connection.closed.then(() => clearInterval(this.#heart));
    this.#heart = setInterval(() => this.#beat(), heartbeatMs);
  }

  #tell(message: FromNode): void {
    this.#connection.send(message);
  }

  #beat(): void {
    const storedBytes = [...this.data.values()].reduce((sum, parts) => sum + encodedBytes(parts), 0);
    this.#tell({ type: 'heartbeat', storedBytes, rssBytes: 1, running: this.#running });
  }

  #receive(message: ToNode): void {
    switch (message.type) {
      case 'compute':
        this.#queue.push(message);
        this.#queue.sort((a, b) => a.rank - b.rank);
        this.#next();
        return;
      case 'abort':
        this.#queue = this.#queue.filter(({ run }) => run !== message.run);
        this.#runs.get(message.run)?.abort();
        this.data.delete(this.#made.get(message.run) ?? ('' as TaskKey));
        return;
      case 'drop':
        for (const key of message.keys) this.data.delete(key);
        return;
      case 'retire':
        this.#retiring = true;
        this.#queue = [];
        this.#tell({ type: 'retiring' });
        this.#next();
    }
  }

  #next(): void {
    while (this.#running < (this.#options.threads ?? 1) && this.#queue.length > 0) {
      this.#running++;
      void this.#run(this.#queue.shift()!).then(() => {
        this.#running--;
        this.#next();
      });
    }
    if (this.#retiring && this.#running === 0) void this.die();
  }

  async #run(compute: Compute): Promise<void> {
    const { key, run, fn } = compute;
    const startMs = Date.now();
    const control = new AbortController();
    this.#runs.set(run, control);
    this.counts.set(fn, (this.counts.get(fn) ?? 0) + 1);
    this.#tell({ type: 'run-started', key, run });
    const trace = (outcome: RunTrace['outcome']): RunTrace => {
      const where = { node: nodeId(this.name), site: siteName(this.site), thread: 0 };
      return { key, fn, ...where, startMs, endMs: Date.now(), localBytes: 0, remoteBytes: 0, outcome };
    };
    try {
      const parts = encodeValue(await this.#compute(compute, control.signal));
      if (control.signal.aborted) return;
      this.data.set(key, parts);
      this.#made.set(run, key);
      this.#tell({ type: 'run-done', key, run, bytes: encodedBytes(parts), trace: trace('done') });
    } catch (error) {
      if (control.signal.aborted) return;
      if (error instanceof InputsMissing) {
        this.#tell({ type: 'inputs-missing', key, run, inputs: error.misses });
        return;
      }
      const retryable = (error as { readonly code?: string } | undefined)?.code !== 'unknown-task';
      this.#tell({
        type: 'run-failed',
        key,
        run,
        error: toWireError(error),
        retryable,
        trace: trace('failed'),
      });
    } finally {
      this.#runs.delete(run);
    }
  }

  async #compute({ key, fn, args, inputs }: Compute, signal: AbortSignal): Promise<unknown> {
    const parts = await Promise.all(inputs.map((input) => this.#input(input)));
    const values = parts.map(({ header, frames }) => decodeValue(header, frames));
    const bound = bindReferences(decodePacked(args), values) as never[];
    const { url, token } = this.#options;
    const cluster = () => connect(url, { token });
    const context = { key, node: this.name, site: this.site, data: undefined, signal, cluster };
    return taskBody(fn)(context, ...bound);
  }

  async #input({ key, replicas }: InputLocation): Promise<DatumParts> {
    const misses: Miss[] = [];
    for (const { node, url } of replicas) {
      const own = this.data.get(key);
      if (own !== undefined) return own;
      try {
        const startMs = performance.now();
        const parts = await (await this.#link(url)).fetch(key);
        this.data.set(key, parts);
        const fetchMs = performance.now() - startMs;
        this.#tell({ type: 'replica-added', key, bytes: encodedBytes(parts), from: node, fetchMs });
        return parts;
      } catch (error) {
        const absent = (error as { readonly code?: string }).code === 'datum-absent';
        misses.push({ key, node, reason: absent ? 'absent' : 'unreachable' });
      }
    }
    throw new InputsMissing(misses);
  }

  #link(url: string): Promise<DataLink> {
    const known = this.#links.get(url);
    if (known !== undefined) return known;
    const { token } = this.#options;
    const link = webSocketTransport
      .dial(url, { token, hello: { role: 'data' } })
      .then((connection) => new DataLink(connection));
    this.#links.set(url, link);
    const forget = (): void => void this.#links.delete(url);
    link.then(({ closed }) => closed.then(forget), forget);
    return link;
  }

  /** The serving half of a data connection; these tests' data fit the first credit. */
  #serve(connection: Connection): void {
    const tell = (message: DataReply): void => connection.send(message);
    connection.onMessage((raw) => {
      const message = DataRequest.parse(raw);
      if (message.type !== 'fetch') return;
      const { request, key } = message;
      const parts = this.data.get(key as TaskKey);
      if (parts === undefined) {
        tell({ type: 'datum-absent', request, reason: 'not here' });
        return;
      }
      const frameBytes = parts.frames.map(({ byteLength }) => byteLength);
      tell({ type: 'datum-start', request, header: parts.header, frameBytes });
      parts.frames.forEach((bytes, frame) => {
        for (let offset = 0; offset < bytes.byteLength; offset += pieceBytes) {
          const payload = bytes.subarray(offset, offset + pieceBytes);
          tell({ type: 'datum-piece', request, frame, offset, payload });
        }
      });
      tell({ type: 'datum-end', request });
    });
  }
}
