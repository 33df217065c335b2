/**
 * Owns taps: a kernel by which a sample is spread over its nearest grid points, each point's share being a
 * polynomial in the place x of the sample, -1 to 1, between grid points. What a kernel does to an image is
 * measured here from its very polynomials, by quadrature over x: the correction that the image needs, and
 * the error that is left after it, aliases and fit together. Pure. Must not know: which kernel it is, FFTs.
 */

/** A kernel as polynomials. */
export interface Taps {
  readonly count: number;
  readonly degree: number;
  /** `[tap, degree + 1]`, highest power first */
  readonly coefficients: Float64Array;
  /** Tap k lies `offsets[k] + slope x` grid spacings from the sample. */
  readonly offsets: Float64Array;
  readonly slope: number;
}

/** The shares of each tap at the quadrature's places. */
interface SampledTaps extends Pick<Taps, 'count' | 'offsets' | 'slope'> {
  /** `[tap, node]` */
  readonly shares: Float64Array;
}

/** Places and weights of Gauss-Legendre quadrature on [-1, 1]; the weights add up to 1. */
function gaussLegendre(count: number): { places: Float64Array; weights: Float64Array } {
  const places = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    let x = Math.cos((Math.PI * (k + 0.75)) / (count + 0.5));
    for (let step = 0; step < 10; step++) {
      let [before, value] = [1, x];
      for (let n = 2; n <= count; n++) {
        [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
      }
      const slope = (count * (before - x * value)) / (1 - x * x);
      places[k] = x;
      weights[k] = 1 / ((1 - x * x) * slope * slope);
      x -= value / slope;
    }
  }
  return { places, weights };
}

/**
 * Exact for polynomials up to degree 39: the taps' times the phases over one grid spacing. Places at the
 * ends, where kernels are steepest, carry no weight but count for the error.
 */
const quadrature = ((): ReturnType<typeof gaussLegendre> => {
  const { places, weights } = gaussLegendre(20);
  const ends = [-1, -0.9995, -0.998, 0.998, 0.9995, 1];
  return {
    places: Float64Array.of(...places, ...ends),
    weights: Float64Array.of(...weights, ...ends.map(() => 0)),
  };
})();

/** The polynomial of `degree`, highest power first, through `f` at Chebyshev's nodes. */
export function fitPolynomial(f: (x: number) => number, degree: number): Float64Array {
  const nodes = degree + 1;
  const values = Float64Array.from({ length: nodes }, (_, i) => f(chebyshevNode(i, nodes)));
  const powers = new Float64Array(nodes);
  let before = new Float64Array(nodes);
  let chebyshev = new Float64Array(nodes);
  chebyshev[0] = 1;
  for (let m = 0; m < nodes; m++) {
    let sum = 0;
    for (let i = 0; i < nodes; i++) sum += values[i]! * Math.cos((Math.PI * m * (i + 0.5)) / nodes);
    const part = ((m === 0 ? 1 : 2) / nodes) * sum;
    for (let k = 0; k <= m; k++) powers[k]! += part * chebyshev[k]!;
    // T[m+1] = 2 x T[m] - T[m-1]
    const next = new Float64Array(nodes);
    for (let k = 0; k < nodes; k++) {
      next[k] = (m === 0 ? 1 : 2) * (k > 0 ? chebyshev[k - 1]! : 0) - before[k]!;
    }
    before = chebyshev;
    chebyshev = next;
  }
  return powers.reverse();
}

/** The i-th of `count` nodes, from 1 down to -1. */
export function chebyshevNode(i: number, count: number): number {
  return Math.cos((Math.PI * (i + 0.5)) / count);
}

/** The share of tap `k` for a sample at `x`. */
export function shareOf(taps: Taps, k: number, x: number): number {
  const { coefficients, degree } = taps;
  let value = 0;
  for (let at = k * (degree + 1), d = 0; d <= degree; d++) value = value * x + coefficients[at + d]!;
  return value;
}

function sampled(taps: Taps): SampledTaps {
  const { places } = quadrature;
  const shares = new Float64Array(taps.count * places.length);
  for (let k = 0; k < taps.count; k++) {
    places.forEach((x, i) => {
      shares[k * places.length + i] = shareOf(taps, k, x);
    });
  }
  return { ...taps, shares };
}

/**
 * What the taps do at image frequency `nu` (turns a grid spacing): the mean over x, that is the kernel's
 * Fourier transform there, and the largest relative deviation from that mean.
 */
function response(
  { count, offsets, slope, shares }: SampledTaps,
  nu: number,
): { mean: number; error: number } {
  const { places, weights } = quadrature;
  const real = new Float64Array(places.length);
  const imaginary = new Float64Array(places.length);
  let mean = 0;
  for (let i = 0; i < places.length; i++) {
    for (let k = 0; k < count; k++) {
      const phase = 2 * Math.PI * nu * (offsets[k]! + slope * places[i]!);
      real[i]! += shares[k * places.length + i]! * Math.cos(phase);
      imaginary[i]! += shares[k * places.length + i]! * Math.sin(phase);
    }
    mean += weights[i]! * real[i]!;
  }
  let worst = 0;
  for (let i = 0; i < places.length; i++) worst = Math.max(worst, Math.hypot(real[i]! - mean, imaginary[i]!));
  return { mean, error: worst / Math.abs(mean) };
}

/** Parts of the most that errors are measured at: close at the end, where they are largest and have nulls. */
const probes = [0, 0.3, 0.6, 0.75, 0.85, 0.9, 0.93, 0.95, 0.965, 0.975, 0.985, 0.993, 1];
const steepProbes = [0.85, 0.93, 0.965, 0.985, 1];

/** The largest relative error of any sample at any image frequency up to `most`, after correction. */
export function errorOf(taps: Taps, most: number): number {
  const samples = sampled(taps);
  return Math.max(...probes.map((part) => response(samples, part * most).error));
}

/** As `errorOf`, of a function of the distance in grid spacings, and at the worst frequencies only. */
export function errorOfFunction(kernel: (distance: number) => number, support: number, most: number): number {
  const { places } = quadrature;
  const offsets = Float64Array.from({ length: support }, (_, k) => k + (1 - support) / 2);
  const shares = new Float64Array(support * places.length);
  offsets.forEach((offset, k) => {
    places.forEach((x, i) => {
      shares[k * places.length + i] = kernel(offset + x / 2);
    });
  });
  const samples = { count: support, offsets, slope: 0.5, shares };
  return Math.max(...steepProbes.map((part) => response(samples, part * most).error));
}

/** How much more the rounding errors at image frequency `most` weigh, after correction, than those at 0. */
export function amplificationOf(taps: Taps, most: number): number {
  const samples = sampled(taps);
  return response(samples, 0).mean / response(samples, most).mean;
}

/** Terms of the mean as a series in nu squared: enough for the largest support. */
const correctionTerms = 24;
/** Terms below this part of the largest are left out. */
const negligible = 1e-14;

/** What image values at frequency `nu`, |nu| <= `most`, are multiplied by after gridding. */
export function correctionOf(taps: Taps, most: number): (nu: number) => number {
  if (most === 0) return () => 1;
  const samples = sampled(taps);
  const half = most ** 2 / 2;
  const polynomial = (s: number) => response(samples, Math.sqrt(Math.max(0, half * (s + 1)))).mean;
  const values = Float64Array.from({ length: correctionTerms }, (_, i) =>
    polynomial(chebyshevNode(i, correctionTerms)),
  );
  const series = values.map((_, m) => {
    let sum = 0;
    values.forEach((value, i) => {
      sum += value * Math.cos((Math.PI * m * (i + 0.5)) / correctionTerms);
    });
    return ((m === 0 ? 1 : 2) / correctionTerms) * sum;
  });
  const least = negligible * Math.abs(series[0]!);
  const last = series.findLastIndex((term) => Math.abs(term) > least);
  return (nu) => {
    const s = Math.min(1, (nu * nu) / half - 1);
    let next = 0;
    let after = 0;
    for (let m = last; m > 0; m--) {
      const term = 2 * s * next - after + series[m]!;
      after = next;
      next = term;
    }
    return 1 / (s * next - after + series[0]!);
  };
}
