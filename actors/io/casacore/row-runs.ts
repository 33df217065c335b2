/**
 * Owns selections of rows as runs of consecutive rows, with the place of each run in the result.
 * Must not know: what is read from the rows.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import { limits } from './limits.ts';
import type { RowSelection } from './table.ts';

/** `count` consecutive rows from `row` on, which are the cells from `at` on of the result. */
export interface RowRun {
  readonly row: number;
  readonly count: number;
  readonly at: number;
}

/** A checked selection: its runs in the order wanted, and the number of rows in all. */
export interface RowRuns {
  readonly count: number;
  readonly runs: readonly RowRun[];
}

/** Checks a selection against the table. Throws `no-such-row`. */
export function rowRuns(selection: RowSelection, rowCount: number): RowRuns {
  if (!(selection instanceof Uint32Array)) {
    const { start, count } = selection;
    const legal = Number.isSafeInteger(start) && Number.isSafeInteger(count) && start >= 0 && count >= 0;
    if (!legal || start + count > rowCount) throw noSuchRow(`${start}:${start + count}`, rowCount);
    return { count, runs: count === 0 ? [] : [{ row: start, count, at: 0 }] };
  }
  const runs: RowRun[] = [];
  for (let first = 0; first < selection.length; ) {
    let end = first + 1;
    while (end < selection.length && selection[end] === selection[end - 1] + 1) end++;
    if (selection[first] + (end - first) > rowCount) throw noSuchRow(`${selection[end - 1]}`, rowCount);
    runs.push({ row: selection[first], count: end - first, at: first });
    first = end;
  }
  return { count: selection.length, runs };
}

/** Runs of the `count` cells from cell `from` on of a selection, numbered from 0. */
export function partOf(rows: RowRuns, from: number, count: number): RowRuns {
  const runs: RowRun[] = [];
  for (const run of rows.runs) {
    const first = Math.max(run.at, from);
    const end = Math.min(run.at + run.count, from + count);
    if (first < end) runs.push({ row: run.row + first - run.at, count: end - first, at: first - from });
  }
  return { count, runs };
}

/** Throws `read-too-large` for more cells than one call may return one by one. */
export function checkCellCount(count: number): void {
  if (count > limits.readCells)
    throw new AsperitasError(
      'read-too-large',
      `${count} cells are more than one read may return one by one; ask for fewer rows at a time`,
      { count, limit: limits.readCells },
    );
}

function noSuchRow(rows: string, rowCount: number): AsperitasError {
  return new AsperitasError('no-such-row', `rows ${rows} asked of a table with ${rowCount} rows`, {
    rowCount,
  });
}
