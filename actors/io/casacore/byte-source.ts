/**
 * Owns positioned reading of files: large pieces straight into the caller's memory, small ones through pages
 * shared by all files of a table. Must not know: what the bytes mean.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AsperitasError } from '../../../runtime/index.ts';
import { limits } from './limits.ts';
import type { LruCache } from './lru-cache.ts';
import { damaged, fileError, oneLine } from './table-errors.ts';

/** Something that bytes can be read from at any offset. */
export interface ByteSource {
  readonly path: string;
  readonly size: number;
  /** Fills `target` from `offset` on; the range must lie within the source. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** Pages by file and number. */
export type PageCache = LruCache<string, Uint8Array>;

/** Without the second flag the opening of a pipe would wait for someone to write to it. */
const READ_ONLY = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens a regular file for reading. Throws `missing-file` or `unreadable-file`. */
export async function openFile(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ_ONLY);
    const stat = await handle.stat();
    if (!stat.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'not a regular file' });
    return new FileSource(path, stat.size, handle);
  } catch (error) {
    await handle?.close();
    throw fileError(path, error);
  }
}

/**
 * The contents of a small file, which is closed again; `undefined` where it is larger than `mostBytes`.
 * Throws as `openFile`.
 */
export async function readSmallFile(path: string, mostBytes: number): Promise<Uint8Array | undefined> {
  const source = await openFile(path);
  try {
    if (source.size > mostBytes) return undefined;
    const bytes = new Uint8Array(source.size);
    await source.readInto(bytes, 0);
    return bytes;
  } finally {
    await source.close();
  }
}

class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  readonly #handle: FileHandle;
  #closed = false;

  constructor(path: string, size: number, handle: FileHandle) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
  }

  async readInto(target: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < target.length) {
      if (this.#closed) throw closedTable(this.path);
      const { bytesRead } = await this.#handle
        .read(target, done, target.length - done, offset + done)
        .catch((error: unknown) => {
          throw this.#closed ? closedTable(this.path) : fileError(this.path, error);
        });
      if (bytesRead === 0) throw damaged(this.path, offset + done, 'the file has become shorter');
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

export function closedTable(path: string): AsperitasError {
  return new AsperitasError('table-closed', oneLine(`${path}: the table has been closed; open it again`), {
    file: path,
  });
}

/** A source whose small reads go through the pages of a cache. */
export class PagedSource {
  readonly path: string;
  readonly size: number;
  readonly #source: ByteSource;
  readonly #cache: PageCache;
  /** Small cells mostly follow one another: looking up the page of each would cost more than the cell. */
  #recent: { readonly number: number; readonly page: Uint8Array | undefined } = {
    number: -1,
    page: undefined,
  };

  constructor(source: ByteSource, cache: PageCache) {
    this.path = source.path;
    this.size = source.size;
    this.#source = source;
    this.#cache = cache;
  }

  /** Throws `damaged-table` unless `length` bytes at `offset` exist. */
  check(offset: number, length: number, what: string): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw damaged(this.path, offset, `${what} needs ${length} bytes of the ${this.size} in the file`);
  }

  /**
   * Bytes that are at hand in one page, else `undefined`: the way to read many small things without
   * awaiting.
   */
  view(offset: number, length: number): Uint8Array | undefined {
    const page = Math.floor(offset / limits.pageBytes);
    const at = offset - page * limits.pageBytes;
    const bytes = page === this.#recent.number ? this.#recent.page : this.#kept(page);
    if (bytes === undefined || offset < 0 || length < 0 || at + length > bytes.length) return undefined;
    return bytes.subarray(at, at + length);
  }

  /** Bytes to look at, not to write to: they may be a view of a shared page. */
  async bytes(offset: number, length: number, what = 'the table'): Promise<Uint8Array> {
    const ready = this.view(offset, length);
    if (ready !== undefined) return ready;
    this.check(offset, length, what);
    if (length > limits.pageBytes) {
      const whole = new Uint8Array(length);
      await this.#source.readInto(whole, offset);
      return whole;
    }
    const first = Math.floor(offset / limits.pageBytes);
    const last = Math.floor(Math.max(offset, offset + length - 1) / limits.pageBytes);
    const head = await this.#page(first);
    const at = offset - first * limits.pageBytes;
    if (first === last) return head.subarray(at, at + length);
    const joined = new Uint8Array(length);
    joined.set(head.subarray(at));
    joined.set((await this.#page(last)).subarray(0, length - (head.length - at)), head.length - at);
    return joined;
  }

  /** Fills `target` from `offset` on: directly if it is large, else from pages. */
  async readInto(target: Uint8Array, offset: number, what: string): Promise<void> {
    this.check(offset, target.length, what);
    if (target.length >= limits.directReadBytes) await this.#source.readInto(target, offset);
    else target.set(await this.bytes(offset, target.length, what));
  }

  /** A page of the cache, remembered as the one that is likely to be asked for next. */
  #kept(number: number): Uint8Array | undefined {
    const page = this.#cache.get(`${this.path}#${number}`);
    if (page !== undefined) this.#recent = { number, page };
    return page;
  }

  async #page(number: number): Promise<Uint8Array> {
    const kept = this.#kept(number);
    if (kept !== undefined) return kept;
    const start = number * limits.pageBytes;
    const page = new Uint8Array(Math.min(limits.pageBytes, Math.max(0, this.size - start)));
    await this.#source.readInto(page, start);
    this.#cache.set(`${this.path}#${number}`, page, page.length);
    return page;
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
