/**
 * Owns what a table needs of a storage manager: for each of its columns, the shapes of cells and the filling
 * of a block with cells of one shape. Must not know: any storage manager.
 */

import type { CellCut } from './cell-cut.ts';
import type { CellBuffer } from './data-type.ts';
import type { LruCache } from './lru-cache.ts';
import type { RowRuns } from './row-runs.ts';
import type { ManagerDescription } from './table-description.ts';
import type { TableFiles } from './table-files.ts';

/** What a read is to fill: cells one after the other, each cut as asked. */
export interface Fill {
  readonly rows: RowRuns;
  /** Every cell must have `cut.shape`. */
  readonly cut: CellCut;
  /** The memory to fill, allocated at its first use: check first that the file can hold what is asked. */
  readonly buffer: CellBuffer;
}

export type CellShape = readonly number[];

/** One column within its storage manager. */
export interface ColumnReader {
  /** Shapes of the cells in the order of the selection; `undefined` where a cell has no value. */
  shapes(rows: RowRuns): Promise<(CellShape | undefined)[]>;
  /** Throws `ragged-column` and `undefined-cell` for cells that are not of the shape asked. */
  fill(request: Fill): Promise<void>;
}

/** A storage manager with its header read. */
export interface StorageManager {
  column(index: number): ColumnReader;
}

/** Decoded tiles by manager, column, cube and tile number. */
export type TileCache = LruCache<string, Uint8Array>;

/** What a storage manager is opened with. */
export interface ManagerContext {
  readonly table: string;
  readonly rowCount: number;
  readonly littleEndian: boolean;
  readonly manager: ManagerDescription;
  readonly files: TableFiles;
  readonly tiles: TileCache;
  /** Another column of the same table, for managers whose values depend on it. */
  readonly sibling: (name: string) => Promise<ColumnReader>;
}

export type OpenManager = (context: ManagerContext) => Promise<StorageManager>;
