/**
 * Owns the fingerprint of a column: a SHA-256 over its cells in row order, equal for equal contents whatever
 * the storage. Per row: the byte `U` for a cell without a value, else the number of axes and the axis
 * lengths (fastest first) as 32-bit integers, then the values in storage order, all little-endian; flags one
 * byte each, texts as a 32-bit length and their bytes. Must not know: storage managers.
 */
import { createHash } from 'node:crypto';
import { isTexts, valueCount, widthOf } from './data-type.ts';
import type { Cell, Column } from './table.ts';
import { encodeText } from './text.ts';

/** Cells are read in blocks of about this many bytes. */
const BLOCK_BYTES = 4 << 20;
const MOST_ROWS = 1 << 16;

/** The fingerprint of rows `[0, rowCount)` of a column, in hex. Throws what reading the column throws. */
export async function hashColumn(column: Column, rowCount: number): Promise<string> {
  const hash = createHash('sha256');
  if (column.type === 'record') return hash.update('R'.repeat(rowCount)).digest('hex');
  for (let start = 0; start < rowCount; ) {
    const [shape] = await column.readShapes({ start, count: 1 });
    const cellBytes = Math.max(1, valueCount(shape ?? [])) * widthOf(column.type);
    const count = Math.min(rowCount - start, MOST_ROWS, Math.max(1, Math.floor(BLOCK_BYTES / cellBytes)));
    const cells = await column.readCells({ start, count });
    hash.update(Buffer.concat(cells.flatMap(encodeCell)));
    start += count;
  }
  return hash.digest('hex');
}

const undefinedMark = Buffer.from('U');

function encodeCell(cell: Cell | undefined): Uint8Array[] {
  if (cell === undefined) return [undefinedMark];
  const head = new Uint8Array(Int32Array.of(cell.shape.length, ...cell.shape).buffer);
  const { values } = cell;
  if (!isTexts(values)) return [head, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)];
  return [
    head,
    ...values.flatMap((text) => {
      const bytes = encodeText(text);
      return [new Uint8Array(Int32Array.of(bytes.length).buffer), bytes];
    }),
  ];
}
