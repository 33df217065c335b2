/**
 * Owns the limits of the Measurement Set reader, each with its reason.
 * Must not know: anything else.
 */
export const limits = {
  /** Rows whose times and ids are held at once while the row index is made: about 10 MiB of columns. */
  indexRows: 1 << 18,
  /** Bytes of stored visibilities, flags and weights held at once while a chunk is read. Large enough that a
   *  read covers whole tiles, small enough that a worker's memory is its chunks, not its reader. */
  pieceBytes: 32 << 20,
  /** Rows of a main table: row numbers are kept in 32 bits. */
  rows: 2 ** 32 - 1,
  /** Names listed in an error before it says how many more there are: one line stays readable. */
  listedNames: 12,
  /** Rows of a subtable that are read; larger ones belong to a damaged or hostile set. */
  subtableRows: 1 << 20,
} as const;
