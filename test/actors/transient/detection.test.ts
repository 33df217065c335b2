/** Detection in cubes: boxes over series, tiles, false alarms, and which detections become sources. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBands, cutTile, detectInTile, tilesOf, weigh } from '../../../actors/transient/detect-tile.ts';
import { BoxFilter, filterDurations } from '../../../actors/transient/matched-filter.ts';
import { selectDetections } from '../../../actors/transient/select-detections.ts';
import { binOf, binTimes } from '../../../actors/transient/time-bins.ts';
import { normalNoise } from '../../support/frames.ts';

const durations = filterDurations(10);

test('durations grow by halves', () => {
  assert.deepEqual(filterDurations(13), [1, 2, 3, 4, 6, 8, 12]);
  assert.deepEqual(filterDurations(1), [1]);
});

test('a box is found where it is, with the signal-to-noise ratio of a difference of means', () => {
  const flux = [2, 2, 5, 5, 2, 2, 2, 2];
  const filter = new BoxFilter(new Float64Array(8).fill(4), [1, 2, 3]);
  filter.load(flux.map((value) => 4 * value));
  const event = filter.best()!;
  assert.deepEqual([event.start, event.end], [2, 4]);
  assert.ok(Math.abs(event.amplitude - 3) < 1e-9);
  assert.ok(Math.abs(event.snr - 3 / Math.sqrt(1 / 8 + 1 / 24)) < 1e-9);
});

test('many series at once give what each gives alone', () => {
  const [bins, count] = [20, 150];
  const noise = normalNoise(bins * count, 3);
  const weight = Float64Array.from({ length: bins }, (_, t) => (t === 7 ? 0 : 1 + (t % 3)));
  const weighted = noise.map((value, k) => value * weight[Math.floor(k / count)]!);
  // Outside of the sky.
  weighted[5 * count + 100] = Number.NaN;
  const filter = new BoxFilter(weight, durations);
  const highest = new Float32Array(count);
  filter.highest(weighted, highest);
  highest.forEach((snr, k) => {
    filter.load(weighted, k, count);
    const alone = k === 100 ? Number.NEGATIVE_INFINITY : filter.best()!.snr;
    assert.ok(snr === alone || Math.abs(snr - alone) < 1e-5, `series ${k}: ${snr}, not ${alone}`);
  });
});

test('a constant of any size and bins without data play no part', () => {
  const weight = Float64Array.of(1, 0, 1, 1, 1, 0);
  const filter = new BoxFilter(weight, [1, 2]);
  filter.load(weight.map((w) => w * 1e6));
  assert.ok(Math.abs(filter.best()!.snr) < 1e-6);
  const silent = new BoxFilter(new Float64Array(4), [1, 2]);
  silent.load([0, 0, 0, 0]);
  assert.equal(silent.best(), undefined);
});

/** A cube of noise of 1, smoothed to beams of about 3 pixels, with brightenings. */
function noiseCube(size: number, frames: number, seed: number): Float32Array[] {
  return Array.from({ length: frames }, (_, t) => {
    const white = normalNoise(size * size, seed * 1000 + t);
    const smooth = new Float32Array(size * size);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        for (let v = -1; v <= 1; v++) {
          for (let u = -1; u <= 1; u++) {
            const weight = (u === 0 ? 2 : 1) * (v === 0 ? 2 : 1);
            const at = ((y + v + size) % size) * size + ((x + u + size) % size);
            smooth[y * size + x]! += (weight * white[at]!) / 6;
          }
        }
      }
    }
    return smooth;
  });
}

function addBlob(image: Float32Array, [x, y]: readonly [number, number], flux: number): void {
  const size = Math.sqrt(image.length);
  for (let v = 0; v < size; v++) {
    for (let u = 0; u < size; u++) {
      image[v * size + u]! += flux * Math.exp(-((u - x) ** 2 + (v - y) ** 2) / 3);
    }
  }
}

const identity = (count: number) => Int32Array.from({ length: count }, (_, k) => k);
const options = { threshold: 6, radius: 3, durations, most: 10 };

function search(cube: readonly Float32Array[], size: number, tileSize: number, threshold = 6) {
  const sigma = new Float64Array(cube.length).fill(1);
  return tilesOf({ npixX: size, npixY: size }, tileSize, 4).flatMap((tile) => {
    const series = { values: cutTile(cube, size, tile), sigma, bin: identity(cube.length) };
    return detectInTile(tile, weigh(tile, series, cube.length), { ...options, threshold });
  });
}

test('a brightening is found once, in its tile, at its place and time', () => {
  const size = 48;
  const cube = noiseCube(size, 20, 1);
  // On the border of tiles, between pixels.
  for (const t of [7, 8, 9]) addBlob(cube[t]!, [15.6, 24.3], 7);
  const found = search(cube, size, 16);
  assert.equal(found.length, 1);
  const [event] = found;
  assert.ok(Math.hypot(event!.x - 15.6, event!.y - 24.3) < 0.5, `${event!.x} ${event!.y}`);
  assert.deepEqual([event!.start, event!.end], [7, 10]);
  assert.ok(Math.abs(event!.amplitude - 7) < 2);
});

/** How many peaks of pure noise exceed `threshold` on average, by the expected Euler characteristic of a
 * Gaussian field in two dimensions (Worsley et al. 1992): near 6 sigma some fifteen times as many as the
 * number of beams suggests, since a field offers more than one place a beam for a peak.
 * @param trials.elements beams (full width at half maximum squared) in an image
 * @param trials.series independent images: times, durations and bands together */
function expectedFalse(
  trials: { readonly elements: number; readonly series: number },
  threshold: number,
): number {
  const density = (4 * Math.LN2 * threshold * Math.exp(-(threshold ** 2) / 2)) / (2 * Math.PI) ** 1.5;
  return trials.elements * trials.series * density;
}

test('pure noise gives as many false alarms as the theory of random fields says', () => {
  const size = 64;
  let found = 0;
  for (let seed = 1; seed <= 4; seed++) found += search(noiseCube(size, 20, seed), size, 64, 4).length;
  // Pixels of 4 cubes over 2.4^2 a resolution element; boxes that differ, about 2 a bin.
  const expected = expectedFalse({ elements: (4 * size * size) / 2.4 ** 2, series: 40 }, 4);
  assert.ok(found > 0.4 * expected && found < 2.5 * expected, `${found} found, ${expected} expected`);
  for (let seed = 1; seed <= 4; seed++) assert.equal(search(noiseCube(size, 20, seed), size, 64).length, 0);
});

test('a noisy corner raises its own threshold only', () => {
  const size = 64;
  const cube = noiseCube(size, 20, 9);
  for (const image of cube)
    for (let y = 0; y < 32; y++) for (let x = 0; x < 32; x++) image[y * size + x]! *= 5;
  assert.equal(search(cube, size, 64).length, 0);
  addBlob(cube[3]!, [50, 50], 12);
  assert.equal(search(cube, size, 64).length, 1);
});

test('what no band shows alone is found in all; missing frames and places beyond the sky do no harm', () => {
  const size = 32;
  const [tile] = tilesOf({ npixX: size, npixY: size }, size, 4);
  const bands = [21, 22, 23].map((seed) => {
    const cube = noiseCube(size, 20, seed);
    addBlob(cube[5]!, [16, 16], 4.6);
    for (const image of cube) image.fill(Number.NaN, 0, size);
    const sigma = new Float64Array(20).fill(1);
    sigma[11] = Number.NaN;
    cube[11]!.fill(0);
    return weigh(tile!, { values: cutTile(cube, size, tile!), sigma, bin: identity(20) }, 20);
  });
  for (const band of bands) assert.equal(detectInTile(tile!, band, options).length, 0);
  const [found, ...more] = detectInTile(tile!, addBands(bands), options);
  assert.equal(more.length, 0);
  assert.ok(Math.hypot(found!.x - 16, found!.y - 16) < 0.7);
  assert.deepEqual([found!.start, found!.end], [5, 6]);
});

test('known places and weaker detections of the same time wait, others of another time do not', () => {
  const beam = { majorRad: 4e-5, minorRad: 4e-5, positionAngleRad: 0 };
  const at = (l: number, amplitude: number, start: number) => ({
    l,
    m: 0,
    snr: 10 * amplitude,
    amplitude,
    start,
    end: start + 3,
    beam,
  });
  const known = at(5e-4, 2, 0);
  const list = [
    at(1e-3, 10, 0),
    at(2e-3, 4, 2),
    at(3e-3, 4, 3),
    at(5e-4 + 1e-5, 8, 0),
    at(1e-3 + 1e-5, 9, 1),
  ];
  const { accepted, waiting } = selectDetections(list, [known]);
  assert.deepEqual(
    accepted.map(({ l }) => l),
    [1e-3, 3e-3],
  );
  assert.equal(waiting, 1);
});

test('frames of different bands share bins; gaps take none', () => {
  const frames = [0, 10, 20, 1000].map((start) => ({ timeS: start + 5, dtS: 10 }));
  const fine = [0, 5, 10, 15].map((start) => ({ timeS: start + 2.5, dtS: 5 }));
  const bins = binTimes([fine, frames]);
  assert.equal(bins.startS.length, 4);
  assert.deepEqual(
    frames.map(({ timeS }) => binOf(bins, timeS)),
    [0, 1, 2, 3],
  );
  assert.deepEqual(
    fine.map(({ timeS }) => binOf(bins, timeS)),
    [0, 0, 1, 1],
  );
});
