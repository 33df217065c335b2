/**
 * Owns the client of a run that submits tasks itself: connected when the body first asks for it, closed with
 * the run, and while the body waits for something of the cluster, the node is told. Must not know: what is
 * submitted, what the node does about it.
 */
import { TlsFiles, type TlsPaths, tlsTransport } from '../runtime/index.ts';
import { type Cluster, connect } from '../scheduler/index.ts';

export interface RunClientOptions {
  readonly url: string;
  readonly token: string;
  readonly tls: TlsPaths | undefined;
  /** Of the run: its tasks go before what has not begun, since a run that waits holds memory. */
  readonly priority: number;
  readonly signal: AbortSignal;
  /** The body waits, or no longer. */
  readonly onPaused: (paused: boolean) => void;
}

export class RunClient {
  readonly #options: RunClientOptions;
  #cluster: Promise<Cluster> | undefined;
  #waits = 0;
  #ended = false;

  constructor(options: RunClientOptions) {
    this.#options = options;
    // Whatever the body waits for, it need not wait any longer.
    options.signal.addEventListener('abort', () => this.end(), { once: true });
  }

  cluster(): Promise<Cluster> {
    this.#cluster ??= this.#connect();
    return this.#cluster;
  }

  async #connect(): Promise<Cluster> {
    const { url, token, tls, priority, signal } = this.#options;
    const files = tls === undefined ? undefined : await TlsFiles.open(tls, () => undefined);
    const cluster = await connect(url, {
      token,
      signal,
      ...(files === undefined ? {} : { transport: tlsTransport(files) }),
      hints: { priority: priority + 1 },
      onWait: () => this.#begin(),
    });
    return cluster;
  }

  /** Gives up what the body still wants. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#waits > 0) this.#options.onPaused(false);
    this.#cluster?.then(
      (cluster) => cluster.close(),
      () => undefined,
    );
  }

  #begin(): () => void {
    if (this.#waits++ === 0 && !this.#ended) this.#options.onPaused(true);
    return () => {
      if (--this.#waits === 0 && !this.#ended) this.#options.onPaused(false);
    };
  }
}
