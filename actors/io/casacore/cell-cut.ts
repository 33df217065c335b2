/**
 * Owns the cutting of boxes out of arrays: which part of a cell a slice keeps, and the copying of boxes
 * between arrays of different strides. Must not know: where either array is from.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import { valueCount } from './data-type.ts';
import type { AxisRange } from './table.ts';

/** The part of every cell that a read keeps. Axes are fastest first. */
export interface CellCut {
  /** The shape of the whole cell. */
  readonly shape: readonly number[];
  readonly starts: readonly number[];
  /** The shape of the part kept. */
  readonly counts: readonly number[];
  /** Values of a whole cell, and of the part kept. */
  readonly cellValues: number;
  readonly keptValues: number;
  readonly isWhole: boolean;
  /** All kept values lie in `[spanStart, spanEnd)` of the cell's values in storage order. */
  readonly spanStart: number;
  readonly spanEnd: number;
}

/** Checks a slice against the shape of the cells. Throws `bad-slice`. */
export function cellCut(shape: readonly number[], slice?: readonly AxisRange[]): CellCut {
  const ranges = slice ?? shape.map((count) => ({ start: 0, count }));
  const fits =
    ranges.length === shape.length &&
    ranges.every(
      ({ start, count }, axis) =>
        Number.isInteger(start) &&
        Number.isInteger(count) &&
        start >= 0 &&
        count >= 0 &&
        start + count <= shape[axis],
    );
  if (!fits) {
    const asked = ranges.map(({ start, count }) => `${start}:${start + count}`);
    throw new AsperitasError('bad-slice', `slice [${asked}] asked of cells of shape [${shape}]`, {
      slice: asked,
    });
  }
  const starts = ranges.map(({ start }) => start);
  const counts = ranges.map(({ count }) => count);
  const keptValues = valueCount(counts);
  const cellValues = valueCount(shape);
  let spanStart = 0;
  let spanEnd = keptValues === 0 ? 0 : 1;
  for (let axis = 0, stride = 1; axis < shape.length && keptValues > 0; stride *= shape[axis++]) {
    spanStart += starts[axis] * stride;
    spanEnd += (starts[axis] + counts[axis] - 1) * stride;
  }
  const isWhole = keptValues === cellValues;
  return { shape, starts, counts, cellValues, keptValues, isWhole, spanStart, spanEnd };
}

/** A box to copy. Positions and strides count values; `width` is the bytes of a value. */
export interface BoxCopy {
  readonly counts: readonly number[];
  readonly width: number;
  readonly source: Uint8Array;
  readonly sourceStart: number;
  readonly sourceStrides: readonly number[];
  readonly target: Uint8Array;
  readonly targetStart: number;
  readonly targetStrides: readonly number[];
}

/** Strides of an array of this shape in storage order, in values. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  for (let axis = 0, stride = 1; axis < shape.length; stride *= shape[axis++]) strides.push(stride);
  return strides;
}

interface CopyAxis {
  count: number;
  readonly source: number;
  readonly target: number;
}

/** Joins axes that are contiguous in both arrays, so that the inner loop is as long as it can be. */
function joinAxes(copy: BoxCopy): CopyAxis[] {
  const axes: CopyAxis[] = [];
  copy.counts.forEach((count, axis) => {
    if (count === 1) return;
    const source = copy.sourceStrides[axis];
    const target = copy.targetStrides[axis];
    const inner = axes.at(-1);
    if (inner !== undefined && inner.source * inner.count === source && inner.target * inner.count === target)
      inner.count *= count;
    else axes.push({ count, source, target });
  });
  if (axes.length === 0) axes.push({ count: 1, source: 1, target: 1 });
  return axes;
}

/** Runs of fewer words are faster copied one by one than by a call. */
const SHORT_RUN = 24;

/** How a box is copied: in words of `unit` bytes, `words` of them a value. */
interface WordCopy {
  readonly unit: 1 | 2 | 4;
  readonly axes: CopyAxis[];
  readonly words: number;
  readonly from: number;
  readonly to: number;
}

/** The largest words that values, positions and strides are whole numbers of. */
function inWords(copy: BoxCopy): WordCopy {
  const { width, source, target, sourceStart: from, targetStart: to } = copy;
  const axes = joinAxes(copy);
  const [inner, ...outer] = axes;
  const isRun = inner.source === 1 && inner.target === 1;
  // Flags are a byte each, but mostly four of them can be moved at a time.
  const numbers = [inner.count, from, to, source.byteOffset, target.byteOffset];
  const strides = outer.flatMap((axis) => [axis.source, axis.target]);
  if (width === 1 && isRun && [...numbers, ...strides].every((number) => number % 4 === 0)) {
    const quarter = ({ count, source, target }: CopyAxis) => ({
      count,
      source: source / 4,
      target: target / 4,
    });
    const wide = [{ ...inner, count: inner.count / 4 }, ...outer.map(quarter)];
    return { unit: 4, axes: wide, words: 1, from: from / 4, to: to / 4 };
  }
  const unit = width % 4 === 0 ? 4 : width % 2 === 0 ? 2 : 1;
  return { unit, axes, words: width / unit, from, to };
}

/** Copies a box. Both arrays must be aligned to their values' width (at most 4). */
export function copyBox(copy: BoxCopy): void {
  if (copy.counts.includes(0)) return;
  const { unit, axes, words, ...start } = inWords(copy);
  const source = wordsOf(copy.source, unit);
  const target = wordsOf(copy.target, unit);
  const [inner, ...outer] = axes;
  const isRun = inner.source === 1 && inner.target === 1;
  const run = isRun ? inner.count * words : words;
  const repeats = isRun ? 1 : inner.count;
  const index = outer.map(() => 0);
  let { from, to } = start;
  for (;;) {
    for (let i = 0; i < repeats; i++) {
      const first = (from + i * inner.source) * words;
      const place = (to + i * inner.target) * words;
      if (run >= SHORT_RUN) target.set(source.subarray(first, first + run), place);
      else for (let word = 0; word < run; word++) target[place + word] = source[first + word];
    }
    let axis = 0;
    for (; axis < outer.length; axis++) {
      from += outer[axis].source;
      to += outer[axis].target;
      if (++index[axis] < outer[axis].count) break;
      index[axis] = 0;
      from -= outer[axis].source * outer[axis].count;
      to -= outer[axis].target * outer[axis].count;
    }
    if (axis === outer.length) return;
  }
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Integer words, since floating-point ones may lose the bits of a NaN. */
function wordsOf(bytes: Uint8Array, unit: 1 | 2 | 4): Words {
  if (unit === 1) return bytes;
  const length = Math.floor(bytes.byteLength / unit);
  if (unit === 2) return new Uint16Array(bytes.buffer, bytes.byteOffset, length);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
}

/** Copies the kept part of a cell whose values from `cut.spanStart` on are in `span`. */
export function copyCut(
  cut: CellCut,
  { span, target, at, width }: { span: Uint8Array; target: Uint8Array; at: number; width: number },
): void {
  copyBox({
    counts: cut.counts,
    width,
    source: span,
    sourceStart: 0,
    sourceStrides: stridesOf(cut.shape),
    target,
    targetStart: at,
    targetStrides: stridesOf(cut.counts),
  });
}
