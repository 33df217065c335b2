/**
 * Owns the writing of images and of cubes in time as FITS files, plane by plane. Must not know: how images
 * are made.
 */
import { assert } from '../../../runtime/index.ts';
import { type AtomicFile, type WriteOptions, writeAtomically } from '../write-atomically.ts';
import { encodeHeader, paddedLength } from './header.ts';
import type { CubePlane, FitsCubeInput, FitsImageInput, ImageDescription } from './image-description.ts';
import { imageCards } from './image-header.ts';
import { encodeTable } from './table.ts';

/** Pixels that are turned to big-endian at a time: the only copy of a plane that exists. */
const pixelsAtATime = 256 * 1024;

async function writePixels(file: AtomicFile, pixels: Float32Array, offset: number): Promise<void> {
  for (let from = 0; from < pixels.length; from += pixelsAtATime) {
    const piece = pixels.subarray(from, from + pixelsAtATime);
    // A fresh buffer: pixels may lie in shared memory, which must not be swapped in place.
    const bytes = Buffer.allocUnsafeSlow(piece.byteLength);
    bytes.set(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    await file.writeAt(bytes.swap32(), offset + from * 4);
  }
}

async function pad(file: AtomicFile, bytes: number, offset: number): Promise<void> {
  await file.writeAt(new Uint8Array(paddedLength(bytes) - bytes), offset + bytes);
}

function checkPixels({ geometry }: ImageDescription, pixels: Float32Array): void {
  const wanted = geometry.npixX * geometry.npixY;
  assert(pixels.length === wanted, `an image of ${wanted} pixels was given ${pixels.length}`);
}

/** Writes one image as a FITS file with axes RA, DEC, FREQ, STOKES.
 * @throws AsperitasError `disk-full`, `cannot-write`, `aborted` */
export async function writeFitsImage(
  path: string,
  { description, pixels }: FitsImageInput,
  options: WriteOptions = {},
): Promise<void> {
  checkPixels(description, pixels);
  await writeAtomically(
    path,
    async (file) => {
      const header = encodeHeader(imageCards(description, { kind: 'frequency' }));
      await file.append(header);
      await writePixels(file, pixels, header.byteLength);
      await pad(file, pixels.byteLength, header.byteLength);
    },
    options,
  );
}

/** Times and weights of the planes, which are known only when all have come. */
class PlaneTimes {
  readonly timeMjd: Float64Array;
  readonly dtS: Float64Array;
  readonly sumOfWeights: Float64Array;
  #seen = 0;

  constructor(count: number) {
    this.timeMjd = new Float64Array(count).fill(Number.NaN);
    this.dtS = new Float64Array(count);
    this.sumOfWeights = new Float64Array(count);
  }

  add(plane: CubePlane): void {
    const { index } = plane;
    assert(index >= 0 && index < this.timeMjd.length, `the cube has no plane ${index}`);
    assert(Number.isNaN(this.timeMjd[index]), `plane ${index} of the cube came twice`);
    assert(Number.isFinite(plane.timeMjd), `plane ${index} of the cube has no time`);
    this.timeMjd[index] = plane.timeMjd;
    this.dtS[index] = plane.dtS;
    this.sumOfWeights[index] = plane.sumOfWeights;
    this.#seen += 1;
  }

  /** The linear axis that comes closest: exact for evenly spaced planes, the table TIMES for others. */
  axis(): {
    readonly kind: 'time';
    readonly count: number;
    readonly firstMjd: number;
    readonly stepS: number;
  } {
    const count = this.timeMjd.length;
    const [firstMjd, lastMjd] = [this.timeMjd[0]!, this.timeMjd[count - 1]!];
    const stepS = count > 1 ? ((lastMjd - firstMjd) * 86_400) / (count - 1) : this.dtS[0]!;
    return { kind: 'time', count, firstMjd, stepS: Math.round(stepS * 1e6) / 1e6 || 1 };
  }

  get complete(): boolean {
    return this.#seen === this.timeMjd.length;
  }

  table(): Uint8Array {
    return encodeTable('TIMES', [
      { name: 'time_mjd', unit: 'd', values: this.timeMjd },
      { name: 'dt_s', unit: 's', values: this.dtS },
      { name: 'sum_of_weights', unit: '', values: this.sumOfWeights },
    ]);
  }
}

/** Writes images of several times as one FITS file with axes RA, DEC, UTC, STOKES and a binary table `TIMES`.
 * At most one plane is held, and none is kept.
 * @throws AsperitasError `disk-full`, `cannot-write`, `aborted`, and what `planes` throws */
export async function writeFitsCube(
  path: string,
  { description, planeCount, planes }: FitsCubeInput,
  options: WriteOptions = {},
): Promise<void> {
  assert(planeCount > 0, `${path} would have no plane`);
  await writeAtomically(
    path,
    async (file) => {
      const times = new PlaneTimes(planeCount);
      const encode = (): Uint8Array => encodeHeader(imageCards(description, axisOf(times, description)));
      // The length of the header does not depend on the times: its place is kept and it is written last.
      const { byteLength: dataStart } = encode();
      const planeBytes = description.geometry.npixX * description.geometry.npixY * 4;
      for await (const plane of planes) {
        checkPixels(description, plane.pixels);
        times.add(plane);
        await writePixels(file, plane.pixels, dataStart + plane.index * planeBytes);
      }
      assert(times.complete, `${path}: planes of the cube are missing`);
      await file.writeAt(encode(), 0);
      await pad(file, planeCount * planeBytes, dataStart);
      await file.writeAt(times.table(), dataStart + paddedLength(planeCount * planeBytes));
    },
    options,
  );
}

function axisOf(times: PlaneTimes, { startMjd }: ImageDescription): ReturnType<PlaneTimes['axis']> {
  const axis = times.axis();
  return times.complete ? axis : { ...axis, firstMjd: startMjd ?? 0, stepS: 1 };
}
