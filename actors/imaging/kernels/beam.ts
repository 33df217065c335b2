/**
 * Owns the restoring beam: an elliptical Gaussian fitted to the main lobe of a point spread function, and
 * images of point components drawn with it. Must not know: visibilities, CLEAN.
 */
import type { Beam, ImageGeometry } from '../../visibility.ts';
import type { CleanComponent, PixelImage } from './hogbom.ts';

/** exp(-(a x^2 + b x y + c y^2)), x and y in pixels from the centre. */
type Quadratic = readonly [a: number, b: number, c: number];

/** Weight of pixels around the lobe that are at zero or below: they only bound it. */
const leastWeight = 0.1;

/** Pixels of the main lobe: offsets from the centre and values over the peak. */
interface Lobe {
  readonly dx: readonly number[];
  readonly dy: readonly number[];
  readonly value: readonly number[];
}

/**
 * Fits an elliptical Gaussian of height 1 to the main lobe of a point spread function whose centre
 * (floor(npixX/2), floor(npixY/2)) holds its maximum: to the pixels above half the peak that are connected
 * with it, and those around them, by weighted least squares (Levenberg-Marquardt). Sidelobes take no part:
 * those of a snapshot with few antennas would turn and widen the beam as they please.
 * @returns undefined where nothing can be fitted: no finite peak, or no fall to half of it in any direction
 */
export function fitBeam(
  psf: PixelImage,
  geometry: Pick<ImageGeometry, 'pixsizeX' | 'pixsizeY'>,
): Beam | undefined {
  const lobe = mainLobe(psf);
  return lobe && beamOf(fitLobe(lobe), geometry);
}

function mainLobe({ pixels, npixX, npixY }: PixelImage): Lobe | undefined {
  const [cx, cy] = [Math.floor(npixX / 2), Math.floor(npixY / 2)];
  const centre = cy * npixX + cx;
  const peak = pixels[centre]!;
  if (!(peak > 0)) return undefined;
  const lobe = { dx: [] as number[], dy: [] as number[], value: [] as number[] };
  const seen = new Uint8Array(pixels.length);
  const list = [centre];
  seen[centre] = 1;
  // The list grows while it is walked, by the neighbours of all that is above half the peak.
  for (let k = 0; k < list.length; k++) {
    const [x, y] = [list[k]! % npixX, Math.floor(list[k]! / npixX)];
    const value = pixels[list[k]!]! / peak;
    if (!Number.isFinite(value)) continue;
    lobe.dx.push(x - cx);
    lobe.dy.push(y - cy);
    lobe.value.push(value);
    if (!(value > 0.5)) continue;
    for (let v = Math.max(0, y - 1); v <= Math.min(npixY - 1, y + 1); v++) {
      for (let u = Math.max(0, x - 1); u <= Math.min(npixX - 1, x + 1); u++) {
        if (seen[v * npixX + u] === 1) continue;
        seen[v * npixX + u] = 1;
        list.push(v * npixX + u);
      }
    }
  }
  return lobe.value.some((value) => value <= 0.5) ? lobe : undefined;
}

/** Sums for one Gauss-Newton step: the residual's square, the gradient and the normal matrix. */
interface Normal {
  readonly square: number;
  readonly gradient: number[];
  readonly matrix: number[][];
}

/** Where the fit begins: a uniform ellipse of the second moments of the lobe, as the ellipse at half maximum.
 * A lobe of one pixel has none: then as wide as a pixel. */
function firstGuess({ dx, dy, value }: Lobe): Quadratic {
  let [xx, xy, yy, count] = [0, 0, 0, 0];
  value.forEach((one, k) => {
    if (!(one > 0.5)) return;
    count++;
    xx += dx[k]! ** 2;
    xy += dx[k]! * dy[k]!;
    yy += dy[k]! ** 2;
  });
  // A pixel's own extent keeps the moments of a line apart from zero.
  const [a, b, c] = [xx / count + 1 / 12, xy / count, yy / count + 1 / 12];
  const scale = Math.LN2 / (4 * (a * c - b * b));
  return [scale * c, -2 * scale * b, scale * a];
}

function fitLobe(lobe: Lobe): Quadratic {
  let shape = firstGuess(lobe);
  let normal = normalEquations(lobe, shape);
  let damping = 1e-3;
  for (let step = 0; step < 200 && damping < 1e12; step++) {
    const change = solve3(normal, damping);
    const next: Quadratic = [shape[0] + change[0]!, shape[1] + change[1]!, shape[2] + change[2]!];
    const positive = next[0] > 0 && next[2] > 0 && 4 * next[0] * next[2] > next[1] ** 2;
    const tried = positive ? normalEquations(lobe, next) : undefined;
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

function normalEquations({ dx, dy, value }: Lobe, [a, b, c]: Quadratic): Normal {
  let square = 0;
  const gradient = [0, 0, 0];
  const matrix = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let k = 0; k < value.length; k++) {
    const [x, y] = [dx[k]!, dy[k]!];
    const model = Math.exp(-(a * x * x + b * x * y + c * y * y));
    const residual = value[k]! - model;
    // What is far down the flank says little of the lobe and may belong to a sidelobe.
    const weight = Math.max(leastWeight, Math.min(1, value[k]!)) ** 2;
    const slope = [-x * x * model, -x * y * model, -y * y * model];
    square += weight * residual * residual;
    for (let i = 0; i < 3; i++) {
      gradient[i]! += weight * slope[i]! * residual;
      for (let j = 0; j < 3; j++) matrix[i]![j]! += weight * slope[i]! * slope[j]!;
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
  // What is narrower than a pixel can't be seen on pixels.
  const least = Math.min(pixel.pixsizeX, pixel.pixsizeY);
  const fwhm = (curvature: number) => Math.max(least, 2 * Math.sqrt(Math.LN2 / curvature));
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
