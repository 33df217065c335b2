/**
 * Owns the kernels that samples are spread with: the exponential of a semicircle (Barnett, Magland and
 * af Klinteberg 2019), exp(beta (sqrt(1 - z^2) - 1)), for uv cells and many w planes, and Lagrange's
 * polynomials on Chebyshev's nodes for a range of w so short that a few planes interpolate all of it. For
 * each the smallest that keeps an asked error is found, by measuring. Pure. Must not know: grids, FFTs.
 */
import { chebyshevNode, errorOf, errorOfFunction, fitPolynomial, type Taps } from './taps.ts';

/** Bounds of the kernels. */
const kernelLimits = {
  /** Taps: the inner loops' scratch space, and the most that 64-bit floats profit from. */
  support: 16,
  /** Beyond this degree the powers of x lose more digits than the fit gains. */
  degree: 20,
  /** Planes that interpolate a short range of w; from here on the exponential kernel needs fewer. */
  nodes: 16,
  /** Kernels kept: a run uses a handful; a kernel takes a few milliseconds to find. */
  kept: 256,
} as const;

/** Oversampling is rounded down to this many steps a unit, so that kernels of one kind are made once. */
const stepsPerUnit = 32;

const kernels = new Map<string, Taps | undefined>();

/** The beta of least error for images of 1/`sigma` of the padded size, by golden section. */
function bestBeta(support: number, sigma: number): number {
  const natural = Math.PI * support * (1 - 1 / (2 * sigma));
  const errorAt = (beta: number) =>
    errorOfFunction((d) => exponential(d, support, beta), support, 1 / (2 * sigma));
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [0.75 * natural, 1.1 * natural];
  let [left, right] = [high - golden * (high - low), low + golden * (high - low)];
  let [atLeft, atRight] = [errorAt(left), errorAt(right)];
  for (let step = 0; step < 14; step++) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - golden * (high - low);
      atLeft = errorAt(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + golden * (high - low);
      atRight = errorAt(right);
    }
  }
  return (low + high) / 2;
}

function exponential(distance: number, support: number, beta: number): number {
  const z = (2 * distance) / support;
  return Math.abs(z) <= 1 ? Math.exp(beta * (Math.sqrt(1 - z * z) - 1)) : 0;
}

/**
 * The kernel of fewest taps whose error, over images of 1/`sigma` of the padded size, is at most `error`;
 * undefined where `kernelLimits.support` taps do not reach it.
 */
export function esTaps(sigma: number, error: number): Taps | undefined {
  const step = Math.floor(sigma * stepsPerUnit) / stepsPerUnit;
  const key = `${step}/${error}`;
  if (!kernels.has(key) && kernels.size >= kernelLimits.kept) kernels.clear();
  if (!kernels.has(key)) kernels.set(key, searchTaps(step, error));
  return kernels.get(key);
}

function searchTaps(sigma: number, error: number): Taps | undefined {
  // The error of the best kernel falls like this with the support, up to a factor.
  const rate = Math.PI * Math.sqrt(1 - 1 / sigma);
  const first = Math.max(2, Math.floor(Math.log(1 / error) / rate) - 1);
  for (let support = first; support <= kernelLimits.support; support++) {
    const beta = bestBeta(support, sigma);
    const exact = errorOfFunction((d) => exponential(d, support, beta), support, 1 / (2 * sigma));
    if (exact > error) continue;
    for (let degree = Math.max(2, support - 2); degree <= kernelLimits.degree; degree++) {
      const taps = esPolynomials(support, beta, degree);
      if (errorOf(taps, 1 / (2 * sigma)) <= error) return taps;
    }
  }
  return undefined;
}

function esPolynomials(support: number, beta: number, degree: number): Taps {
  const offsets = Float64Array.from({ length: support }, (_, k) => k + (1 - support) / 2);
  const coefficients = new Float64Array(support * (degree + 1));
  offsets.forEach((offset, k) => {
    const polynomial = fitPolynomial((x) => exponential(offset + x / 2, support, beta), degree);
    coefficients.set(polynomial, k * (degree + 1));
  });
  return { count: support, degree, coefficients, offsets, slope: 0.5 };
}

/** The Lagrange polynomials of `count` nodes; grid spacings are half ranges. */
function nodeTaps(count: number): Taps {
  const offsets = Float64Array.from({ length: count }, (_, k) => chebyshevNode(k, count));
  const coefficients = new Float64Array(count * count);
  for (let k = 0; k < count; k++) {
    const polynomial = fitPolynomial((x) => (Math.abs(x - offsets[k]!) < 1e-9 ? 1 : 0), count - 1);
    coefficients.set(polynomial, k * count);
  }
  return { count, degree: count - 1, coefficients, offsets, slope: -1 };
}

const interpolations: Taps[] = [];

/** The fewest nodes that interpolate phases of up to `turns` at the ends of the range; undefined if many. */
export function fewestNodes(turns: number, error: number): Taps | undefined {
  for (let count = 1; count <= kernelLimits.nodes; count++) {
    const taps = (interpolations[count] ??= nodeTaps(count));
    if (turns === 0 || errorOf(taps, turns) <= error) return taps;
  }
  return undefined;
}
