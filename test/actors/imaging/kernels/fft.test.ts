/**
 * Holds the FFT to the discrete Fourier transform written out, for every radix and both precisions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fft2d, goodFftLength } from '../../../../actors/imaging/kernels/fft.ts';
import { uniformNoise } from '../../../support/noise.ts';

/**
 * The transform along rows of `[y, x, 2]` by its definition; the result is transposed: twice does both
 * axes.
 */
function slowRows(data: Float64Array, sizeX: number, sizeY: number): Float64Array {
  const turned = new Float64Array(data.length);
  for (let y = 0; y < sizeY; y++) {
    for (let k = 0; k < sizeX; k++) {
      let re = 0;
      let im = 0;
      for (let x = 0; x < sizeX; x++) {
        const angle = (-2 * Math.PI * ((k * x) % sizeX)) / sizeX;
        const [a, b] = [data[2 * (y * sizeX + x)]!, data[2 * (y * sizeX + x) + 1]!];
        re += a * Math.cos(angle) - b * Math.sin(angle);
        im += a * Math.sin(angle) + b * Math.cos(angle);
      }
      turned[2 * (k * sizeY + y)] = re;
      turned[2 * (k * sizeY + y) + 1] = im;
    }
  }
  return turned;
}

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let scale = 0;
  for (let k = 0; k < a.length; k++) {
    difference = Math.max(difference, Math.abs(a[k]! - b[k]!));
    scale = Math.max(scale, Math.abs(a[k]!));
  }
  return difference / scale;
}

for (const [sizeX, sizeY] of [
  [16, 16],
  [32, 48],
  [80, 64],
  [240, 144],
  [400, 32],
] as const) {
  test(`the FFT of ${sizeY} x ${sizeX} is the discrete Fourier transform`, () => {
    const input = uniformNoise(2 * sizeX * sizeY, 5);
    const exact = slowRows(slowRows(input, sizeX, sizeY), sizeY, sizeX);
    const double = input.slice();
    fft2d(double, sizeX, sizeY);
    assert.ok(worst(exact, double) < 1e-13, `64 bit: ${worst(exact, double)}`);
    const single = Float32Array.from(input);
    fft2d(single, sizeX, sizeY);
    assert.ok(worst(exact, single) < 1e-6, `32 bit: ${worst(exact, single)}`);
  });
}

test('forward and backward give the input times the number of elements', () => {
  const input = uniformNoise(2 * 96 * 160, 6);
  const data = input.slice();
  fft2d(data, 96, 160, -1);
  fft2d(data, 96, 160, 1);
  for (let k = 0; k < data.length; k++) data[k] = data[k]! / (96 * 160);
  assert.ok(worst(input, data) < 1e-13);
});

test('good lengths are products of 2, 3 and 5 and multiples of 16', () => {
  assert.deepEqual([1, 16, 17, 97, 1025, 1537].map(goodFftLength), [16, 16, 32, 128, 1152, 1600]);
  for (let least = 1; least < 3000; least += 37) {
    const length = goodFftLength(least);
    assert.ok(
      length >= least && length % 16 === 0 && (60466176 * 15625 * 1000) % length === 0,
      `${least}: ${length}`,
    );
  }
});
