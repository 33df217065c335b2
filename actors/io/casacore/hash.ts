/**
 * Owns the fingerprint of a column: a SHA-256 over its cells in row order, equal for equal contents whatever
 * the storage. Per row: the byte `U` for a cell without a value, else the number of axes and the axis
 * lengths (fastest first) as 32-bit integers, then the values in storage order, all little-endian; flags one
 * byte each, texts as a 32-bit length and their bytes. Must not know: storage managers.
 */
import { createHash } from 'node:crypto';
import { cellBlocks } from './cell-blocks.ts';
import { isTexts } from './data-type.ts';
import type { Cell, Column } from './table.ts';
import { encodeText } from './text.ts';

/** The fingerprint of rows `[start, end)` of a column, in hex. Throws what reading the column throws. */
export async function hashColumn(column: Column, start: number, end: number): Promise<string> {
  const hash = createHash('sha256');
  // Records in columns have no bytes that are read; their number is what is known of them.
  if (column.type === 'record') for (let row = start; row < end; row++) hash.update('R');
  else
    for await (const { cells } of cellBlocks(column, start, end))
      hash.update(Buffer.concat(cells.flatMap(encodeCell)));
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
