/** Stokes parameters, weights and masks from hand-made correlations, NaN under flags included. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  combineStokes,
  correlationName,
  type StoredSamples,
  stokesRecipe,
} from '../../../../actors/io/measurement-set/correlations.ts';
import type { Stokes } from '../../../../actors/visibility.ts';
import { isAsperitasError } from '../../../../runtime/index.ts';

type Complex = readonly [re: number, im: number];

/**
 * The correlations of a source of I, Q, U, V (all complex here), as radio-astronomical convention has them.
 */
function correlationsOf([i, q, u, v]: readonly Complex[], names: readonly string[]): Complex[] {
  const plus = (a: Complex, b: Complex): Complex => [a[0] + b[0], a[1] + b[1]];
  const times = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
  const minus: Complex = [-1, 0];
  const byName: Record<string, Complex> = {
    I: i!,
    XX: plus(i!, q!),
    YY: plus(i!, times(minus, q!)),
    XY: plus(u!, times([0, 1], v!)),
    YX: plus(u!, times([0, -1], v!)),
    RR: plus(i!, v!),
    LL: plus(i!, times(minus, v!)),
    RL: plus(q!, times([0, 1], u!)),
    LR: plus(q!, times([0, -1], u!)),
  };
  return names.map((name) => byName[name]!);
}

interface Sample {
  readonly values: readonly Complex[];
  readonly flags?: readonly number[];
  readonly weights?: readonly number[];
}

/** Combines one channel of one row. */
function combineOne(names: readonly string[], stokes: Stokes, { values, flags, weights }: Sample) {
  const target = { vis: new Float32Array(2), weight: new Float32Array(1), mask: new Uint8Array(1) };
  const stored: StoredSamples = {
    rowCount: 1,
    channelCount: 1,
    correlationCount: names.length,
    data: Float64Array.from(values.flat()),
    flag: Uint8Array.from(flags ?? names.map(() => 0)),
    weight: Float32Array.from(weights ?? names.map(() => 1)),
    weightPerChannel: true,
    targetRow: Int32Array.of(0),
  };
  combineStokes(stored, stokesRecipe(names, stokes, 'a.ms'), target);
  return { vis: [...target.vis], weight: target.weight[0], mask: target.mask[0] };
}

const unused = { vis: [0, 0], weight: 0, mask: 0 };

test('every Stokes parameter comes back from linear and circular correlations in any order', () => {
  const source: readonly Complex[] = [
    [1, 2],
    [-3, 0.5],
    [0.25, -4],
    [5, 6],
  ];
  for (const names of [
    ['XX', 'XY', 'YX', 'YY'],
    ['XX', 'YY', 'XY', 'YX'],
    ['RR', 'RL', 'LR', 'LL'],
    ['LL', 'RR', 'LR', 'RL'],
  ]) {
    for (const [k, stokes] of (['I', 'Q', 'U', 'V'] as const).entries()) {
      const { vis, mask } = combineOne(names, stokes, { values: correlationsOf(source, names) });
      assert.deepEqual([vis, mask], [[...source[k]!], 1], `${stokes} from ${names.join()}`);
    }
  }
});

test('correlations stored as I are I', () => {
  const { vis, weight } = combineOne(['I'], 'I', { values: [[3, -1]], weights: [4] });
  assert.deepEqual([vis, weight], [[3, -1], 4]);
});

test('a sample weighs as little as the lighter of its two correlations, whatever the others weigh', () => {
  const values: Complex[] = [
    [1, 0],
    [9, 9],
    [9, 9],
    [1, 0],
  ];
  assert.equal(combineOne(['RR', 'RL', 'LR', 'LL'], 'I', { values, weights: [3, 0, 0, 2] }).weight, 2);
});

test('a flag, a NaN, an infinity or a bad weight in either correlation makes exact zeros', () => {
  const good: Complex[] = [
    [1, 1],
    [1, 1],
  ];
  const bad: Sample[] = [
    { values: good, flags: [1, 0] },
    { values: good, flags: [0, 1] },
    { values: [good[0]!, [Number.NaN, 0]], flags: [0, 1] },
    { values: [[0, Number.NaN], good[1]!] },
    { values: [good[0]!, [Number.POSITIVE_INFINITY, 0]] },
    { values: [good[0]!, [0, Number.NEGATIVE_INFINITY]] },
    { values: [[1e39, 0], good[1]!] },
    { values: good, weights: [0, 1] },
    { values: good, weights: [1, -1] },
    { values: good, weights: [Number.NaN, 1] },
    { values: good, weights: [1, Number.NaN] },
    { values: good, weights: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] },
  ];
  for (const sample of bad) assert.deepEqual(combineOne(['XX', 'YY'], 'I', sample), unused);
});

test('a flag on a correlation that is not used does no harm', () => {
  const values: Complex[] = [
    [1, 0],
    [Number.NaN, 0],
    [Number.NaN, 0],
    [3, 0],
  ];
  const { vis } = combineOne(['XX', 'XY', 'YX', 'YY'], 'I', { values, flags: [0, 1, 1, 0] });
  assert.deepEqual(vis, [2, 0]);
});

test('rows go where they are told, and one weight a row serves all its channels', () => {
  const target = { vis: new Float32Array(8), weight: new Float32Array(4), mask: new Uint8Array(4) };
  const stored: StoredSamples = {
    rowCount: 3,
    channelCount: 2,
    correlationCount: 1,
    data: Float32Array.of(1, 0, 2, 0, 7, 7, 7, 7, 3, 0, 4, 0),
    flag: Uint8Array.of(0, 0, 0, 0, 0, 1),
    weight: Float32Array.of(10, 20, 30),
    weightPerChannel: false,
    targetRow: Int32Array.of(1, -1, 0),
  };
  combineStokes(stored, stokesRecipe(['I'], 'I', 'a.ms'), target);
  assert.deepEqual([...target.vis], [3, 0, 0, 0, 1, 0, 2, 0]);
  assert.deepEqual([...target.weight], [30, 0, 10, 10]);
  assert.deepEqual([...target.mask], [1, 0, 1, 1]);
});

test('a set that cannot make the Stokes parameter says what it has', () => {
  assert.throws(
    () => stokesRecipe(['XX'], 'I', 'sdc3.ms'),
    (error) => isAsperitasError(error, 'no-stokes') && /no Stokes image can be made/.test(error.message),
  );
  assert.throws(
    () => stokesRecipe(['RR', 'LL'], 'Q', 'a.ms'),
    (error) => isAsperitasError(error, 'no-stokes') && /RR, LL; it has Stokes I, V/.test(error.message),
  );
});

test('codes of correlations are named, unusual ones by their number', () => {
  assert.deepEqual([1, 5, 9, 12, 30].map(correlationName), ['I', 'RR', 'XX', 'YY', 'corr-type-30']);
});
