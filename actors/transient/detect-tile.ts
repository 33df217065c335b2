/**
 * Owns the detection of brightenings in a piece of the residual cube: every pixel's time series against all
 * boxes, in units of the local noise; what stands out in its surroundings is a detection. Pieces overlap by
 * a margin so that each detection is made in one piece only. Must not know: sources, which pixels lie where
 * on the sky, other pieces.
 */
import { limits } from './limits.ts';
import { BoxFilter } from './matched-filter.ts';
import { median, robustSigma } from './robust.ts';

/** A piece of the image: pixels `[x0, x1) x [y0, y1)` are judged, `margin` more on each side are seen. */
export interface Tile {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
  /** Pixels that are seen: the tile and its margin, cut at the image. */
  readonly seen: { readonly x0: number; readonly x1: number; readonly y0: number; readonly y1: number };
}

/** Cuts an image into tiles of at most `size` pixels a side. */
export function tilesOf(
  { npixX, npixY }: { readonly npixX: number; readonly npixY: number },
  size: number,
  margin: number,
): Tile[] {
  const tiles: Tile[] = [];
  for (let y0 = 0; y0 < npixY; y0 += size) {
    for (let x0 = 0; x0 < npixX; x0 += size) {
      const [x1, y1] = [Math.min(npixX, x0 + size), Math.min(npixY, y0 + size)];
      const seen = {
        x0: Math.max(0, x0 - margin),
        x1: Math.min(npixX, x1 + margin),
        y0: Math.max(0, y0 - margin),
        y1: Math.min(npixY, y1 + margin),
      };
      tiles.push({ x0, x1, y0, y1, seen });
    }
  }
  return tiles;
}

/** Cuts what `tile` sees out of images of `npixX` pixels a row: `[image, y, x]`. */
export function cutTile(images: readonly Float32Array[], npixX: number, { seen }: Tile): Float32Array {
  const width = seen.x1 - seen.x0;
  const height = seen.y1 - seen.y0;
  const cut = new Float32Array(images.length * width * height);
  images.forEach((pixels, k) => {
    for (let y = 0; y < height; y++) {
      const from = (seen.y0 + y) * npixX + seen.x0;
      cut.set(pixels.subarray(from, from + width), (k * height + y) * width);
    }
  });
  return cut;
}

/** One band's residuals in a tile. */
export interface TileSeries {
  /** `[frame, y, x]` Jy/beam, what the tile sees; NaN outside the sky. */
  readonly values: Float32Array;
  /** `[frame]` Jy/beam: noise of the whole frame; NaN or 0 for a frame without data. */
  readonly sigma: Float64Array;
  /** `[frame]` bin on the common time axis. */
  readonly bin: Int32Array;
}

/** Residuals of one or more bands in units of noise, on the common time axis. */
export interface WeighedTile {
  /** `[bin, y, x]` value / sigma^2, the local noise in it. */
  readonly weighted: Float32Array;
  /** `[bin]` 1 / sigma^2 of the whole frame. */
  readonly weight: Float64Array;
  /** `[y, x]` local noise over that of the whole frame. */
  readonly relative: Float32Array;
}

/** A brightening in an image. */
export interface Detection {
  /** Pixels of the whole image, fractional. */
  readonly x: number;
  readonly y: number;
  readonly snr: number;
  /** Jy/beam */
  readonly amplitude: number;
  /** Bins `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

const widthOf = ({ seen }: Tile): number => seen.x1 - seen.x0;
const heightOf = ({ seen }: Tile): number => seen.y1 - seen.y0;

/** The noise in squares of the tile over that of the whole frames: the median over frames; at least 1, since
 *  a quiet corner must not make detections of little. */
function relativeNoise(tile: Tile, { values, sigma }: TileSeries): Float32Array {
  const [width, height] = [widthOf(tile), heightOf(tile)];
  const relative = new Float32Array(width * height);
  // The median over some of the frames is as good as that over all.
  const usable = Array.from(sigma.keys()).filter((frame) => sigma[frame]! > 0);
  const step = Math.max(1, Math.floor(usable.length / limits.noiseFrames));
  const frames = usable.filter((_, k) => k % step === 0);
  const square = limits.noiseSquare;
  const count = (length: number): number => Math.max(1, Math.round(length / square));
  const [columns, rows] = [count(width), count(height)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const xs = [Math.floor((width * column) / columns), Math.floor((width * (column + 1)) / columns)];
      const ys = [Math.floor((height * row) / rows), Math.floor((height * (row + 1)) / rows)];
      const [xa, xb, ya, yb] = [xs[0]!, xs[1]!, ys[0]!, ys[1]!];
      const piece = new Float64Array((xb - xa) * (yb - ya));
      const ratios: number[] = [];
      for (const frame of frames) {
        let k = 0;
        for (let y = ya; y < yb; y++) {
          const at = (frame * height + y) * width;
          for (let x = xa; x < xb; x++) piece[k++] = values[at + x]!;
        }
        ratios.push(robustSigma(piece) / sigma[frame]!);
      }
      const ratio = Math.max(1, median(ratios) || 1);
      for (let y = ya; y < yb; y++) relative.fill(ratio, y * width + xa, y * width + xb);
    }
  }
  return relative;
}

/** Brings one band's residuals onto the common time axis. */
export function weigh(tile: Tile, series: TileSeries, bins: number): WeighedTile {
  const size = widthOf(tile) * heightOf(tile);
  const weighted = new Float32Array(bins * size);
  const weight = new Float64Array(bins);
  const relative = relativeNoise(tile, series);
  series.bin.forEach((bin, frame) => {
    const sigma = series.sigma[frame]!;
    if (!(sigma > 0)) return;
    const w = 1 / sigma ** 2;
    weight[bin]! += w;
    const [from, to] = [frame * size, bin * size];
    for (let k = 0; k < size; k++) weighted[to + k]! += series.values[from + k]! * w;
  });
  return { weighted, weight, relative };
}

/** Bands added by inverse variance: a flat spectrum. */
export function addBands(bands: readonly WeighedTile[]): WeighedTile {
  const [first, ...rest] = bands;
  if (first === undefined) throw new RangeError('no bands to add');
  const weighted = first.weighted.slice();
  const weight = first.weight.slice();
  const relative = first.relative.slice();
  for (const band of rest) {
    for (let k = 0; k < weighted.length; k++) weighted[k]! += band.weighted[k]!;
    for (let t = 0; t < weight.length; t++) weight[t]! += band.weight[t]!;
    for (let k = 0; k < relative.length; k++) relative[k] = Math.max(relative[k]!, band.relative[k]!);
  }
  return { weighted, weight, relative };
}

/** How detections are made. */
export interface DetectOptions {
  /** Signal-to-noise ratio from which a brightening is one. */
  readonly threshold: number;
  /** Pixels: within this distance only the strongest is one. */
  readonly radius: number;
  /** Bins; see `filterDurations`. */
  readonly durations: readonly number[];
  /** The most detections of a tile, the strongest first. */
  readonly most: number;
}

/** Finds brightenings in a tile. */
export function detectInTile(tile: Tile, weighed: WeighedTile, options: DetectOptions): Detection[] {
  const [width, height] = [widthOf(tile), heightOf(tile)];
  const { weighted, weight, relative } = weighed;
  const filter = new BoxFilter(weight, options.durations);
  const highest = new Float32Array(width * height);
  filter.highest(weighted, highest);
  for (let k = 0; k < highest.length; k++) {
    const snr = highest[k]! / relative[k]!;
    highest[k] = Number.isFinite(snr) ? snr : Number.NEGATIVE_INFINITY;
  }
  const detections: Detection[] = [];
  for (let y = tile.y0 - tile.seen.y0; y < tile.y1 - tile.seen.y0; y++) {
    for (let x = tile.x0 - tile.seen.x0; x < tile.x1 - tile.seen.x0; x++) {
      const k = y * width + x;
      if (!(highest[k]! >= options.threshold)) continue;
      if (!isPeak(highest, [width, height], [x, y], options.radius)) continue;
      const found = locate(filter, weighed, [width, height], [x, y]);
      if (found !== undefined)
        detections.push({ ...found, x: found.x + tile.seen.x0, y: found.y + tile.seen.y0 });
    }
  }
  return detections.sort((a, b) => b.snr - a.snr).slice(0, options.most);
}

/** Whether no pixel within the radius is higher; of equal ones the first counts. */
function isPeak(
  values: Float32Array,
  [width, height]: readonly [number, number],
  [x, y]: readonly [number, number],
  radius: number,
): boolean {
  const k = y * width + x;
  const reach = Math.floor(radius);
  for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++) {
    for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
      if ((u - x) ** 2 + (v - y) ** 2 > radius * radius) continue;
      const other = v * width + u;
      if (values[other]! > values[k]! || (values[other] === values[k] && other < k)) return false;
    }
  }
  return true;
}

/** The event at a pixel, its place refined by a parabola through the neighbours at the same times. */
function locate(
  filter: BoxFilter,
  { weighted, relative }: WeighedTile,
  [width, height]: readonly [number, number],
  [x, y]: readonly [number, number],
): Detection | undefined {
  const at = (u: number, v: number): void => filter.load(weighted, v * width + u, width * height);
  at(x, y);
  const event = filter.best();
  if (event === undefined) return undefined;
  const { start, end } = event;
  const value = (u: number, v: number): number => {
    if (u < 0 || v < 0 || u >= width || v >= height) return Number.NaN;
    at(u, v);
    return filter.snrOf(start, end);
  };
  const offset = (below: number, above: number): number => {
    const curvature = 2 * event.snr - below - above;
    const shift = (above - below) / (2 * curvature);
    return curvature > 0 && Math.abs(shift) <= 1 ? shift : 0;
  };
  return {
    x: x + offset(value(x - 1, y), value(x + 1, y)),
    y: y + offset(value(x, y - 1), value(x, y + 1)),
    snr: event.snr / relative[y * width + x]!,
    amplitude: event.amplitude,
    start,
    end,
  };
}
