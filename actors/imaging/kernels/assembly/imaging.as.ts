// The one WebAssembly module of the imaging kernels: every kernel for f32 and f64. No managed objects and no
// data section: pointers into the imported memory come in, results lie in it.
import * as clean from './clean.lib';
import * as fft from './fft.lib';
import * as grid from './grid.lib';
import * as locate from './locate.lib';
import * as screens from './screen.lib';
import * as turns from './turns.lib';

export function rows32(
  data: usize, length: i32, stride: usize, r0: i32, r1: i32, in0: i32, in1: i32, out0: i32, out1: i32,
  b0: usize, b1: usize, tw: usize,
): void {
  fft.rows<f32>(data, length, stride, r0, r1, in0, in1, out0, out1, b0, b1, tw);
}

export function rows64(
  data: usize, length: i32, stride: usize, r0: i32, r1: i32, in0: i32, in1: i32, out0: i32, out1: i32,
  b0: usize, b1: usize, tw: usize,
): void {
  fft.rows<f64>(data, length, stride, r0, r1, in0, in1, out0, out1, b0, b1, tw);
}

export function columns32(
  data: usize, length: i32, stride: usize, c0: i32, c1: i32, in0: i32, in1: i32, out0: i32, out1: i32,
  b0: usize, b1: usize, tw: usize,
): void {
  fft.columns<f32>(data, length, stride, c0, c1, in0, in1, out0, out1, b0, b1, tw);
}

export function columns64(
  data: usize, length: i32, stride: usize, c0: i32, c1: i32, in0: i32, in1: i32, out0: i32, out1: i32,
  b0: usize, b1: usize, tw: usize,
): void {
  fft.columns<f64>(data, length, stride, c0, c1, in0, in1, out0, out1, b0, b1, tw);
}

export function locate32(
  pass: i32, sparse: bool, uvw: usize, freq: usize, vis: usize, rows: i32, chans: i32, par: usize,
  slots: usize, records: usize, firstIndex: u32,
): void {
  locate.locate<f32>(pass, sparse, uvw, freq, vis, rows, chans, par, slots, records, firstIndex);
}

export function locate64(
  pass: i32, sparse: bool, uvw: usize, freq: usize, vis: usize, rows: i32, chans: i32, par: usize,
  slots: usize, records: usize, firstIndex: u32,
): void {
  locate.locate<f64>(pass, sparse, uvw, freq, vis, rows, chans, par, slots, records, firstIndex);
}

export function firstRecords(slots: usize, count: i32): u32 {
  return locate.firstRecords(slots, count);
}

export function gather32(records: usize, count: i32, out: usize): void {
  locate.gather<f32>(records, count, out);
}

export function gather64(records: usize, count: i32, out: usize): void {
  locate.gather<f64>(records, count, out);
}

export function unturn(uvw: usize, freq: usize, out: usize, rows: i32, chans: i32, par: usize): void {
  locate.unturn(uvw, freq, out, rows, chans, par);
}

export function grid32(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  grid.gridSamples<f32>(first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
}

export function grid64(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  grid.gridSamples<f64>(first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
}

export function degrid32(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  grid.degridSamples<f32>(first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
}

export function degrid64(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  grid.degridSamples<f64>(first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
}

export function screen32(n: usize, count: i32, w: f64, cosines: usize, sines: usize): void {
  turns.screen<f32>(n, count, w, cosines, sines);
}

export function screen64(n: usize, count: i32, w: f64, cosines: usize, sines: usize): void {
  turns.screen<f64>(n, count, w, cosines, sines);
}

export function mirror32(half: usize, row: usize, count: i32): void {
  screens.mirror<f32>(half, row, count);
}

export function mirror64(half: usize, row: usize, count: i32): void {
  screens.mirror<f64>(half, row, count);
}

export function addRow32(plane: usize, cosines: usize, sines: usize, image: usize, count: i32): void {
  screens.addRow<f32>(plane, cosines, sines, image, count);
}

export function addRow64(plane: usize, cosines: usize, sines: usize, image: usize, count: i32): void {
  screens.addRow<f64>(plane, cosines, sines, image, count);
}

export function setRow32(plane: usize, cosines: usize, sines: usize, image: usize, count: i32): void {
  screens.setRow<f32>(plane, cosines, sines, image, count);
}

export function setRow64(plane: usize, cosines: usize, sines: usize, image: usize, count: i32): void {
  screens.setRow<f64>(plane, cosines, sines, image, count);
}

export function foldColumns32(plane: usize, stride: usize, sizeU: i32, border: i32, r0: i32, r1: i32): void {
  screens.foldColumns<f32>(plane, stride, sizeU, border, r0, r1);
}

export function foldColumns64(plane: usize, stride: usize, sizeU: i32, border: i32, r0: i32, r1: i32): void {
  screens.foldColumns<f64>(plane, stride, sizeU, border, r0, r1);
}

export function unfoldColumns32(
  plane: usize, stride: usize, sizeU: i32, border: i32, r0: i32, r1: i32,
): void {
  screens.unfoldColumns<f32>(plane, stride, sizeU, border, r0, r1);
}

export function unfoldColumns64(
  plane: usize, stride: usize, sizeU: i32, border: i32, r0: i32, r1: i32,
): void {
  screens.unfoldColumns<f64>(plane, stride, sizeU, border, r0, r1);
}

export function foldRows32(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  screens.foldRows<f32>(plane, stride, sizeU, sizeV, border);
}

export function foldRows64(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  screens.foldRows<f64>(plane, stride, sizeU, sizeV, border);
}

export function unfoldRows32(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  screens.unfoldRows<f32>(plane, stride, sizeU, sizeV, border);
}

export function unfoldRows64(plane: usize, stride: usize, sizeU: i32, sizeV: i32, border: i32): void {
  screens.unfoldRows<f64>(plane, stride, sizeU, sizeV, border);
}

export function zero(from: usize, bytes: usize): void {
  memory.fill(from, 0, bytes);
}

export function rowMaxima(
  residual: usize, mask: usize, stride: usize, y0: i32, y1: i32, rowMax: usize,
): void {
  clean.rowMaxima(residual, mask, stride, y0, y1, rowMax);
}

export function subtract(
  residual: usize, stride: usize, x0: i32, x1: i32, y0: i32, y1: i32, psf: usize, psfStride: usize,
  px0: i32, py0: i32, flux: f32,
): void {
  clean.subtract(residual, stride, x0, x1, y0, y1, psf, psfStride, px0, py0, flux);
}
