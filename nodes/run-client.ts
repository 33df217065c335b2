/**
 * Owns the client of a run that submits tasks itself: connected when the body first asks for it, closed with
 * the run, and while the body waits for something of the cluster, the node is told. Must not know: what is
 * submitted, what the node does about it.
 */
import { type Cluster, connect } from '../scheduler/index.ts';

export interface RunClientOptions {
  readonly url: string;
  readonly token: string;
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
    const { url, token, priority, signal } = this.#options;
    this.#cluster ??= connect(url, {
      token,
      signal,
      hints: { priority: priority + 1 },
      onWait: () => this.#begin(),
    });
    return this.#cluster;
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
