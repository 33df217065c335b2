/**
 * Owns the open files of one table: each is opened at its first use, once, and all are closed together.
 * Must not know: which files a table has.
 */
import { join } from 'node:path';
import { type ByteSource, closedTable, openFile, type PageCache, PagedSource } from './byte-source.ts';

/** Opens a file of the table by its name, such as `table.f0`. */
export type OpenByName = (name: string) => Promise<ByteSource>;

export class TableFiles {
  readonly table: string;
  readonly #cache: PageCache;
  readonly #open: OpenByName;
  readonly #files = new Map<string, Promise<PagedSource>>();
  #closed = false;

  constructor(table: string, cache: PageCache, openByName?: OpenByName) {
    this.table = table;
    this.#cache = cache;
    this.#open = openByName ?? ((name) => openFile(join(table, name)));
  }

  /** The file, opened if it is not yet. Throws `missing-file`, and `table-closed` after `close`. */
  async open(name: string): Promise<PagedSource> {
    // A read that is still under way when its table is closed must not open files that nobody will close.
    if (this.#closed) throw closedTable(join(this.table, name));
    let file = this.#files.get(name);
    if (file === undefined) {
      file = this.#open(name).then((source) => new PagedSource(source, this.#cache));
      this.#files.set(name, file);
    }
    return file;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const file of await Promise.allSettled(this.#files.values()))
      if (file.status === 'fulfilled') await file.value.close();
  }
}
