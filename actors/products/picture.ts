/**
 * Owns the way from pixel values to a picture: fewer pixels, a range of values, a scale, colours. Must not
 * know: axes, pages.
 */
import type { SkyImage } from '../visibility.ts';
import { imagePalette } from './colour-map.ts';
import { type IndexedPicture, pngDataUri } from './png.ts';

/** Which values get which colours. */
export interface ValueScale {
  /** Jy/beam of the darkest and the brightest colour */
  readonly low: number;
  readonly high: number;
  /** Jy/beam from which the scale turns from linear to logarithmic; infinite for a linear one. */
  readonly softening: number;
}

/** The share of the colour range at a value, below 0 and above 1 outside of it. */
export function shareOf({ low, high, softening }: ValueScale, value: number): number {
  if (!Number.isFinite(softening)) return (value - low) / (high - low);
  const [from, to] = [Math.asinh(low / softening), Math.asinh(high / softening)];
  return (Math.asinh(value / softening) - from) / (to - from);
}

/** Middle and robust standard deviation of what is finite; an evenly spaced sample of large images. */
function levelsOf(pixels: Float32Array): { middle: number; sigma: number; top: number } {
  const step = Math.max(1, Math.floor(pixels.length / 200_000));
  const sample: number[] = [];
  let top = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < pixels.length; k++) {
    const value = pixels[k]!;
    if (!Number.isFinite(value)) continue;
    if (value > top) top = value;
    if (k % step === 0) sample.push(value);
  }
  if (sample.length === 0) return { middle: 0, sigma: 1, top: 1 };
  const sorted = Float64Array.from(sample).sort();
  const middle = sorted[sorted.length >> 1]!;
  const away = sorted.map((value) => Math.abs(value - middle)).sort();
  const sigma = 1.4826 * away[away.length >> 1]! || Math.abs(top - middle) / 10 || 1;
  return { middle, sigma, top };
}

/** A scale that shows the noise and, above it, sources of all brightnesses. */
export function skyScale({ pixels }: SkyImage): ValueScale {
  const { middle, sigma, top } = levelsOf(pixels);
  return { low: middle - 2.5 * sigma, high: Math.max(top, middle + 8 * sigma), softening: 4 * sigma };
}

/** The highest value in the middle third of an image. */
function middleTop({ geometry: { npixX, npixY }, pixels }: SkyImage): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let y = Math.floor(npixY / 3); y < (2 * npixY) / 3; y++) {
    for (let x = Math.floor(npixX / 3); x < (2 * npixX) / 3; x++) {
      const value = pixels[y * npixX + x]!;
      if (value > top) top = value;
    }
  }
  return top;
}

/** One linear scale for small pictures of the same place: for what is in their middle, whatever is around. */
export function commonScale(images: readonly SkyImage[]): ValueScale {
  const sigma = Math.min(...images.map(({ pixels }) => levelsOf(pixels).sigma));
  const high = Math.max(...images.map(middleTop), 5 * sigma);
  return { low: -2.5 * sigma, high, softening: Number.POSITIVE_INFINITY };
}

/** Means of squares of `factor` pixels, north up, without what is not finite; those at the south and west
 * edges may be cut.
 * @returns `[row, column]`, top row first; NaN where nothing is finite */
export function reduceImage(
  { geometry, pixels }: SkyImage,
  factor: number,
): { width: number; height: number; values: Float32Array } {
  const { npixX, npixY } = geometry;
  const [width, height] = [Math.ceil(npixX / factor), Math.ceil(npixY / factor)];
  const values = new Float32Array(width * height);
  const counts = new Uint32Array(width * height);
  for (let y = 0; y < npixY; y++) {
    const row = Math.floor((npixY - 1 - y) / factor) * width;
    for (let x = 0; x < npixX; x++) {
      const value = pixels[y * npixX + x]!;
      if (!Number.isFinite(value)) continue;
      const at = row + Math.floor(x / factor);
      values[at]! += value;
      counts[at]!++;
    }
  }
  for (let k = 0; k < values.length; k++) values[k] = counts[k]! > 0 ? values[k]! / counts[k]! : Number.NaN;
  return { width, height, values };
}

/** The image in colours. */
export function pictureOf(image: SkyImage, scale: ValueScale, factor = 1): IndexedPicture {
  const { width, height, values } = reduceImage(image, factor);
  const indices = Uint8Array.from(values, (value) =>
    Number.isFinite(value) ? 1 + Math.round(254 * Math.min(1, Math.max(0, shareOf(scale, value)))) : 0,
  );
  return { width, height, indices, ...imagePalette() };
}

/** An SVG image that covers `npixX` by `npixY` user units, pixel by pixel. */
export function imageElement(image: SkyImage, scale: ValueScale, side: number): string {
  const { npixX, npixY } = image.geometry;
  const factor = Math.max(1, Math.ceil(Math.max(npixX, npixY) / side));
  const picture = pictureOf(image, scale, factor);
  const size = `width="${picture.width * factor}" height="${picture.height * factor}"`;
  return `<image ${size} preserveAspectRatio="none" href="${pngDataUri(picture)}"/>`;
}
