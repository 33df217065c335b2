/**
 * Reads whole FITS images for tests: pixels and header, from files that may be compressed with gzip.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type FitsImage, openFitsImage } from '../../actors/io/fits/read-image.ts';

export interface ReadFits extends Pick<FitsImage, 'header' | 'freqHz' | 'startMjd' | 'beam' | 'unit'> {
  readonly npixX: number;
  readonly npixY: number;
  /** `[y, x]` of the first plane. */
  readonly pixels: Float32Array;
}

/** Reads an image; one whose name ends in `.gz` is unpacked first. */
export async function readFits(path: string): Promise<ReadFits> {
  if (!path.endsWith('.gz')) return readPlain(path);
  const folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  try {
    const unpacked = join(folder, 'unpacked.fits');
    writeFileSync(unpacked, gunzipSync(readFileSync(path)));
    return await readPlain(unpacked);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readPlain(path: string): Promise<ReadFits> {
  const image = await openFitsImage(path);
  try {
    const { header, freqHz, startMjd, beam, unit, shape } = image;
    const [npixX, npixY] = [shape[0]!, shape[1]!];
    return { header, freqHz, startMjd, beam, unit, npixX, npixY, pixels: await image.readPlane(0) };
  } finally {
    await image.close();
  }
}

/** The middle of an image: pixel (npixX/2, npixY/2) stays what lies at the phase centre. */
export function middleOf(image: ReadFits, npix: number): Float32Array {
  const [x0, y0] = [(image.npixX - npix) / 2, (image.npixY - npix) / 2];
  return Float32Array.from({ length: npix * npix }, (_, k) => {
    return image.pixels[(y0 + Math.floor(k / npix)) * image.npixX + x0 + (k % npix)]!;
  });
}

/** The largest difference between two images; NaN must stand in the same places of both. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} pixels are not ${b.length}`);
  let largest = 0;
  a.forEach((value, k) => {
    if (Number.isNaN(value) && Number.isNaN(b[k])) return;
    const difference = Math.abs(value - b[k]!);
    if (!(difference <= largest)) largest = difference;
  });
  return largest;
}
