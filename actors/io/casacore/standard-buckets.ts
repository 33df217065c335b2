/**
 * Owns what the parts of a StandardStMan know of its buckets: where they begin, and where in them the cells
 * of a column lie. Must not know: how buckets of rows are found, what cells hold.
 */
import type { PagedSource } from './byte-source.ts';
import type { RowRuns } from './row-runs.ts';

/** The first bucket's offset. */
export const BUCKETS_AT = 512;

/** Consecutive rows within a bucket. */
export interface BucketRows {
  readonly at: number;
  readonly count: number;
  /** Offset in the file of the column's first value in this bucket. */
  readonly columnAt: number;
  /** The first of the rows, counted within the bucket. */
  readonly rowInBucket: number;
}

/** A column's place in the buckets. */
export interface BucketColumn {
  readonly source: PagedSource;
  readonly littleEndian: boolean;
  /** Throws `damaged-table` for rows outside the index; `bits` is the size of a cell. */
  pieces(rows: RowRuns, bits: number): BucketRows[];
}
