/**
 * Owns Hogbom CLEAN (J. Hogbom 1974): the brightest pixel is found, a part of it is subtracted with the shape
 * of the point spread function, again and again. Both steps run over whole images in WebAssembly. Must not
 * know: visibilities, where images come from, noise.
 */
import { type Arena, withArena } from './arena.ts';

/** An image as its pixels `[y, x]` and size. */
export interface PixelImage {
  readonly pixels: ArrayLike<number>;
  readonly npixX: number;
  readonly npixY: number;
}

export interface CleanOptions {
  /** The part of the peak that an iteration subtracts; 0.1 unless given. */
  readonly gain?: number;
  /** The most iterations. */
  readonly niter: number;
  /** Stop when no pixel's absolute value exceeds this, Jy/beam; 0 unless given. */
  readonly threshold?: number;
  /** Stop when the peak is down to this fraction of its first value (WSClean's 1 - mgain); 0 unless given. */
  readonly stopFraction?: number;
  /** `[y, x]` 1 = may hold a component; everything unless given. */
  readonly mask?: Uint8Array;
}

/** A point of flux on pixel (x, y); the parts that iterations found there are summed. */
export interface CleanComponent {
  readonly x: number;
  readonly y: number;
  /** Jy */
  readonly flux: number;
}

export interface CleanResult {
  /** In the order in which their pixels were first picked. */
  readonly components: CleanComponent[];
  /** `[y, x]` Jy/beam: the dirty image minus the components seen through the point spread function. */
  readonly residual: Float32Array;
  readonly iterations: number;
  /** The largest absolute value left where components may be. */
  readonly peak: number;
  readonly stoppedBy: 'threshold' | 'stop-fraction' | 'niter' | 'divergence';
}

/**
 * CLEANs `dirty` with `psf`, whose centre (floor(npixX/2), floor(npixY/2)) holds its maximum. A point spread
 * function of twice the image's size is subtracted everywhere, a smaller one as far as it reaches. Pixels
 * that are NaN are left alone and stay NaN; NaN in `psf` counts as 0.
 */
export function hogbom(dirty: PixelImage, psf: PixelImage, options: CleanOptions): CleanResult {
  return withArena((arena) => new Cleaner(arena, dirty, psf, options.mask).run(options));
}

class Cleaner {
  readonly #arena: Arena;
  readonly #npixX: number;
  readonly #npixY: number;
  readonly #residual: number;
  readonly #stride: number;
  readonly #mask: number;
  readonly #rowMax: number;
  readonly #psf: number;
  readonly #psfStride: number;
  readonly #psfX: number;
  readonly #psfY: number;
  readonly #psfPeak: number;

  constructor(arena: Arena, dirty: PixelImage, psf: PixelImage, mask: Uint8Array | undefined) {
    this.#arena = arena;
    this.#npixX = dirty.npixX;
    this.#npixY = dirty.npixY;
    [this.#residual, this.#stride] = store(arena, dirty, (value) => value);
    [this.#psf, this.#psfStride] = store(arena, psf, (value) => (Number.isNaN(value) ? 0 : value));
    [this.#mask] = mask === undefined ? [0] : store(arena, { ...dirty, pixels: mask }, (value) => value);
    this.#rowMax = arena.allocate(4 * dirty.npixY);
    this.#psfX = psf.npixX;
    this.#psfY = psf.npixY;
    this.#psfPeak = psf.pixels[Math.floor(psf.npixY / 2) * psf.npixX + Math.floor(psf.npixX / 2)]!;
    if (!(this.#psfPeak > 0)) throw new RangeError('the point spread function has no peak at its centre');
  }

  run({ gain = 0.1, niter, threshold = 0, stopFraction = 0 }: CleanOptions): CleanResult {
    const found = new Map<number, number>();
    this.#updateMaxima(0, this.#npixY);
    let { x, y, value } = this.#peak();
    const first = Math.abs(value);
    const floor = Math.max(threshold, stopFraction * first);
    let iterations = 0;
    let stoppedBy: CleanResult['stoppedBy'] = 'niter';
    for (; iterations < niter; iterations++) {
      const level = Math.abs(value);
      if (level <= floor || level === 0) {
        stoppedBy = level <= threshold || level === 0 ? 'threshold' : 'stop-fraction';
        break;
      }
      if (level > 4 * first) {
        stoppedBy = 'divergence';
        break;
      }
      const flux = (gain * value) / this.#psfPeak;
      const pixel = y * this.#npixX + x;
      found.set(pixel, (found.get(pixel) ?? 0) + flux);
      this.#subtract(x, y, flux);
      ({ x, y, value } = this.#peak());
    }
    const components = [...found].map(([pixel, flux]) => ({
      x: pixel % this.#npixX,
      y: Math.floor(pixel / this.#npixX),
      flux,
    }));
    return { components, residual: this.#result(), iterations, peak: Math.abs(value), stoppedBy };
  }

  /** Subtracts the point spread function at (x, y) where it overlaps the image. */
  #subtract(x: number, y: number, flux: number): void {
    const left = x - Math.floor(this.#psfX / 2);
    const bottom = y - Math.floor(this.#psfY / 2);
    const x0 = Math.max(0, left);
    const x1 = Math.min(this.#npixX, left + this.#psfX);
    const y0 = Math.max(0, bottom);
    const y1 = Math.min(this.#npixY, bottom + this.#psfY);
    const { subtract } = this.#arena.kernels;
    const [psf, psfStride] = [this.#psf, this.#psfStride];
    subtract(this.#residual, this.#stride, x0, x1, y0, y1, psf, psfStride, x0 - left, y0 - bottom, flux);
    this.#updateMaxima(y0, y1);
  }

  #updateMaxima(y0: number, y1: number): void {
    this.#arena.kernels.rowMaxima(this.#residual, this.#mask, this.#stride, y0, y1, this.#rowMax);
  }

  /** The allowed pixel of the largest absolute value: of equals the first, row by row. */
  #peak(): { x: number; y: number; value: number } {
    const maxima = this.#arena.f32(this.#rowMax, this.#npixY);
    let y = 0;
    for (let row = 1; row < maxima.length; row++) if (maxima[row]! > maxima[y]!) y = row;
    const values = this.#arena.f32(this.#residual + y * this.#stride, this.#npixX);
    const allowed =
      this.#mask === 0 ? undefined : this.#arena.f32(this.#mask + y * this.#stride, this.#npixX);
    for (let x = 0; x < values.length; x++) {
      if (Math.abs(values[x]!) === maxima[y] && allowed?.[x] !== 0) return { x, y, value: values[x]! };
    }
    return { x: 0, y: 0, value: 0 };
  }

  #result(): Float32Array {
    const pixels = new Float32Array(this.#npixX * this.#npixY);
    for (let y = 0; y < this.#npixY; y++) {
      pixels.set(this.#arena.f32(this.#residual + y * this.#stride, this.#npixX), y * this.#npixX);
    }
    return pixels;
  }
}

/** Copies an image into the arena, rows padded with zeros to whole vectors: its address and bytes a row. */
function store(
  arena: Arena,
  image: PixelImage,
  convert: (value: number) => number,
): [address: number, stride: number] {
  const { pixels, npixX, npixY } = image;
  if (pixels.length !== npixX * npixY) {
    throw new RangeError(`${pixels.length} pixels are no image of ${npixX} x ${npixY}`);
  }
  const stride = Math.ceil(npixX / 4) * 16;
  const address = arena.allocate(stride * npixY);
  const copy = arena.f32(address, (stride / 4) * npixY).fill(0);
  for (let y = 0, k = 0; y < npixY; y++) {
    for (let x = 0, to = (y * stride) / 4; x < npixX; x++, k++, to++) copy[to] = convert(pixels[k]!);
  }
  return [address, stride];
}
