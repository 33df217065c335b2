/**
 * Owns the two-dimensional complex FFT as its users see it: good lengths, and in-place transforms of arrays
 * by the WebAssembly kernel in 32 or 64-bit floats. Forward is exp(-2 pi i k j / N); neither direction
 * normalises. Must not know: what is transformed.
 */
import { type Arena, withArena } from './arena.ts';
import { ofPrecision, type Precision } from './kernel-exports.ts';

/** The least length >= `least` that the FFT does well: 2^a 3^b 5^c and a multiple of 16. */
export function goodFftLength(least: number): number {
  let length = Math.ceil(least / 16) * 16;
  while (!isGood(length)) length += 16;
  return length;
}

function isGood(length: number): boolean {
  let rest = length;
  for (const factor of [2, 3, 5]) while (rest % factor === 0) rest /= factor;
  return rest === 1;
}

/** Writes the table exp(-2 pi i k / length) that the transforms read; returns its address. */
export function allocateTwiddles(arena: Arena, length: number, precision: Precision): number {
  const address = arena.allocate((length * precision) / 4);
  const table = precision === 32 ? arena.f32(address, 2 * length) : arena.f64(address, 2 * length);
  for (let k = 0; k < length; k++) {
    const angle = (-2 * Math.PI * k) / length;
    table[2 * k] = Math.cos(angle);
    table[2 * k + 1] = Math.sin(angle);
  }
  return address;
}

/** Address of the two work buffers that lines of up to `length` elements need. */
export function allocateWork(arena: Arena, length: number): readonly [number, number] {
  return [arena.allocate(64 * length), arena.allocate(64 * length)];
}

/**
 * Transforms `data`, `[y, x, 2]` re/im interleaved, in place; `sign` -1 is forward, +1 backward,
 * unnormalised. Both lengths must be good (`goodFftLength`). The precision is that of the array.
 */
export function fft2d(
  data: Float32Array | Float64Array,
  sizeX: number,
  sizeY: number,
  sign: -1 | 1 = -1,
): void {
  if (goodFftLength(sizeX) !== sizeX || goodFftLength(sizeY) !== sizeY || data.length !== 2 * sizeX * sizeY) {
    throw new RangeError(`no FFT of ${data.length} floats as ${sizeY} x ${sizeX} complex numbers`);
  }
  if (sign === 1) conjugate(data);
  withArena((arena) => {
    const precision: Precision = data instanceof Float32Array ? 32 : 64;
    const address = arena.allocate(data.byteLength);
    const [work0, work1] = allocateWork(arena, Math.max(sizeX, sizeY));
    const twiddlesX = allocateTwiddles(arena, sizeX, precision);
    const twiddlesY = allocateTwiddles(arena, sizeY, precision);
    const kernels = ofPrecision(arena.kernels, precision);
    const view = precision === 32 ? arena.f32(address, data.length) : arena.f64(address, data.length);
    view.set(data);
    const stride = (sizeX * precision) / 4;
    kernels.rows(address, sizeX, stride, 0, sizeY, 0, sizeX, 0, sizeX, work0, work1, twiddlesX);
    kernels.columns(address, sizeY, stride, 0, sizeX, 0, sizeY, 0, sizeY, work0, work1, twiddlesY);
    data.set(view);
  });
  if (sign === 1) conjugate(data);
}

function conjugate(data: Float32Array | Float64Array): void {
  for (let k = 1; k < data.length; k += 2) data[k] = -data[k]!;
}
