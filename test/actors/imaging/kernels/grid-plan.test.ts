/**
 * Holds plans to what they promise: kernels within their error, few planes where w is short, memory that is
 * bounded by what was forecast.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { esTaps, fewestNodes } from '../../../../actors/imaging/kernels/es-kernel.ts';
import { griddingBytes, planGrid } from '../../../../actors/imaging/kernels/grid-plan.ts';
import { correctionOf, errorOf, shareOf, type Taps } from '../../../../actors/imaging/kernels/taps.ts';

/** The largest relative error of a corrected phase, at other places and frequencies than the plan's. */
function independentError(taps: Taps, most: number): number {
  const correct = correctionOf(taps, most);
  let worst = 0;
  for (let x = -1; x <= 1; x += 0.0437) {
    for (let nu = -most; nu <= most; nu += most / 43) {
      let [re, im] = [0, 0];
      for (let k = 0; k < taps.count; k++) {
        const phase = 2 * Math.PI * nu * (taps.offsets[k]! + taps.slope * x);
        re += shareOf(taps, k, x) * Math.cos(phase);
        im += shareOf(taps, k, x) * Math.sin(phase);
      }
      worst = Math.max(worst, Math.hypot(re * correct(nu) - 1, im * correct(nu)));
    }
  }
  return worst;
}

test('kernels keep the error they are asked for, with fewer taps for more padding', () => {
  for (const error of [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7]) {
    let before = Number.POSITIVE_INFINITY;
    for (const sigma of [1.25, 1.5, 2, 2.5]) {
      const taps = esTaps(sigma, error)!;
      assert.ok(independentError(taps, 1 / (2 * sigma)) <= 1.05 * error, `${sigma}, ${error}`);
      assert.ok(taps.count <= before, `${sigma}, ${error}: ${taps.count} taps`);
      before = taps.count;
    }
  }
  assert.equal(esTaps(1.25, 1e-14), undefined);
});

test('one plane serves a co-planar array, a few a short range of w', () => {
  const counts = [0, 1e-6, 1e-3, 0.1, 0.5, 3].map((turns) => {
    const taps = fewestNodes(turns, 1e-4);
    if (taps !== undefined && turns > 0) assert.ok(independentError(taps, turns) <= 1.05e-4, `${turns}`);
    return taps?.count;
  });
  assert.deepEqual(counts.slice(0, 2), [1, 1]);
  assert.ok(counts[2]! < counts[3]! && counts[3]! < counts[4]!, `${counts}`);
  assert.equal(counts.at(-1), undefined);
  assert.ok(errorOf(fewestNodes(0.5, 1e-4)!, 0.5) <= 1e-4);
});

const geometry = { npixX: 500, npixY: 300, pixsizeX: 1e-4, pixsizeY: 1e-4 };
const range = (w: number) => ({ v: [-w, w], w: [0, w] }) as const;

test('sizes suit the FFT, floats the accuracy, planes the range of w', () => {
  for (const epsilon of [1e-2, 1e-4, 1e-6]) {
    const plans = [0, 10, 1000, 100_000].map((w) =>
      planGrid(geometry, epsilon, { samples: 1e5, wRange: range(w) }),
    );
    for (const plan of plans) {
      assert.equal(plan.precision, epsilon < 1e-5 ? 64 : 32);
      assert.ok(plan.sizeU % 16 === 0 && plan.sizeU >= 1.25 * 500 && plan.sizeV >= 1.25 * 300);
    }
    const planes = plans.map(({ planes }) => planes.planes);
    assert.equal(planes[0], 1);
    assert.deepEqual(
      planes.toSorted((a, b) => a - b),
      planes,
    );
  }
});

test('more samples pay for more padding, whose bytes are in the forecast whatever w is', () => {
  const pads = [1e3, 1e5, 1e7].map((samples) => {
    for (const w of [0, 30, 3000]) {
      const { sizeU, sizeV, precision } = planGrid(geometry, 1e-4, { samples, wRange: range(w) });
      const grid = (sizeU * sizeV * precision) / 4;
      assert.ok(griddingBytes(geometry, 1e-4, samples) > grid + 32 * Math.min(samples, 2 ** 23));
    }
    return planGrid(geometry, 1e-4, { samples, wRange: range(0) }).sizeU;
  });
  assert.ok(pads[0]! < pads[2]!, `${pads}`);
});
