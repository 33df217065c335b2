/**
 * Owns the reading of a column from its first to its last row in blocks of bounded memory, however its cells
 * differ in size. Must not know: what becomes of the cells.
 */
import { valueCount, widthOf } from './data-type.ts';
import type { Cell, Column } from './table.ts';

/** Bytes of values in a block; a single cell may be larger. */
const BLOCK_BYTES = 4 << 20;
/** Rows of a block: each costs an object. */
const MOST_ROWS = 1 << 14;

/** Consecutive cells of a column; `undefined` where a cell has no value. */
export interface CellBlock {
  readonly start: number;
  readonly cells: readonly (Cell | undefined)[];
}

/** Bytes in memory of the values of a cell. */
export function cellBytes({ type }: Column, shape: readonly number[] | undefined): number {
  return shape === undefined ? 0 : valueCount(shape) * widthOf(type);
}

/** The cells of rows `[start, end)` in order. Throws what reading the column throws. */
export async function* cellBlocks(column: Column, start: number, end: number): AsyncGenerator<CellBlock> {
  for (let first = start; first < end; ) {
    const rows = { start: first, count: Math.min(MOST_ROWS, end - first) };
    const shapes = await column.readShapes(rows);
    for (let done = 0; done < rows.count; ) {
      let count = 1;
      let bytes = cellBytes(column, shapes[done]);
      for (; done + count < rows.count; count++) {
        bytes += cellBytes(column, shapes[done + count]);
        if (bytes > BLOCK_BYTES) break;
      }
      yield { start: first + done, cells: await column.readCells({ start: first + done, count }) };
      done += count;
    }
    first += rows.count;
  }
}
