/**
 * Owns the restoring beam: an elliptical Gaussian fitted to the main lobe of a point spread function, and
 * images of point components drawn with it. Must not know: visibilities, CLEAN.
 */
import type { Beam, ImageGeometry } from '../../visibility.ts';
import type { CleanComponent, PixelImage } from './hogbom.ts';

/** exp(-(a x^2 + b x y + c y^2)), x and y in pixels from the centre. */
type Quadratic = readonly [a: number, b: number, c: number];

/** Full widths at half maximum of the box that is fitted, as in WSClean. */
const boxInBeams = 10;

/**
 * Fits an elliptical Gaussian of height 1 to the middle of a point spread function whose centre
 * (floor(npixX/2), floor(npixY/2)) holds its maximum, by least squares over ten beams (Levenberg-Marquardt).
 * The near sidelobes take part, as in WSClean, so that beams of the two agree.
 * @param estimateRad where the search for the box begins: WSClean takes 1 / (longest baseline, wavelengths);
 *   unless given, three quarters of the full width at half maximum in the direction where that is least
 * @returns undefined where nothing can be fitted: no finite peak, or no fall to half of it in any direction
 */
export function fitBeam(
  psf: PixelImage,
  geometry: Pick<ImageGeometry, 'pixsizeX' | 'pixsizeY'>,
  estimateRad?: number,
): Beam | undefined {
  const radius = halfMaximumRadius(psf);
  if (radius === undefined) return undefined;
  let width = estimateRad === undefined ? 1.5 * radius : estimateRad / geometry.pixsizeX;
  let fitted: Quadratic | undefined;
  for (let round = 0; round < 5; round++) {
    const box = 2 * Math.ceil(Math.max(10, Math.ceil(width * boxInBeams)) / 2);
    fitted = fitInBox(psf, box, width);
    const major = beamOf(fitted, { pixsizeX: 1, pixsizeY: 1 })?.majorRad;
    if (major === undefined) return undefined;
    if (major * 0.8 * boxInBeams < box || box >= Math.max(psf.npixX, psf.npixY)) break;
    width = major;
  }
  return fitted && beamOf(fitted, geometry);
}

/** Pixels from the centre to where the function falls below half its peak, where it does first. */
function halfMaximumRadius({ pixels, npixX, npixY }: PixelImage): number | undefined {
  const cx = Math.floor(npixX / 2);
  const cy = Math.floor(npixY / 2);
  const peak = pixels[cy * npixX + cx]!;
  if (!(peak > 0)) return undefined;
  let best: number | undefined;
  const directions = [
    [1, 0],
    [0, 1],
    [1, 1],
    [1, -1],
  ] as const;
  for (const [dx, dy] of directions) {
    for (let step = 1; cx + step * dx < npixX && cy + Math.abs(step * dy) < npixY; step++) {
      const x = cx + step * dx;
      const y = cy + step * dy;
      if (y < 0) break;
      const below = pixels[y * npixX + x]!;
      if (!(below < peak / 2)) continue;
      const above = pixels[(y - dy) * npixX + x - dx]!;
      const distance = (step - 1 + (above - peak / 2) / (above - below)) * Math.hypot(dx, dy);
      if (best === undefined || distance < best) best = distance;
      break;
    }
  }
  return best;
}

/** Sums for one Gauss-Newton step: the residual's square, the gradient and the normal matrix. */
interface Normal {
  readonly square: number;
  readonly gradient: number[];
  readonly matrix: number[][];
}

function fitInBox(psf: PixelImage, boxSize: number, width: number): Quadratic {
  const inverse = (4 * Math.LN2) / width ** 2;
  let shape: Quadratic = [inverse, 0, inverse];
  let normal = normalEquations(psf, boxSize, shape);
  let damping = 1e-3;
  for (let step = 0; step < 200 && damping < 1e12; step++) {
    const change = solve3(normal, damping);
    const next: Quadratic = [shape[0] + change[0]!, shape[1] + change[1]!, shape[2] + change[2]!];
    const positive = next[0] > 0 && next[2] > 0 && 4 * next[0] * next[2] > next[1] ** 2;
    const tried = positive ? normalEquations(psf, boxSize, next) : undefined;
    if (tried === undefined || !(tried.square < normal.square)) {
      damping *= 10;
      continue;
    }
    const gained = normal.square - tried.square;
    const done = gained <= 1e-12 * normal.square;
    shape = next;
    normal = tried;
    damping = Math.max(damping / 10, 1e-12);
    if (done) break;
  }
  return shape;
}

function normalEquations({ pixels, npixX, npixY }: PixelImage, boxSize: number, shape: Quadratic): Normal {
  const cx = Math.floor(npixX / 2);
  const cy = Math.floor(npixY / 2);
  const half = Math.floor(boxSize / 2);
  const peak = pixels[cy * npixX + cx]!;
  const [a, b, c] = shape;
  let square = 0;
  const gradient = [0, 0, 0];
  const matrix = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let y = Math.max(0, cy - half); y < Math.min(npixY, cy + half); y++) {
    for (let x = Math.max(0, cx - half); x < Math.min(npixX, cx + half); x++) {
      const value = pixels[y * npixX + x]! / peak;
      if (Number.isNaN(value)) continue;
      const dx = x - cx;
      const dy = y - cy;
      const model = Math.exp(-(a * dx * dx + b * dx * dy + c * dy * dy));
      const residual = value - model;
      const slope = [-dx * dx * model, -dx * dy * model, -dy * dy * model];
      square += residual * residual;
      for (let i = 0; i < 3; i++) {
        gradient[i]! += slope[i]! * residual;
        for (let j = 0; j < 3; j++) matrix[i]![j]! += slope[i]! * slope[j]!;
      }
    }
  }
  return { square, gradient, matrix };
}

/** Solves (M + damping diag M) d = g by Cramer's rule. */
function solve3({ gradient, matrix }: Normal, damping: number): number[] {
  const m = matrix.map((row, i) => row.map((value, j) => (i === j ? value * (1 + damping) : value)));
  const whole = determinant(m);
  if (whole === 0) return [0, 0, 0];
  return [0, 1, 2].map(
    (k) => determinant(m.map((row, i) => row.map((value, j) => (j === k ? gradient[i]! : value)))) / whole,
  );
}

function determinant(m: number[][]): number {
  const [r, s, t] = m as [number[], number[], number[]];
  return (
    r[0]! * (s[1]! * t[2]! - s[2]! * t[1]!) -
    r[1]! * (s[0]! * t[2]! - s[2]! * t[0]!) +
    r[2]! * (s[0]! * t[1]! - s[1]! * t[0]!)
  );
}

/** The ellipse at half maximum, on the sky: x runs west, y north. */
function beamOf(shape: Quadratic, pixel: Pick<ImageGeometry, 'pixsizeX' | 'pixsizeY'>): Beam | undefined {
  // In east and north: l = -x pixsizeX, m = y pixsizeY.
  const a = shape[0] / pixel.pixsizeX ** 2;
  const b = -shape[1] / (pixel.pixsizeX * pixel.pixsizeY);
  const c = shape[2] / pixel.pixsizeY ** 2;
  const mean = (a + c) / 2;
  const spread = Math.hypot((a - c) / 2, b / 2);
  if (!(mean - spread > 0)) return undefined;
  const fwhm = (curvature: number) => 2 * Math.sqrt(Math.LN2 / curvature);
  // The major axis lies where the quadratic form grows least; angle from north (m) towards east (l).
  const angle = Math.atan2(b, a - c) / 2 + Math.PI / 2;
  const fromNorth = Math.PI / 2 - angle;
  return {
    majorRad: fwhm(mean - spread),
    minorRad: fwhm(mean + spread),
    positionAngleRad: fromNorth - Math.PI * Math.round(fromNorth / Math.PI),
  };
}

/**
 * Draws components with the beam, each with its flux as peak (Jy/beam), on a copy of `background` or on
 * zeros. They may lie between pixels.
 * @returns Float32 `[y, x]`
 */
export function restore(
  components: readonly CleanComponent[],
  beam: Beam,
  geometry: ImageGeometry,
  background?: Float32Array,
): Float32Array {
  const { npixX, npixY, pixsizeX, pixsizeY } = geometry;
  const image = background?.slice() ?? new Float32Array(npixX * npixY);
  const [sin, cos] = [Math.sin(beam.positionAngleRad), Math.cos(beam.positionAngleRad)];
  // Beyond 2.5 full widths a Gaussian is below 3e-8 of its peak.
  const reachX = Math.ceil((2.5 * beam.majorRad) / pixsizeX);
  const reachY = Math.ceil((2.5 * beam.majorRad) / pixsizeY);
  for (const { x, y, flux } of components) {
    for (let py = Math.max(0, Math.ceil(y - reachY)); py <= Math.min(npixY - 1, y + reachY); py++) {
      for (let px = Math.max(0, Math.ceil(x - reachX)); px <= Math.min(npixX - 1, x + reachX); px++) {
        const l = (x - px) * pixsizeX;
        const m = (py - y) * pixsizeY;
        const along = (l * sin + m * cos) / beam.majorRad;
        const across = (l * cos - m * sin) / beam.minorRad;
        image[py * npixX + px]! += flux * Math.exp(-4 * Math.LN2 * (along * along + across * across));
      }
    }
  }
  return image;
}
