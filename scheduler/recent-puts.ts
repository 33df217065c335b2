/**
 * Owns what a client has put on nodes so lately that the figures which those send once a second may not have
 * it yet. Pure. Must not know: clocks, how a place is chosen.
 */
import type { NodeId } from '../runtime/index.ts';
import { clientLimits } from './limits.ts';

export class RecentPuts {
  #puts: { readonly node: NodeId; readonly bytes: number; readonly ms: number }[] = [];
  readonly #sums = new Map<NodeId, number>();

  add(node: NodeId, bytes: number, ms: number): void {
    this.#puts.push({ node, bytes, ms });
    this.#sums.set(node, (this.#sums.get(node) ?? 0) + bytes);
  }

  /** Bytes by node, at a time that never goes back. */
  at(ms: number): ReadonlyMap<NodeId, number> {
    const first = this.#puts.findIndex((put) => ms - put.ms <= clientLimits.figuresMs);
    for (const { node, bytes } of this.#puts.splice(0, first < 0 ? this.#puts.length : first)) {
      this.#sums.set(node, this.#sums.get(node)! - bytes);
    }
    return this.#sums;
  }
}
