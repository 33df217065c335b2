/**
 * Owns what the rest of the project sees of a casacore table: columns read by ranges of rows, keywords, and
 * subtables opened on demand. Must not know: how any storage manager lays out its bytes, or what a
 * Measurement Set is. Axes of cells are casacore's, fastest first (DATA is `[corr, chan]`); values are in
 * storage order.
 */

export type DataType =
  | 'bool'
  | 'uchar'
  | 'short'
  | 'ushort'
  | 'int'
  | 'uint'
  | 'int64'
  | 'float'
  | 'double'
  | 'complex'
  | 'dcomplex'
  | 'string'
  | 'record';

/** Bool is 0/1 in a Uint8Array; complex and dcomplex are re/im pairs (two elements a value). */
export type Values =
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly string[];

/** One cell of an array column. */
export interface Cell {
  /** Fastest axis first; empty for a scalar. */
  readonly shape: readonly number[];
  readonly values: Values;
}

/** A keyword's value; a subtable keyword is `{ table: absolutePath }`. */
export type KeywordValue =
  | boolean
  | number
  | bigint
  | string
  | { readonly re: number; readonly im: number }
  | { readonly table: string }
  | Cell
  | TableRecord;
export interface TableRecord {
  readonly [name: string]: KeywordValue;
}

export interface ColumnInfo {
  readonly name: string;
  readonly type: DataType;
  readonly isArray: boolean;
  /** The shape of every cell, fastest first, where the table fixes it. */
  readonly fixedShape: readonly number[] | undefined;
  /** Storage manager type, such as `TiledShapeStMan`. */
  readonly storageManager: string;
  /** The manager's files are `table.f<number>` and what begins with it; not in views of other tables. */
  readonly storageNumber?: number;
  readonly comment: string;
  readonly keywords: TableRecord;
}

/** Rows to read: a contiguous range, or a list in the order wanted. */
export type RowSelection = { readonly start: number; readonly count: number } | Uint32Array;

/** A half-open range along one axis of a cell. */
export interface AxisRange {
  readonly start: number;
  readonly count: number;
}

/** A column, opened. All reads are positioned reads of what is asked for, never of the whole table. */
export interface Column extends ColumnInfo {
  /** Cells of equal shape, one after the other (`[row, ...reversed cell axes]` in C order); scalars too
   * (shape `[]`).
   *  `slice` cuts each cell, one range an axis, fastest first. Throws `ragged-column` where shapes differ and
   *  `undefined-cell` where a cell has no value. */
  read(rows: RowSelection, slice?: readonly AxisRange[]): Promise<Cell>;
  /** As `read`, cell by cell; `undefined` where a cell has no value. */
  readCells(rows: RowSelection): Promise<readonly (Cell | undefined)[]>;
  /** Shapes only, without reading values; `undefined` where a cell has no value. */
  readShapes(rows: RowSelection): Promise<readonly (readonly number[] | undefined)[]>;
}

/** An open table. `close` releases its files and those of subtables opened through it. */
export interface Table {
  readonly path: string;
  readonly kind: 'plain' | 'reference' | 'concatenated';
  readonly endian: 'big' | 'little';
  readonly rowCount: number;
  /** The words of table.info. */
  readonly info: { readonly type: string; readonly subType: string };
  readonly columns: readonly ColumnInfo[];
  readonly keywords: TableRecord;
  hasColumn(name: string): boolean;
  /** Throws `no-such-column`; the storage manager's file is opened at the first read, so that a missing or
   * damaged
   *  file fails its own columns only. */
  column(name: string): Column;
  /** Names of keywords that are subtables, in order. */
  readonly subtableNames: readonly string[];
  /** Opens a subtable once and keeps it; throws `no-such-subtable`. */
  subtable(name: string): Promise<Table>;
  close(): Promise<void>;
}
