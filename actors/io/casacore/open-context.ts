/**
 * Owns what tables that are opened together share: caches, and the knowledge of which tables are being
 * opened, so that tables that stand on one another in a circle are found out. Must not know: any kind of
 * table.
 */
import type { PageCache } from './byte-source.ts';
import { limits } from './limits.ts';
import { LruCache } from './lru-cache.ts';
import type { TileCache } from './storage-manager.ts';
import type { Column, Table, TableRecord } from './table.ts';

export interface OpenContext {
  readonly pages: PageCache;
  readonly tiles: TileCache;
  /** Tables that are open already, by absolute path: a table used twice is opened once. */
  readonly tables: Map<string, Promise<Table>>;
  /** Reference and concatenated tables that are waiting for the one being opened. */
  readonly waiting: readonly string[];
  /** How many subtables deep the table is. */
  readonly depth: number;
}

/** What the kinds of table differ in. */
export interface TableParts {
  readonly columns: readonly Column[];
  readonly keywords: TableRecord;
  /** Names of subtables that are to be opened in a way of their own. */
  readonly subtables?: ReadonlyMap<string, () => Promise<Table>>;
  /** Replaces the row count of table.dat. */
  readonly rowCount?: number;
  close(): Promise<void>;
}

export function newContext(): OpenContext {
  return {
    pages: new LruCache(limits.pageCacheBytes),
    tiles: new LruCache(limits.tileCacheBytes),
    tables: new Map(),
    waiting: [],
    depth: 0,
  };
}
