/**
 * Owns the shapes in which visibilities and images travel between readers, kernels and tasks. Array layouts
 * are C order with the last axis fastest; "mask" is 1 = use everywhere ("flag", 1 = bad, exists only in the
 * readers). Must not know: files, gridding, tasks.
 */

export type Correlation = 'I' | 'Q' | 'U' | 'V' | 'RR' | 'RL' | 'LR' | 'LL' | 'XX' | 'XY' | 'YX' | 'YY';
export type Stokes = 'I' | 'Q' | 'U' | 'V';

/** A direction on the sky, ICRS/J2000, radians. */
export interface Direction {
  readonly raRad: number;
  readonly decRad: number;
}

/** What the imaging kernels read: one Stokes parameter of a block of rows. */
export interface StokesVisibilities {
  /** `[row, 3]` metres, as stored in the Measurement Set. */
  readonly uvw: Float64Array;
  /** `[chan]` Hz, channel centres. */
  readonly freq: Float64Array;
  /** `[row, chan, 2]` Jy, re/im interleaved; zero wherever `mask` is 0 (never NaN). */
  readonly vis: Float32Array;
  /** `[row, chan]` 1/Jy^2; zero wherever `mask` is 0. */
  readonly weight: Float32Array;
  /** `[row, chan]` 1 = use. */
  readonly mask: Uint8Array;
}

/** A chunk: a block of visibilities with its metadata. Autocorrelations are already left out. */
export interface VisibilityChunk extends StokesVisibilities {
  /** `[row]` seconds, MJD UTC, centre of the integration. */
  readonly time: Float64Array;
  /** `[row]` */
  readonly antenna1: Int32Array;
  /** `[row]` */
  readonly antenna2: Int32Array;
  readonly stokes: Stokes;
  readonly phaseCentre: Direction;
}

/** The pixel grid of an image. Pixel (x, y), 0-based, lies at l = -(x - npixX/2) pixsizeX, m = (y - npixY/2)
 * pixsizeY. */
export interface ImageGeometry {
  readonly npixX: number;
  readonly npixY: number;
  /** radians, positive */
  readonly pixsizeX: number;
  /** radians, positive */
  readonly pixsizeY: number;
}

/** A sky image `[y, x]`: first row south, first column east, as in FITS. */
export interface SkyImage {
  readonly geometry: ImageGeometry;
  readonly phaseCentre: Direction;
  /** `[y, x]` Jy/beam */
  readonly pixels: Float32Array;
}

/** An elliptical Gaussian; axes are full widths at half maximum in radians, position angle from north
 * through east. */
export interface Beam {
  readonly majorRad: number;
  readonly minorRad: number;
  readonly positionAngleRad: number;
}
