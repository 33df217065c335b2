/**
 * Owns the numbers that say whether a light curve varies: V and eta (Swinbank et al. 2015, eqs. 1 and 2, with
 * w = 1/sigma^2) and the probability of a constant source. Must not know: sources, frames, bands' names.
 */

/** A light curve's usable points. */
export interface Fluxes {
  /** Jy */
  readonly flux: ArrayLike<number>;
  /** Jy, one standard deviation, positive */
  readonly error: ArrayLike<number>;
}

/** Weighted sums over the points whose flux and error are finite. */
export interface Moments {
  readonly count: number;
  readonly weight: number;
  /** Weighted mean, Jy, and its error. */
  readonly mean: number;
  readonly meanError: number;
  /** Sum of w (I - mean)^2. */
  readonly chiSquare: number;
  /** Unweighted mean and the sum of squares about it. */
  readonly plainMean: number;
  readonly squares: number;
}

export function momentsOf({ flux, error }: Fluxes): Moments {
  let [count, weight, sum, plain] = [0, 0, 0, 0];
  const usable = (k: number): boolean => Number.isFinite(flux[k]!) && error[k]! > 0;
  for (let k = 0; k < flux.length; k++) {
    if (!usable(k)) continue;
    const w = 1 / error[k]! ** 2;
    count++;
    weight += w;
    sum += w * flux[k]!;
    plain += flux[k]!;
  }
  const mean = sum / weight;
  const plainMean = plain / count;
  let [chiSquare, squares] = [0, 0];
  for (let k = 0; k < flux.length; k++) {
    if (!usable(k)) continue;
    chiSquare += ((flux[k]! - mean) / error[k]!) ** 2;
    squares += (flux[k]! - plainMean) ** 2;
  }
  return { count, weight, mean, meanError: 1 / Math.sqrt(weight), chiSquare, plainMean, squares };
}

/** eta = N/(N-1) (<w I^2> - <w I>^2/<w>): the reduced chi-square about the weighted mean; NaN for N < 2. */
export function etaOf({ count, chiSquare }: Moments): number {
  return count < 2 ? Number.NaN : chiSquare / (count - 1);
}

/** V = (1/<I>) sqrt(N/(N-1) (<I^2> - <I>^2)): scatter over mean; NaN for N < 2. */
export function vOf({ count, squares, plainMean }: Moments): number {
  return count < 2 ? Number.NaN : Math.sqrt(squares / (count - 1)) / plainMean;
}

/** The probability that chi-square of `freedom` degrees exceeds `chiSquare`: the regularised incomplete gamma
 * function Q(freedom/2, chiSquare/2), by its series or its continued fraction (Abramowitz & Stegun 6.5.29 and
 * 6.5.31). */
export function chiSquareChance(chiSquare: number, freedom: number): number {
  if (freedom <= 0) return 1;
  const [a, x] = [freedom / 2, chiSquare / 2];
  if (!(x > 0)) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let k = 1; k < 10_000 && term > sum * 1e-16; k++) sum += term *= x / (a + k);
    return Math.max(0, 1 - front * sum);
  }
  // Lentz's method.
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < 10_000; k++) {
    const factor = -k * (k - a);
    b += 2;
    d = 1 / (factor * d + b || 1e-300);
    c = b + factor / c || 1e-300;
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** ln Gamma(a), a > 0, by Stirling's series after moving a beyond 10. */
function logGamma(a: number): number {
  let shift = 0;
  let z = a;
  while (z < 10) shift -= Math.log(z++);
  const inverse = 1 / (z * z);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
}
