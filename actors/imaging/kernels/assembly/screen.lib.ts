// Owns the steps between a transformed w plane and the image: the phase screen of the plane, multiplied in
// while the planes are summed (and, for prediction, while an image is laid on a plane), and the folding of
// borders. Must not know: how planes are filled or transformed, the correction for the gridding kernels.
import { madd } from './simd.lib';

/// image[k] += re[k] cos[k] + im[k] sin[k], k < count: the real part of plane times exp(-i phase).
/// `count` is rounded up to whole vectors: the rows of `image` and the screens are padded for that.
export function addRow<T>(plane: usize, cosines: usize, sines: usize, image: usize, count: i32): void {
  const lanes = <i32>(16 / sizeof<T>());
  for (let k = 0; k < count; k += lanes) {
    const to = <usize>k * sizeof<T>();
    const a = v128.load(plane + 2 * to);
    const b = v128.load(plane + 2 * to, 16);
    const re = sizeof<T>() == 4 ? v128.shuffle<f32>(a, b, 0, 2, 4, 6) : v128.shuffle<f64>(a, b, 0, 2);
    const im = sizeof<T>() == 4 ? v128.shuffle<f32>(a, b, 1, 3, 5, 7) : v128.shuffle<f64>(a, b, 1, 3);
    const sum = madd<T>(re, v128.load(cosines + to), v128.load(image + to));
    v128.store(image + to, madd<T>(im, v128.load(sines + to), sum));
  }
}

/// plane[k] = image[k] (cos[k], -sin[k]), k < count rounded up as above: the transpose of `addRow`.
export function setRow<T>(plane: usize, cosines: usize, sines: usize, image: usize, count: i32): void {
  const lanes = <i32>(16 / sizeof<T>());
  for (let k = 0; k < count; k += lanes) {
    const from = <usize>k * sizeof<T>();
    const value = v128.load(image + from);
    const re = v128.mul<T>(value, v128.load(cosines + from));
    const im = v128.neg<T>(v128.mul<T>(value, v128.load(sines + from)));
    const to = plane + 2 * from;
    const low = sizeof<T>() == 4 ? v128.shuffle<f32>(re, im, 0, 4, 1, 5) : v128.shuffle<f64>(re, im, 0, 2);
    const high = sizeof<T>() == 4 ? v128.shuffle<f32>(re, im, 2, 6, 3, 7) : v128.shuffle<f64>(re, im, 1, 3);
    v128.store(to, low);
    v128.store(to, high, 16);
  }
}

/// Spreads half a row of screen values, by distance from the centre, over a row of `count` pixels.
/// The centre lies at count / 2: between two pixels if that is odd, whose distances then are k + 1/2.
export function mirror<T>(half: usize, row: usize, count: i32): void {
  const size = sizeof<T>();
  for (let k: i32 = 0; k < count; k++) {
    const twice = 2 * k - count;
    const distance = (twice < 0 ? -twice : twice) >> 1;
    store<T>(row + <usize>k * size, load<T>(half + <usize>distance * size));
  }
}

@inline
function addCells<T>(from: usize, to: usize, cells: i32): void {
  for (let k: i32 = 0; k < 2 * cells; k++) {
    const at = <usize>k * sizeof<T>();
    store<T>(to + at, load<T>(to + at) + load<T>(from + at));
  }
}

/// Adds what was gridded left and right of rows r0..r1 to their opposite ends. `plane`, here and below,
/// points at cell (0, 0) inside its border.
export function foldColumns<T>(
  plane: usize, stride: usize, sizeU: i32, border: i32, r0: i32, r1: i32,
): void {
  const cell = 2 * sizeof<T>();
  const margin = <usize>border * cell;
  for (let r = r0; r < r1; r++) {
    const row = plane + <usize>r * stride;
    addCells<T>(row - margin, row + <usize>(sizeU - border) * cell, border);
    addCells<T>(row + <usize>sizeU * cell, row, border);
  }
}

/// Adds what was gridded below the first and above the last row to the opposite side.
export function foldRows<T>(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  for (let r = 0; r < border; r++) {
    addCells<T>(plane + <usize>(r - border) * stride, plane + <usize>(sizeV - border + r) * stride, sizeU);
    addCells<T>(plane + <usize>(sizeV + r) * stride, plane + <usize>r * stride, sizeU);
  }
}

/// The transpose of `foldColumns`: copies the ends of rows r0..r1 into the border on the opposite side.
export function unfoldColumns<T>(
  plane: usize, stride: usize, sizeU: i32, border: i32, r0: i32, r1: i32,
): void {
  const cell = 2 * sizeof<T>();
  const margin = <usize>border * cell;
  for (let r = r0; r < r1; r++) {
    const row = plane + <usize>r * stride;
    memory.copy(row - margin, row + <usize>(sizeU - border) * cell, margin);
    memory.copy(row + <usize>sizeU * cell, row, margin);
  }
}

/// The transpose of `foldRows`.
export function unfoldRows<T>(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  const bytes = <usize>sizeU * 2 * sizeof<T>();
  for (let r = 0; r < border; r++) {
    memory.copy(plane + <usize>(r - border) * stride, plane + <usize>(sizeV - border + r) * stride, bytes);
    memory.copy(plane + <usize>(sizeV + r) * stride, plane + <usize>r * stride, bytes);
  }
}
