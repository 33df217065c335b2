/**
 * Owns what a client does when a scheduler is there again: questions are asked anew, what is waited for is
 * recalled, since words may have been lost; a scheduler that knows nothing of this client is given the graphs
 * whose results are still used. Must not know: how graphs are sent.
 */
import type { TaskKey } from '../runtime/index.ts';
import type { Wants } from './client-wants.ts';
import type { CollectedGraph } from './graph.ts';
import { clientLimits } from './limits.ts';
import type { ToScheduler } from './protocol.ts';

export interface ReturnTools {
  readonly wants: Wants;
  readonly tell: (message: ToScheduler) => void;
  /** Sends a graph after those that are being sent; the promise settles then. */
  readonly submit: (graph: CollectedGraph) => Promise<unknown>;
}

export class Returns {
  readonly #tools: ReturnTools;
  /** What was sent, with its bytes, the oldest first. */
  readonly #sent = new Map<CollectedGraph, number>();
  #bytes = 0;
  /** How many graphs that want a result are still to be sent, by key. */
  readonly #unsent = new Map<TaskKey, number>();

  constructor(tools: ReturnTools) {
    this.#tools = tools;
  }

  /** Sees a graph through its sending, and keeps it while its results are used. */
  async sending<T>(graph: CollectedGraph, send: () => Promise<T>): Promise<T> {
    for (const key of graph.wants) this.#unsent.set(key, (this.#unsent.get(key) ?? 0) + 1);
    try {
      const done = await send();
      this.#keep(graph);
      return done;
    } finally {
      for (const key of graph.wants) {
        const left = this.#unsent.get(key)! - 1;
        if (left > 0) this.#unsent.set(key, left);
        else this.#unsent.delete(key);
      }
    }
  }

  /** A scheduler is there again. `known`: it has all that was asked for. */
  onReturn(known: boolean): void {
    if (known) {
      this.#recall();
      return;
    }
    this.#tools.wants.forgetPlaces();
    this.#prune();
    const graphs = [...this.#sent.keys()];
    this.#sent.clear();
    this.#bytes = 0;
    void Promise.allSettled(graphs.map((graph) => this.#tools.submit(graph))).then(() => this.#recall());
  }

  /** Asks how those stand of which nothing is known, but for those that are still to be asked for. */
  #recall(): void {
    const keys = this.#tools.wants.unanswered().filter((key) => !this.#unsent.has(key));
    if (keys.length > 0) this.#tools.tell({ type: 'recall', keys });
  }

  #keep(graph: CollectedGraph): void {
    const bytes = graph.tasks.reduce((sum, { args }) => sum + args.byteLength, 0);
    this.#sent.set(graph, bytes);
    this.#bytes += bytes;
    if (this.#sent.size % clientLimits.keptGraphs === 0 || this.#bytes > clientLimits.keptGraphBytes) {
      this.#prune();
    }
  }

  /** Forgets graphs of which no result is used, and the oldest where they are too much. */
  #prune(): void {
    for (const [graph, bytes] of this.#sent) {
      const used = graph.wants.some((key) => this.#tools.wants.has(key));
      if (used && this.#bytes <= clientLimits.keptGraphBytes) continue;
      this.#sent.delete(graph);
      this.#bytes -= bytes;
    }
  }
}
