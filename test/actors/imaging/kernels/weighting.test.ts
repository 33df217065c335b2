/**
 * Holds natural, uniform and Briggs weights to their definitions, counted by brute force.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DensityGrid,
  densityGridSize,
  imagingWeights,
} from '../../../../actors/imaging/kernels/weighting.ts';
import { randomVisibilities } from '../../../support/visibilities.ts';

const geometry = { npixX: 32, npixY: 20, pixsizeX: 0.001, pixsizeY: 0.002 };
const made = randomVisibilities({
  rows: 500,
  channels: 4,
  geometry,
  fill: 0.6, // a part lies outside the density grid
  wLambda: 100,
  masked: 0.2,
  seed: 2,
});

/** The name of the uv cell of a sample, straight from the definition. */
function cellName(row: number, channel: number): string | undefined {
  const [nx, ny] = [40, 24];
  let u = (made.uvw[3 * row]! * made.freq[channel]!) / 299_792_458;
  let v = (made.uvw[3 * row + 1]! * made.freq[channel]!) / 299_792_458;
  if (v < 0) [u, v] = [-u, -v];
  const x = Math.floor(u * nx * geometry.pixsizeX + nx / 2);
  const y = Math.floor(v * ny * geometry.pixsizeY);
  return x < 0 || x >= nx || y >= ny / 2 ? undefined : `${x},${y}`;
}

function eachSample(visit: (k: number, cell: string | undefined) => void): void {
  for (let k = 0; k < made.weight.length; k++) {
    if (made.mask[k] === 1) visit(k, cellName(Math.floor(k / 4), k % 4));
  }
}

const counted = new Map<string, number>();
eachSample((k, cell) => {
  if (cell !== undefined) counted.set(cell, (counted.get(cell) ?? 0) + made.weight[k]!);
});

function density(): DensityGrid {
  const grid = new DensityGrid(geometry);
  grid.add(made);
  return grid;
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * Math.abs(b);
}

test('the density grid has 1.2 times the pixels, rounded up to a multiple of four', () => {
  assert.deepEqual([512, 256, 1024, 32, 20].map(densityGridSize), [616, 308, 1232, 40, 24]);
});

test('natural weights are the weights of the samples', () => {
  assert.deepEqual(imagingWeights(made, undefined, { kind: 'natural' }), made.weight);
});

/** The factor of each cell, no larger than three times the mean of those within eight cells that have one. */
function filtered(factor: (summed: number) => number): (cell: string) => number {
  const [nx, half] = [40, 12];
  const base = (x: number, y: number) => factor(counted.get(`${x},${y}`) ?? 0);
  return (cell) => {
    const [x, y] = cell.split(',').map(Number) as [number, number];
    const around: number[] = [];
    for (let v = Math.max(0, y - 8); v < Math.min(half, y + 8); v++) {
      for (let u = Math.max(0, x - 8); u < Math.min(nx, x + 8); u++) around.push(base(u, v));
    }
    const present = around.filter((value) => value !== 0);
    const mean = present.reduce((sum, value) => sum + value, 0) / present.length;
    return Math.min(base(x, y), 3 * mean);
  };
}

test('uniform weights sum to one a cell, to less where few samples stand out; to zero off the grid', () => {
  const weights = imagingWeights(made, density(), { kind: 'uniform' });
  const factor = filtered((summed) => (summed > 0 ? 1 / summed : 0));
  const sums = new Map<string, number>();
  let outside = 0;
  eachSample((k, cell) => {
    if (cell === undefined) {
      outside++;
      assert.equal(weights[k], 0);
    } else sums.set(cell, (sums.get(cell) ?? 0) + weights[k]!);
  });
  assert.ok(outside > 100 && sums.size > 100);
  let lowered = 0;
  for (const [cell, sum] of sums) {
    const wanted = factor(cell) * counted.get(cell)!;
    assert.ok(close(sum, wanted));
    if (wanted < 0.999) lowered++;
  }
  assert.ok(lowered > 0 && lowered < sums.size / 4, `${lowered} of ${sums.size} cells are lowered`);
});

for (const robust of [-2, 0, 0.5, 2]) {
  test(`Briggs weights with robustness ${robust} are as defined`, () => {
    const weights = imagingWeights(made, density(), { kind: 'briggs', robust });
    const sums = [...counted.values()];
    const mean = sums.reduce((sum, w) => sum + w * w, 0) / sums.reduce((sum, w) => sum + w, 0);
    const scale = (5 * 10 ** -robust) ** 2 / mean;
    const factor = filtered((summed) => 1 / (1 + summed * scale));
    eachSample((k, cell) => {
      assert.ok(close(weights[k]!, cell === undefined ? 0 : made.weight[k]! * factor(cell)));
    });
  });
}

test('factors follow the counts: they are made anew when samples are added', () => {
  const grid = density();
  const before = grid.factors({ kind: 'uniform' });
  assert.equal(grid.factors({ kind: 'uniform' }), before);
  assert.notDeepEqual(grid.factors({ kind: 'briggs', robust: 0 }), before);
  grid.add(made);
  grid.factors({ kind: 'uniform' }).forEach((factor, cell) => {
    assert.ok(Math.abs(factor - before[cell]! / 2) <= 1e-12 * factor);
  });
});

test('grids counted apart and merged give the weights of one grid', () => {
  const rows = (from: number, to: number) => ({
    uvw: made.uvw.subarray(3 * from, 3 * to),
    freq: made.freq,
    weight: made.weight.subarray(4 * from, 4 * to),
    mask: made.mask.subarray(4 * from, 4 * to),
  });
  const merged = new DensityGrid(geometry);
  merged.add(rows(0, 120));
  const other = new DensityGrid(geometry);
  other.add(rows(120, 500));
  const travelled = DensityGrid.fromState(structuredClone(other.toState()));
  merged.merge(travelled.toState());
  merged.cells.forEach((sum, cell) => {
    assert.ok(Math.abs(sum - density().cells[cell]!) < 1e-9);
  });
  assert.throws(() => merged.merge(new DensityGrid({ ...geometry, npixX: 64 })), RangeError);
});

test('weights of a wholly masked block are zero and count for nothing', () => {
  const mask = new Uint8Array(made.mask.length);
  const grid = new DensityGrid(geometry);
  grid.add({ ...made, mask });
  assert.ok(grid.cells.every((sum) => sum === 0));
  const weights = imagingWeights({ ...made, mask }, grid, { kind: 'briggs', robust: 0 });
  assert.ok(weights.every((weight) => weight === 0));
});
