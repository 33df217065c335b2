/**
 * Owns a map that forgets its least recently used entries when their sizes add up to more than its limit.
 * Must not know: what it keeps.
 */

export class LruCache<Key, Value> {
  readonly #limitBytes: number;
  readonly #entries = new Map<Key, { readonly value: Value; readonly sizeBytes: number }>();
  #sizeBytes = 0;
  /** The entry used last, which is mostly the next one to be asked for: it need not be moved again. */
  #latest: { readonly key: Key; readonly value: Value } | undefined;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get(key: Key): Value | undefined {
    if (this.#latest?.key === key) return this.#latest.value;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#latest = { key, value: entry.value };
    return entry.value;
  }

  set(key: Key, value: Value, sizeBytes: number): void {
    this.#forget(key);
    this.#latest = undefined;
    if (sizeBytes > this.#limitBytes) return;
    this.#entries.set(key, { value, sizeBytes });
    this.#sizeBytes += sizeBytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) break;
      this.#forget(oldest);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#latest = undefined;
    this.#sizeBytes = 0;
  }

  #forget(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (this.#latest?.key === key) this.#latest = undefined;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
  }
}
