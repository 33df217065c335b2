/**
 * Owns FITS images as they are read: planes of pixels in physical units, and where on the sky they lie. Must
 * not know: what an image is for.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import type { Beam, Direction, ImageGeometry } from '../../visibility.ts';
import { mjdFromIso } from '../calendar.ts';
import { lmFromSky, type Pixel, radians, skyFromLm } from '../wcs.ts';
import { type FitsHeader, numberOf, textOf } from './header.ts';
import { FitsFile, type FitsUnit } from './read-fits.ts';
import { decodeTable, type FitsTable } from './table.ts';

/** An open image; `close` it afterwards. */
export interface FitsImage {
  readonly path: string;
  readonly header: FitsHeader;
  /** Fastest axis first, such as `[npixX, npixY, 1, 1]`. */
  readonly shape: readonly number[];
  /** Product of all axes but the first two. */
  readonly planeCount: number;
  readonly unit: string;
  /** Hz, where the header tells. */
  readonly freqHz: number | undefined;
  readonly beam: Beam | undefined;
  /** MJD UTC of DATE-OBS. */
  readonly startMjd: number | undefined;
  /** The reference direction of the projection. */
  readonly phaseCentre: Direction | undefined;
  /** Present if the reference pixel is where ours is, at (npixX/2, npixY/2). */
  readonly geometry: ImageGeometry | undefined;
  /** Direction of a 0-based pixel; undefined off the sky or where the projection is not an unrotated SIN. */
  sky(pixel: Pixel): Direction | undefined;
  /** Pixel of a direction, maybe outside the image. */
  pixel(direction: Direction): Pixel | undefined;
  /** `[y, x]` of the plane `index` (third axis fastest), scaled by BSCALE and BZERO, BLANK as NaN. The caller
   * owns it.
   * @throws AsperitasError `damaged-fits`, `unreadable-file` */
  readPlane(index: number): Promise<Float32Array<ArrayBuffer>>;
  /** The binary table of that EXTNAME, if there is one. */
  readTable(name: string): Promise<FitsTable | undefined>;
  close(): Promise<void>;
}

interface Projection {
  readonly centre: Direction;
  /** 0-based reference pixel and radians a pixel, signs included. */
  readonly x0: number;
  readonly y0: number;
  readonly stepX: number;
  readonly stepY: number;
}

/** Rotations and projections other than a plain SIN are refused rather than read wrongly. */
function projectionOf(header: FitsHeader): Projection | undefined {
  const isSin =
    textOf(header, 'CTYPE1') === 'RA---SIN' &&
    textOf(header, 'CTYPE2') === 'DEC--SIN' &&
    [...header.keys()].every((keyword) => !/^(CD\d+_\d+|PV2_[12])$/.test(keyword) || !header.get(keyword));
  const rotated = ['PC1_2', 'PC2_1', 'PC001002', 'PC002001', 'CROTA2'].some((key) => numberOf(header, key));
  const values = ['CRVAL1', 'CRVAL2', 'CRPIX1', 'CRPIX2', 'CDELT1', 'CDELT2'].map((key) =>
    numberOf(header, key),
  );
  if (!isSin || rotated || values.some((value) => value === undefined)) return undefined;
  const [ra, dec, x, y, stepX, stepY] = values as number[];
  return {
    centre: { raRad: radians(ra!), decRad: radians(dec!) },
    x0: x! - 1,
    y0: y! - 1,
    stepX: radians(stepX!),
    stepY: radians(stepY!),
  };
}

function geometryOf(shape: readonly number[], projection: Projection | undefined): ImageGeometry | undefined {
  if (projection === undefined || !(projection.stepX < 0 && projection.stepY > 0)) return undefined;
  const [npixX, npixY] = [shape[0]!, shape[1]!];
  const centred = projection.x0 === npixX / 2 && projection.y0 === npixY / 2;
  return centred ? { npixX, npixY, pixsizeX: -projection.stepX, pixsizeY: projection.stepY } : undefined;
}

function beamOf(header: FitsHeader): Beam | undefined {
  const [major, minor] = [numberOf(header, 'BMAJ'), numberOf(header, 'BMIN')];
  if (!major || !minor) return undefined;
  return {
    majorRad: radians(major),
    minorRad: radians(minor),
    positionAngleRad: radians(numberOf(header, 'BPA') ?? 0),
  };
}

function frequencyOf(header: FitsHeader): number | undefined {
  for (let axis = 1; axis <= 9; axis++) {
    if (textOf(header, `CTYPE${axis}`) === 'FREQ') return numberOf(header, `CRVAL${axis}`);
  }
  return numberOf(header, 'OBSFREQ') ?? numberOf(header, 'RESTFRQ') ?? numberOf(header, 'RESTFREQ');
}

/** Big-endian values of any BITPIX as floats. */
function pixelsOf(bytes: Buffer<ArrayBuffer>, header: FitsHeader): Float32Array<ArrayBuffer> {
  const bitpix = numberOf(header, 'BITPIX')!;
  const scale = numberOf(header, 'BSCALE') ?? 1;
  const zero = numberOf(header, 'BZERO') ?? 0;
  if (bitpix === -32 && scale === 1 && zero === 0) {
    bytes.swap32();
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Record<string, (at: number) => number> = {
    '8': (at) => view.getUint8(at),
    '16': (at) => view.getInt16(at),
    '32': (at) => view.getInt32(at),
    '64': (at) => Number(view.getBigInt64(at)),
    '-32': (at) => view.getFloat32(at),
    '-64': (at) => view.getFloat64(at),
  };
  const value = read[String(bitpix)]!;
  const width = Math.abs(bitpix) / 8;
  const blank = bitpix > 0 ? numberOf(header, 'BLANK') : undefined;
  return Float32Array.from({ length: bytes.byteLength / width }, (_, index) => {
    const raw = value(index * width);
    return raw === blank ? Number.NaN : raw * scale + zero;
  });
}

async function readTable(file: FitsFile, name: string): Promise<FitsTable | undefined> {
  const unit = file.units.find(
    ({ kind, header }) => kind === 'BINTABLE' && textOf(header, 'EXTNAME') === name,
  );
  if (unit === undefined) return undefined;
  return decodeTable(unit.header, await file.read(unit.dataOffset, unit.dataBytes), file.path);
}

function imageOf(file: FitsFile, { header, shape, dataOffset }: FitsUnit): FitsImage {
  const projection = projectionOf(header);
  const planePixels = shape[0]! * shape[1]!;
  const planeBytes = planePixels * (Math.abs(numberOf(header, 'BITPIX')!) / 8);
  const planeCount = shape.slice(2).reduce((product, size) => product * size, 1);
  const date = textOf(header, 'DATE-OBS');
  const startMjd = date === undefined ? (numberOf(header, 'MJD-OBS') ?? Number.NaN) : mjdFromIso(date);
  return {
    path: file.path,
    header,
    shape,
    planeCount,
    unit: textOf(header, 'BUNIT') ?? '',
    freqHz: frequencyOf(header),
    beam: beamOf(header),
    startMjd: Number.isNaN(startMjd) ? undefined : startMjd,
    phaseCentre: projection?.centre,
    geometry: geometryOf(shape, projection),
    sky: ({ x, y }) =>
      projection &&
      skyFromLm(projection.centre, {
        l: (x - projection.x0) * projection.stepX,
        m: (y - projection.y0) * projection.stepY,
      }),
    pixel: (direction) => {
      const lm = projection && lmFromSky(projection.centre, direction);
      return lm && { x: projection.x0 + lm.l / projection.stepX, y: projection.y0 + lm.m / projection.stepY };
    },
    readPlane: async (index) => {
      if (!(Number.isInteger(index) && index >= 0 && index < planeCount)) {
        throw new RangeError(`${file.path} has no plane ${index}: it has ${planeCount}`);
      }
      return pixelsOf(await file.read(dataOffset + index * planeBytes, planeBytes), header);
    },
    readTable: (name) => readTable(file, name),
    close: () => file.close(),
  };
}

/** Opens the first image of a FITS file. Pixels are read plane by plane, on demand.
 * @throws AsperitasError `missing-file`, `unreadable-file`, `not-fits`, `damaged-fits` */
export async function openFitsImage(path: string): Promise<FitsImage> {
  const file = await FitsFile.open(path);
  const unit = file.units.find(
    ({ kind, shape, dataBytes }) => kind === 'IMAGE' && shape.length >= 2 && dataBytes > 0,
  );
  if (unit !== undefined) return imageOf(file, unit);
  await file.close();
  throw new AsperitasError('not-fits', `${path} holds no image; give the path of a FITS image`, { path });
}
