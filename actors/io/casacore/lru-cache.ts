/**
 * Owns a map that forgets its least recently used entries when their sizes add up to more than its limit.
 * Must not know: what it keeps.
 */

export class LruCache<Key, Value> {
  readonly #limitBytes: number;
  readonly #entries = new Map<Key, { readonly value: Value; readonly sizeBytes: number }>();
  #sizeBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: Key, value: Value, sizeBytes: number): void {
    this.#forget(key);
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
    this.#sizeBytes = 0;
  }

  #forget(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
  }
}
