/**
 * Owns the placing of stored cells into the block that a read fills: whole or cut, once or repeated.
 * Must not know: which storage manager stored them.
 */
import { copyCut } from './cell-cut.ts';
import { unpackBits, widthOf } from './data-type.ts';
import type { Fill } from './storage-manager.ts';

/** Stored numbers of consecutive cells: bytes as in the file (bools already one byte each). */
export interface StoredCells {
  /** Place of the first cell in the block. */
  readonly at: number;
  readonly count: number;
  readonly stored: Uint8Array;
}

/** Places whole stored cells, cutting each as asked. The bytes keep the order they have in the file. */
export function placeCells(fill: Fill, { at, count, stored }: StoredCells): void {
  const { cut, buffer } = fill;
  const width = widthOf(buffer.type);
  if (cut.isWhole) {
    buffer.bytes.set(stored, at * cut.cellValues * width);
    return;
  }
  const aligned = alignedBytes(stored);
  for (let cell = 0; cell < count; cell++) {
    const first = cell * cut.cellValues;
    const span = aligned.subarray((first + cut.spanStart) * width, (first + cut.spanEnd) * width);
    copyCut(cut, { span, target: buffer.bytes, at: (at + cell) * cut.keptValues, width });
  }
}

/** Places one cell of which only the values of `cut.spanStart` to `cut.spanEnd` were read. */
export function placeSpan(fill: Fill, at: number, stored: Uint8Array): void {
  const { cut, buffer } = fill;
  const width = widthOf(buffer.type);
  if (cut.isWhole) buffer.bytes.set(stored, at * cut.cellValues * width);
  else copyCut(cut, { span: alignedBytes(stored), target: buffer.bytes, at: at * cut.keptValues, width });
}

/** Repeats the cell at `at` over the next `count - 1` cells of the block. */
export function repeatCell({ cut, buffer }: Fill, at: number, count: number): void {
  if (buffer.type === 'string') {
    const first = at * cut.keptValues;
    const end = first + count * cut.keptValues;
    for (let to = first + cut.keptValues; to < end; to++) buffer.copyText(to - cut.keptValues, to);
    return;
  }
  const cellBytes = cut.keptValues * widthOf(buffer.type);
  const start = at * cellBytes;
  for (let done = 1; done < count; ) {
    const next = Math.min(done, count - done);
    buffer.bytes.copyWithin(start + done * cellBytes, start, start + next * cellBytes);
    done += next;
  }
}

/** Bits of `count` values from the bit `firstBit` on, one byte each. */
export function unpacked(packed: Uint8Array, firstBit: number, count: number): Uint8Array {
  const flags = new Uint8Array(count);
  unpackBits(packed, firstBit, flags);
  return flags;
}

function alignedBytes(bytes: Uint8Array): Uint8Array {
  return (bytes.byteOffset & 3) === 0 ? bytes : Uint8Array.from(bytes);
}
