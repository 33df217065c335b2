/**
 * Holds Hogbom CLEAN to a known sky: its sources come back, what it subtracts is what it reports, it stops
 * when told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hogbom, type PixelImage } from '../../../../actors/imaging/kernels/hogbom.ts';
import { seeded } from '../../../support/noise.ts';

/** The point spread function of 60 random baselines: peak 1 at its centre, sidelobes of some 20 %. */
function spread(npixX: number, npixY: number): PixelImage & { pixels: Float32Array } {
  const next = seeded(4);
  const baselines = Array.from({ length: 60 }, () => [next() - 0.5, next() - 0.5] as const);
  const pixels = new Float32Array(npixX * npixY);
  for (let y = 0; y < npixY; y++) {
    for (let x = 0; x < npixX; x++) {
      const dx = x - Math.floor(npixX / 2);
      const dy = y - Math.floor(npixY / 2);
      const waves = baselines.map(([u, v]) => Math.cos(3 * (u * dx + v * dy)));
      pixels[y * npixX + x] = waves.reduce((sum, wave) => sum + wave, 0) / waves.length;
    }
  }
  return { pixels, npixX, npixY };
}

/** What components look like through a point spread function. */
function observe(
  components: readonly { x: number; y: number; flux: number }[],
  psf: PixelImage,
  size: PixelImage,
) {
  const pixels = new Float64Array(size.npixX * size.npixY);
  for (const { x, y, flux } of components) {
    for (let py = 0; py < size.npixY; py++) {
      for (let px = 0; px < size.npixX; px++) {
        const sx = px - x + Math.floor(psf.npixX / 2);
        const sy = py - y + Math.floor(psf.npixY / 2);
        if (sx < 0 || sy < 0 || sx >= psf.npixX || sy >= psf.npixY) continue;
        pixels[py * size.npixX + px]! += flux * psf.pixels[sy * psf.npixX + sx]!;
      }
    }
  }
  return pixels;
}

const size = { pixels: [], npixX: 61, npixY: 44 };
const truth = [
  { x: 30, y: 22, flux: 1 },
  { x: 3, y: 40, flux: 0.5 },
  { x: 50, y: 10, flux: -0.3 },
  { x: 33, y: 25, flux: 0.4 },
];
const psf = spread(122, 88);
const dirty = { ...size, pixels: observe(truth, psf, size) };

test('the sources of a known sky come back with their fluxes', () => {
  const { components, peak, stoppedBy } = hogbom(dirty, psf, { niter: 5000, threshold: 1e-4 });
  assert.equal(stoppedBy, 'threshold');
  assert.ok(peak <= 1e-4);
  for (const { x, y, flux } of truth) {
    const near = components.filter((c) => Math.hypot(c.x - x, c.y - y) < 1.5);
    const sum = near.reduce((total, c) => total + c.flux, 0);
    assert.ok(Math.abs(sum - flux) < 0.02, `${sum} instead of ${flux} at ${x}, ${y}`);
  }
});

test('the residual is the dirty image minus the components seen through the point spread function', () => {
  for (const shape of [psf, spread(61, 44), spread(25, 31)]) {
    const { components, residual } = hogbom(dirty, shape, { niter: 200, gain: 0.2 });
    const seen = observe(components, shape, size);
    residual.forEach((value, k) => {
      assert.ok(Math.abs(value - (dirty.pixels[k]! - seen[k]!)) < 1e-5);
    });
  }
});

test('components stay inside the mask', () => {
  const mask = new Uint8Array(61 * 44);
  for (let y = 30; y < 44; y++) mask.fill(1, y * 61, y * 61 + 20);
  const { components } = hogbom(dirty, psf, { niter: 300, threshold: 1e-3, mask });
  assert.ok(components.length > 0);
  assert.ok(components.every(({ x, y }) => mask[y * 61 + x] === 1));
});

test('it stops at the iteration, the fraction or the threshold it is told', () => {
  assert.equal(hogbom(dirty, psf, { niter: 7 }).iterations, 7);
  const { peak, stoppedBy } = hogbom(dirty, psf, { niter: 5000, stopFraction: 0.3 });
  assert.equal(stoppedBy, 'stop-fraction');
  const first = dirty.pixels.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(peak <= 0.3 * first && peak > 0.2 * first);
  assert.deepEqual(hogbom(dirty, psf, { niter: 5000, threshold: 2 }).components, []);
});

test('pixels that are NaN are left alone', () => {
  const pixels = Float64Array.from(dirty.pixels, (value, k) => (k % 61 > 55 ? Number.NaN : value));
  const { components, residual } = hogbom({ ...dirty, pixels }, psf, { niter: 1000, threshold: 1e-3 });
  assert.ok(components.every(({ x }) => x <= 55));
  residual.forEach((value, k) => {
    assert.equal(Number.isNaN(value), k % 61 > 55);
  });
});

test('an image of nothing but NaN has no components', () => {
  const nothing = { ...size, pixels: new Float32Array(61 * 44).fill(Number.NaN) };
  const { components, iterations } = hogbom(nothing, psf, { niter: 100 });
  assert.deepEqual([components, iterations], [[], 0]);
});

test('the same input gives the same bits', () => {
  const next = seeded(3);
  const noisy = { ...dirty, pixels: Float64Array.from(dirty.pixels, (value) => value + 0.02 * next()) };
  const runs = [1, 2].map(() => hogbom(noisy, psf, { niter: 500 }));
  assert.deepEqual(runs[0], runs[1]);
});
