/**
 * Owns a set that mostly has no entry or one: it takes a tenth of the memory of a `Set` then. Pure. Must not
 * know: what the entries are.
 */

export class FewSet<T> {
  /** The only entry, while there is no more than one. */
  #only: T | undefined;
  #more: Set<T> | undefined;

  constructor(only?: T) {
    this.#only = only;
  }

  get size(): number {
    return this.#more?.size ?? (this.#only === undefined ? 0 : 1);
  }

  has(entry: T): boolean {
    return this.#more?.has(entry) ?? this.#only === entry;
  }

  add(entry: T): void {
    if (this.#more !== undefined) {
      this.#more.add(entry);
    } else if (this.#only === undefined) {
      this.#only = entry;
    } else if (this.#only !== entry) {
      this.#more = new Set([this.#only, entry]);
      this.#only = undefined;
    }
  }

  /** True if it was there. */
  delete(entry: T): boolean {
    if (this.#more !== undefined) return this.#more.delete(entry);
    if (this.#only !== entry) return false;
    this.#only = undefined;
    return true;
  }

  /** In the order in which they came. */
  [Symbol.iterator](): Iterator<T> {
    return (this.#more ?? (this.#only === undefined ? [] : [this.#only]))[Symbol.iterator]();
  }
}
