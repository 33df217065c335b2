/**
 * Owns the arithmetic between stored correlations and Stokes parameters: which correlations make a parameter,
 * how values, weights and flags combine into `vis`, `weight` and `mask`. Follows WSClean, so that images
 * agree. Must not know: tables, columns, rows of a file.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import type { Correlation, Stokes } from '../../visibility.ts';

/**
 * CORR_TYPE codes of casacore's Stokes enumeration; others (such as PP or Ptotal) are named by their number.
 */
const nameByCode: ReadonlyMap<number, Correlation> = new Map([
  [1, 'I'],
  [2, 'Q'],
  [3, 'U'],
  [4, 'V'],
  [5, 'RR'],
  [6, 'RL'],
  [7, 'LR'],
  [8, 'LL'],
  [9, 'XX'],
  [10, 'XY'],
  [11, 'YX'],
  [12, 'YY'],
]);

/** The CORR_TYPE of each correlation. */
export const codeOfCorrelation: ReadonlyMap<Correlation, number> = new Map(
  [...nameByCode].map(([code, name]) => [name, code]),
);

/** The name of a CORR_TYPE; a code that this reader has no use for becomes `corr-type-N`. */
export function correlationName(code: number): Correlation | `corr-type-${number}` {
  return nameByCode.get(code) ?? `corr-type-${code}`;
}

/**
 * How a Stokes parameter comes from correlations P and Q: `stored` is P itself, `mean` (P+Q)/2,
 * `half-difference` (P-Q)/2, `imaginary-half-difference` (P-Q)/2i.
 */
export type Combination = 'stored' | 'mean' | 'half-difference' | 'imaginary-half-difference';

/** Which stored correlations, by position on the correlation axis, make a Stokes parameter. */
export interface StokesRecipe {
  readonly stokes: Stokes;
  readonly combination: Combination;
  readonly first: number;
  /** Equal to `first` for `stored`. */
  readonly second: number;
}

/** XX = I+Q, YY = I-Q, XY = U+iV, YX = U-iV; RR = I+V, LL = I-V, RL = Q+iU, LR = Q-iU. */
const recipes: Readonly<Record<Stokes, readonly (readonly [Correlation, Correlation, Combination])[]>> = {
  I: [
    ['I', 'I', 'stored'],
    ['XX', 'YY', 'mean'],
    ['RR', 'LL', 'mean'],
  ],
  Q: [
    ['Q', 'Q', 'stored'],
    ['XX', 'YY', 'half-difference'],
    ['RL', 'LR', 'mean'],
  ],
  U: [
    ['U', 'U', 'stored'],
    ['XY', 'YX', 'mean'],
    ['RL', 'LR', 'imaginary-half-difference'],
  ],
  V: [
    ['V', 'V', 'stored'],
    ['XY', 'YX', 'imaginary-half-difference'],
    ['RR', 'LL', 'half-difference'],
  ],
};

/** Finds the correlations that make `stokes`; throws `no-stokes` where the set does not hold them. */
export function stokesRecipe(correlations: readonly string[], stokes: Stokes, set: string): StokesRecipe {
  for (const [firstName, secondName, combination] of recipes[stokes]) {
    const first = correlations.indexOf(firstName);
    const second = correlations.indexOf(secondName);
    if (first >= 0 && second >= 0) return { stokes, combination, first, second };
  }
  const stored = correlations.length === 0 ? 'no correlations' : correlations.join(', ');
  const possible = (['I', 'Q', 'U', 'V'] as const).filter((wanted) =>
    recipes[wanted].some(([p, q]) => correlations.includes(p) && correlations.includes(q)),
  );
  const advice =
    possible.length === 0 ? 'no Stokes image can be made' : `it has Stokes ${possible.join(', ')}`;
  throw new AsperitasError('no-stokes', `${set}: no Stokes ${stokes} from its ${stored}; ${advice}`, {
    set,
    stokes,
    correlations: [...correlations],
  });
}

/** Values as stored, `[row, chan, corr]`: a slice of the correlation axis that holds both correlations. */
export interface StoredSamples {
  readonly rowCount: number;
  readonly channelCount: number;
  readonly correlationCount: number;
  /** `[row, chan, corr, 2]` Jy, re/im interleaved */
  readonly data: Float32Array | Float64Array;
  /** `[row, chan, corr]` 1 = bad */
  readonly flag: Uint8Array;
  /** `[row, chan, corr]` where `weightPerChannel`, else `[row, corr]`; 1/Jy^2 */
  readonly weight: Float32Array | Float64Array;
  readonly weightPerChannel: boolean;
  /** `[row]` the row of the target, or -1 to leave the row out (autocorrelations) */
  readonly targetRow: Int32Array;
}

/** The arrays that `combineStokes` fills; zero before. */
export interface CombinedSamples {
  /** `[row, chan, 2]` */
  readonly vis: Float32Array;
  /** `[row, chan]` */
  readonly weight: Float32Array;
  /** `[row, chan]` */
  readonly mask: Uint8Array;
}

/**
 * One Stokes parameter of a block of samples. A sample counts only if neither correlation is flagged, all
 * four numbers are finite and the smaller of the two weights is finite and positive; its weight is that
 * smaller one. Samples that don't count stay zero, so that no NaN under a flag can reach a sum. `recipe`
 * positions are relative to the slice of correlations in `stored`.
 */
export function combineStokes(stored: StoredSamples, recipe: StokesRecipe, target: CombinedSamples): void {
  const { rowCount, channelCount, correlationCount, data, flag, weight, weightPerChannel } = stored;
  const { first, second, combination } = recipe;
  // S = p P + q Q, or that rotated by -90 degrees (a division by i).
  const p = combination === 'stored' ? 1 : 0.5;
  const q = combination === 'stored' ? 0 : combination === 'mean' ? 0.5 : -0.5;
  const rotated = combination === 'imaginary-half-difference';
  for (let row = 0; row < rowCount; row++) {
    const targetRow = stored.targetRow[row]!;
    if (targetRow < 0) continue;
    let from = row * channelCount * correlationCount;
    let to = targetRow * channelCount;
    let at = weightPerChannel ? from : row * correlationCount;
    const weightStep = weightPerChannel ? correlationCount : 0;
    for (let chan = 0; chan < channelCount; chan++, from += correlationCount, at += weightStep, to++) {
      if (flag[from + first]! + flag[from + second]! !== 0) continue;
      const firstWeight = weight[at + first]!;
      const secondWeight = weight[at + second]!;
      // Any comparison with NaN is false, so a NaN in either weight fails one of the two tests.
      if (!(firstWeight > 0 && secondWeight > 0)) continue;
      const least = Math.min(firstWeight, secondWeight);
      const i = 2 * (from + first);
      const j = 2 * (from + second);
      const re = p * data[i]! + q * data[j]!;
      const im = p * data[i + 1]! + q * data[j + 1]!;
      // A NaN or an infinity in any of the four numbers survives into re or im, and 0 * x is 0 only for
      // finite x.
      if (Math.fround(re) * 0 + Math.fround(im) * 0 !== 0 || least === Infinity) continue;
      target.vis[2 * to] = rotated ? im : re;
      target.vis[2 * to + 1] = rotated ? -re : im;
      target.weight[to] = least;
      target.mask[to] = 1;
    }
  }
}
