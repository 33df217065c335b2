/**
 * Owns every bound of the casacore reader, each with its reason. A table is input that anyone may have
 * written: nothing in it may make the reader loop, recurse without end, or take memory out of proportion.
 * Must not know: how the bounds are enforced.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
  /** Small reads are served from pages of this size: one system call feeds many buckets or small cells. */
  pageBytes: 128 * KiB,
  /** Pages kept for a table and its subtables, for columns that share buckets. */
  pageCacheBytes: 16 * MiB,
  /** Decoded tiles kept for a table and its subtables, so that reading row by row reads each tile once. */
  tileCacheBytes: 64 * MiB,
  /** A tile larger than this is not kept: only the rows asked for are read from it. */
  cachedTileBytes: 16 * MiB,
  /** From here on, bytes that are contiguous in file and result are read straight into the result. */
  directReadBytes: 64 * KiB,
  /** Neighbouring tiles are read together up to this size; two such pieces are in memory at a time. */
  bulkBytes: 2 * MiB,
  /** The most that one call may return: a larger block is a mistake in the request or a hostile row count. */
  readBytes: 1024 * MiB,
  /** Text of one call: rows of a hostile table can all name the same long string. */
  textBytes: 256 * MiB,
  /** Texts of one call, and empty texts that a cell may claim without a byte to show for each. */
  readTexts: 1 << 24,
  emptyTexts: 1 << 20,
  /** Cells of one `readCells` or `readShapes` call: each costs an object. */
  readCells: 1 << 26,
  /** table.dat is parsed in memory; only a reference table with 10^8 rows comes near. */
  descriptionBytes: 1024 * MiB,
  /** Headers of storage managers are parsed in memory: a TiledCellStMan has some 100 bytes a row there. */
  headerBytes: 1024 * MiB,
  /** Keywords nest a few levels deep in practice; a file can nest them once every 40 bytes. */
  recordDepth: 32,
  /** Reference and concatenated tables that stand on one another. */
  referenceDepth: 16,
  /** Subtables of subtables; a subtable may name its own parent. */
  subtableDepth: 32,
  /** Axes of an array; casacore itself is used with up to 5. */
  axes: 32,
  /** Row counts up to this are believed; beyond, the table's files must have a byte for every 64 rows. */
  unprovenRows: 1 << 20,
  rowsPerByte: 64,
} as const;
