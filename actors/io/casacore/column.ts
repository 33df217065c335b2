/**
 * Owns the public face of a column over the reader of its storage manager: checks what is asked, allocates
 * the block, groups cells of equal shape, and names table and column in every error. Must not know: any
 * storage manager.
 */
import { type CellCut, cellCut } from './cell-cut.ts';
import { CellBuffer, sameShape, valueCount } from './data-type.ts';
import { checkCellCount, partOf, type RowRuns, rowRuns } from './row-runs.ts';
import type { CellShape, ColumnReader, Fill } from './storage-manager.ts';
import type { AxisRange, Cell, Column, ColumnInfo, RowSelection } from './table.ts';
import { inColumn, undefinedCell } from './table-errors.ts';

export interface ColumnOptions {
  readonly table: string;
  readonly rowCount: number;
  readonly info: ColumnInfo;
  /** Opens the storage manager at the first read. */
  reader(): Promise<ColumnReader>;
}

/** A column of a plain table. */
export function openColumn({ table, rowCount, info, reader }: ColumnOptions): Column {
  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw inColumn(error, table, info.name);
    }
  }
  return {
    ...info,
    read: (selection, slice) =>
      guarded(async () => readBlock(info, await reader(), rowRuns(selection, rowCount), slice)),
    readCells: (selection) =>
      guarded(async () => readCells(info, await reader(), rowRuns(selection, rowCount))),
    readShapes: (selection: RowSelection) =>
      guarded(async () => {
        const rows = rowRuns(selection, rowCount);
        checkCellCount(rows.count);
        return (await reader()).shapes(rows);
      }),
  };
}

async function readBlock(
  info: ColumnInfo,
  reader: ColumnReader,
  rows: RowRuns,
  slice: readonly AxisRange[] | undefined,
): Promise<Cell> {
  if (rows.count === 0) {
    const cut = cellCut(info.fixedShape ?? [], info.fixedShape === undefined ? undefined : slice);
    return { shape: cut.counts, values: new CellBuffer(info.type, 0).values };
  }
  const [shape] = await reader.shapes(partOf(rows, 0, 1));
  if (shape === undefined) throw undefinedCell(rows.runs[0].row);
  const fill = fillOf(info, rows, cellCut(shape, slice));
  await reader.fill(fill);
  return { shape: fill.cut.counts, values: fill.buffer.values };
}

async function readCells(
  info: ColumnInfo,
  reader: ColumnReader,
  rows: RowRuns,
): Promise<(Cell | undefined)[]> {
  checkCellCount(rows.count);
  const shapes = await reader.shapes(rows);
  const cells: (Cell | undefined)[] = [];
  for (let first = 0; first < shapes.length; ) {
    const shape = shapes[first];
    if (shape === undefined) {
      cells.push(undefined);
      first += 1;
      continue;
    }
    let end = first + 1;
    while (end < shapes.length && isSame(shapes[end], shape)) end++;
    const fill = fillOf(info, partOf(rows, first, end - first), cellCut(shape));
    await reader.fill(fill);
    const perCell = valueCount(shape);
    for (let i = 0; i < end - first; i++)
      cells.push({ shape, values: fill.buffer.slice(i * perCell, perCell) });
    first = end;
  }
  return cells;
}

function isSame(a: CellShape | undefined, b: CellShape): boolean {
  return a === b || (a !== undefined && sameShape(a, b));
}

function fillOf(info: ColumnInfo, rows: RowRuns, cut: CellCut): Fill {
  let buffer: CellBuffer | undefined;
  return {
    rows,
    cut,
    get buffer() {
      buffer ??= new CellBuffer(info.type, rows.count * cut.keptValues);
      return buffer;
    },
  };
}
