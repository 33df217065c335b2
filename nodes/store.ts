/**
 * Owns every buffer of a node: data by key, each frame in shared memory that executor threads read without a
 * copy. What is over the limit is spilled to files in the background and read back when asked for. Must not
 * know: tasks, runs, who fetches what.
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AsperitasError, type DatumParts, encodedBytes, isAsperitasError } from '../runtime/index.ts';
import { collectBytesFor, GarbageMeter } from './garbage.ts';
import { machineLimits } from './machine-limits.ts';
import { toSharedParts } from './shared-frames.ts';
import { readSpill, writeSpill } from './spill-file.ts';
import { SpillFolder } from './spill-folder.ts';
import { chooseSpills, type SpillMarks } from './spill-policy.ts';

export interface StoreOptions {
  /** What data may take in memory; what is above most of it is spilled. */
  readonly memoryBytes: number;
  /** Where files of spilled data go, in a folder of this process alone, which is made for the first of them
   * and removed by `close`. */
  readonly folder: string;
  /** A datum is gone: its file was damaged. */
  readonly onLost?: (key: string) => void;
  /** `pressed` has changed. */
  readonly onPressure?: (pressed: boolean) => void;
  /** After a disk refused a file, so long until the next try. */
  readonly spillRetryMs?: number;
}

interface Entry {
  readonly key: string;
  /** Never used twice: a datum that is made again under its key may differ. */
  readonly stamp: string;
  readonly bytes: number;
  /** The datum in memory. Absent: `file` has it. */
  parts: DatumParts | undefined;
  /** A whole copy on disk. */
  file: string | undefined;
  pins: number;
  reading: Promise<DatumParts> | undefined;
}

export class Store {
  readonly #options: StoreOptions;
  readonly #marks: SpillMarks;
  readonly #folder: SpillFolder;
  readonly #garbage: GarbageMeter;
  readonly #life = randomBytes(8).toString('hex');
  #puts = 0;
  readonly #entries = new Map<string, Entry>();
  /** Those in memory that are large enough to spill, the least recently used first. */
  readonly #large = new Map<string, Entry>();
  #usedBytes = 0;
  #evictableBytes = 0;
  #storedBytes = 0;
  #spilledBytes = 0;
  #pressed = false;
  #spilling: Promise<void> | undefined;
  #spillRetry: NodeJS.Timeout | undefined;
  #reliefs: (() => void)[] = [];
  #closed = false;

  private constructor(options: StoreOptions) {
    this.#options = options;
    this.#marks = {
      highBytes: options.memoryBytes * machineLimits.highWater,
      lowBytes: options.memoryBytes * machineLimits.lowWater,
    };
    this.#folder = new SpillFolder(options.folder);
    this.#garbage = new GarbageMeter(collectBytesFor(options.memoryBytes));
  }

  static open(options: StoreOptions): Store {
    return new Store(options);
  }

  /** Bytes of data in memory. */
  get memoryUsedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of all data, in memory or not. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Bytes of data that lie on the disk only. */
  get spilledBytes(): number {
    return this.#spilledBytes;
  }

  /** True while memory is over its limit and spilling can't bring it below: the rest is pinned or small, or
   * the disk takes no more. */
  get pressed(): boolean {
    return this.#pressed;
  }

  /** Whether `relieved` would not wait. */
  get hasRoom(): boolean {
    return this.#usedBytes <= this.#options.memoryBytes || this.#pressed || this.#closed;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The encoded size of a datum; undefined where it is not held. */
  bytesOf(key: string): number | undefined {
    return this.#entries.get(key)?.bytes;
  }

  /** Names the very datum that lies under a key now. */
  stampOf(key: string): string | undefined {
    return this.#entries.get(key)?.stamp;
  }

  /** Takes a datum over, frames and all: nobody may write to them any more. Frames that are not shared memory
   * of their own are copied into such. A datum that is held already stays as it is. Returns its size. */
  put(key: string, parts: DatumParts): number {
    const held = this.#entries.get(key);
    if (held !== undefined) return held.bytes;
    const bytes = encodedBytes(parts);
    const stamp = `${this.#life}-${++this.#puts}`;
    const empty = { parts: undefined, file: undefined, pins: 0, reading: undefined };
    const entry: Entry = { key, stamp, bytes, ...empty };
    this.#entries.set(key, entry);
    this.#storedBytes += bytes;
    this.#count(entry, 1);
    this.#change(entry, () => {
      entry.parts = toSharedParts(parts);
    });
    return bytes;
  }

  /** The datum, read back from disk if need be. `signal` gives up the wait, not the reading.
   * @throws AsperitasError `datum-absent`, `spill-damaged`, `unreadable-file` or `aborted`. */
  async get(key: string, signal?: AbortSignal): Promise<DatumParts> {
    const entry = this.#held(key);
    if (entry.parts !== undefined) {
      this.#touch(entry);
      return entry.parts;
    }
    entry.reading ??= this.#readBack(entry).finally(() => {
      entry.reading = undefined;
    });
    return signal === undefined ? entry.reading : abandonable(key, entry.reading, signal);
  }

  /** Keeps a datum in memory, once it is there, until `unpin` was called as often.
   * @throws AsperitasError `datum-absent` */
  pin(key: string): void {
    const entry = this.#held(key);
    this.#change(entry, () => {
      entry.pins++;
    });
  }

  /** Does nothing where the datum has been deleted meanwhile. */
  unpin(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.pins === 0) return;
    this.#touch(entry);
    this.#change(entry, () => {
      entry.pins--;
    });
  }

  /** Forgets a datum, pinned or not; who has got its parts can go on reading them. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#large.delete(key);
    this.#count(entry, -1);
    this.#storedBytes -= entry.bytes;
    if (entry.parts !== undefined) this.#garbage.released(entry.bytes);
    if (entry.file !== undefined) void removeFile(entry.file);
    this.#afterChange();
  }

  /** Resolves once memory is within its limit, or `pressed` since waiting would not help. Who makes data
   * waits for it before making more: a disk may be slower than they are. */
  async relieved(signal?: AbortSignal): Promise<void> {
    while (!this.hasRoom) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#reliefs.push(() => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        const onAbort = (): void => resolve();
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    }
    signal?.throwIfAborted();
  }

  /** Forgets everything and removes the files. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#spillRetry);
    for (const key of this.keys()) this.delete(key);
    await this.#spilling;
    await this.#folder.remove();
  }

  #held(key: string): Entry {
    const entry = this.#entries.get(key);
    if (entry !== undefined) return entry;
    throw new AsperitasError('datum-absent', `this node does not hold ${key}`, { key });
  }

  #isHeld(entry: Entry): boolean {
    return this.#entries.get(entry.key) === entry;
  }

  #touch(entry: Entry): void {
    if (this.#large.delete(entry.key)) this.#large.set(entry.key, entry);
  }

  /** Adds an entry to the sums, or takes it out of them. */
  #count({ parts, bytes, pins }: Entry, sign: 1 | -1): void {
    if (parts === undefined) {
      this.#spilledBytes += sign * bytes;
      return;
    }
    this.#usedBytes += sign * bytes;
    if (pins === 0 && bytes >= machineLimits.spillBytes) this.#evictableBytes += sign * bytes;
  }

  /** The one way in which a held entry changes, so that the sums stay true. */
  #change(entry: Entry, apply: () => void): void {
    this.#count(entry, -1);
    apply();
    this.#count(entry, 1);
    if (entry.parts === undefined) this.#large.delete(entry.key);
    else if (entry.bytes >= machineLimits.spillBytes && !this.#large.has(entry.key)) {
      this.#large.set(entry.key, entry);
    }
    this.#afterChange();
  }

  #afterChange(): void {
    const spillable = this.#spillRetry === undefined ? this.#evictableBytes : 0;
    const pressed = this.#usedBytes - spillable > this.#options.memoryBytes;
    const changed = pressed !== this.#pressed;
    this.#pressed = pressed;
    if (pressed || this.#closed || this.#usedBytes <= this.#options.memoryBytes) {
      for (const resolve of this.#reliefs.splice(0)) resolve();
    }
    if (changed) this.#options.onPressure?.(pressed);
    this.#startSpilling();
  }

  #startSpilling(): void {
    const wanted = this.#usedBytes > this.#marks.highBytes && this.#evictableBytes > 0;
    if (!wanted || this.#spilling !== undefined || this.#spillRetry !== undefined || this.#closed) return;
    this.#spilling = this.#spill().finally(() => {
      this.#spilling = undefined;
      this.#startSpilling();
    });
  }

  async #spill(): Promise<void> {
    // Not at once: what is put is often asked for, or pinned, in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    for (const key of chooseSpills(this.#large.values(), this.#usedBytes, this.#marks)) {
      const entry = this.#large.get(key);
      if (this.#closed || this.#spillRetry !== undefined) return;
      if (entry !== undefined && entry.pins === 0) await this.#evict(entry);
    }
  }

  /** Data never change, so a file from an earlier time is still good. */
  async #evict(entry: Entry): Promise<void> {
    if (entry.file === undefined && entry.parts !== undefined) {
      try {
        const file = join(await this.#folder.make(), `${randomBytes(8).toString('hex')}.spill`);
        await writeSpill(file, entry.parts);
        if (this.#isHeld(entry)) entry.file = file;
        else await removeFile(file);
      } catch (error) {
        this.#onDiskRefused(error);
        return;
      }
    }
    if (!this.#isHeld(entry) || entry.pins > 0 || entry.file === undefined) return;
    this.#change(entry, () => {
      entry.parts = undefined;
    });
    this.#garbage.released(entry.bytes);
  }

  /** The datum stays in memory; spilling is tried again after a while. */
  #onDiskRefused(error: unknown): void {
    if (!isAsperitasError(error)) throw error;
    if (this.#closed) return;
    this.#spillRetry = setTimeout(() => {
      this.#spillRetry = undefined;
      this.#afterChange();
    }, this.#options.spillRetryMs ?? machineLimits.spillRetryMs);
    this.#spillRetry.unref();
    this.#afterChange();
  }

  async #readBack(entry: Entry): Promise<DatumParts> {
    try {
      const parts = await readSpill(entry.file!);
      if (this.#isHeld(entry)) {
        this.#change(entry, () => {
          entry.parts = parts;
        });
      }
      return parts;
    } catch (error) {
      if (!this.#isHeld(entry)) {
        const message = `${entry.key} was dropped while it was read back`;
        throw new AsperitasError('datum-absent', message, { key: entry.key }, { cause: error });
      }
      if (isAsperitasError(error, 'spill-damaged')) {
        this.delete(entry.key);
        this.#options.onLost?.(entry.key);
      }
      throw error;
    }
  }
}

async function removeFile(path: string): Promise<void> {
  // What can't be removed now goes with the folder.
  await rm(path, { force: true }).catch(() => undefined);
}

function abandonable<T>(key: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const cause: unknown = signal.reason;
      reject(new AsperitasError('aborted', `reading ${key} back was given up`, { key }, { cause }));
    };
    // One signal stops the reading of all inputs of a run: many listeners are no leak.
    setMaxListeners(0, signal);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
