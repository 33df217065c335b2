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

/// plane[k] = image[k] (cos[k], -sin[k]), k < count: the transpose of `addRow`.
export function setRow<T>(image: usize, cosines: usize, sines: usize, plane: usize, count: i32): void {
  const size = sizeof<T>();
  for (let k: usize = 0; k < <usize>count; k++) {
    const value = load<T>(image + k * size);
    store<T>(plane + 2 * k * size, value * load<T>(cosines + k * size));
    store<T>(plane + (2 * k + 1) * size, -value * load<T>(sines + k * size));
  }
}

/// Spreads a half row of screen values, indexed by distance from the centre, over a whole row.
export function mirror<T>(half: usize, row: usize, centre: i32, count: i32): void {
  const size = sizeof<T>();
  for (let k: i32 = 0; k < count; k++) {
    const distance = k < centre ? centre - k : k - centre;
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

/// Adds what was gridded beyond the edges to the opposite sides; `plane` points at cell (0, 0) inside its
/// border.
export function fold<T>(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  const cell = 2 * sizeof<T>();
  const margin = <usize>border * cell;
  for (let r = -border; r < sizeV + border; r++) {
    const row = plane + <usize>r * stride;
    addCells<T>(row - margin, row + <usize>(sizeU - border) * cell, border);
    addCells<T>(row + <usize>sizeU * cell, row, border);
  }
  for (let r = 0; r < border; r++) {
    addCells<T>(plane + <usize>(r - border) * stride, plane + <usize>(sizeV - border + r) * stride, sizeU);
    addCells<T>(plane + <usize>(sizeV + r) * stride, plane + <usize>r * stride, sizeU);
  }
}

/// The transpose of `fold`: copies the edges into the border on the opposite side.
export function unfold<T>(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  const cell = 2 * sizeof<T>();
  const margin = <usize>border * cell;
  for (let r = 0; r < border; r++) {
    const last = plane + <usize>(sizeV - border + r) * stride;
    memory.copy(plane + <usize>(r - border) * stride, last, <usize>sizeU * cell);
    memory.copy(plane + <usize>(sizeV + r) * stride, plane + <usize>r * stride, <usize>sizeU * cell);
  }
  for (let r = -border; r < sizeV + border; r++) {
    const row = plane + <usize>r * stride;
    memory.copy(row - margin, row + <usize>(sizeU - border) * cell, margin);
    memory.copy(row + <usize>sizeU * cell, row, margin);
  }
}
