/**
 * Owns what a FITS file of ours says about its image: where, when, at which frequency, in which unit. Must
 * not know: cards, blocks, files.
 */
import type { Beam, Direction, ImageGeometry, Stokes } from '../../visibility.ts';

/** What an image was made of, under the keywords of WSClean. */
export interface ImageOrigin {
  /** Such as `CORRECTED_DATA` (WSCDATAC). */
  readonly dataColumn: string;
  readonly fieldId: number;
  /** As text, such as `natural` (WSCWEIGH). */
  readonly weighting: string;
  /** Sum of the imaging weights, 1/Jy^2 for natural ones; 0 where all is flagged (WSCIMGWG, WSCNORMF). */
  readonly sumOfWeights: number;
  /** Visibilities that are not flagged (WSCNVIS). */
  readonly samples: number;
  /** Time steps `[start, end)` of the field (WSCTIMES, WSCTIMEE). */
  readonly slots: readonly [start: number, end: number];
  /** Place `[start, end)` among all frequencies, ascending; absent for all (WSCCHANS, WSCCHANE). */
  readonly channels?: readonly [start: number, end: number];
}

/** The description of an image, the same for all its planes. */
export interface ImageDescription {
  readonly geometry: ImageGeometry;
  readonly phaseCentre: Direction;
  /** Such as `Jy/beam`. */
  readonly unit: string;
  readonly stokes: Stokes;
  /** Hz, centre. */
  readonly freqHz: number;
  /** Hz, width. */
  readonly bandwidthHz: number;
  /** MJD UTC, centre of the first integration (DATE-OBS, as WSClean has it). */
  readonly startMjd?: number;
  /** Seconds from the start of the first integration to the end of the last one (EXPTIME). */
  readonly durationS?: number;
  /** Restoring or dirty beam, if one was fitted. */
  readonly beam?: Beam;
  readonly telescope?: string;
  readonly observer?: string;
  /** Name of the field. */
  readonly object?: string;
  readonly origin?: ImageOrigin;
  /** Lines for HISTORY, such as the command. */
  readonly history?: readonly string[];
}

/** One image of one time and one frequency. */
export interface FitsImageInput {
  readonly description: ImageDescription;
  /** `[y, x]`, first row south, first column east; NaN allowed. Not kept. */
  readonly pixels: Float32Array;
}

/** One plane of a cube in time. */
export interface CubePlane {
  /** Place along the time axis, from 0. Planes may come in any order; each must come once. */
  readonly index: number;
  /** `[y, x]`; NaN allowed. Not kept after the plane is written. */
  readonly pixels: Float32Array;
  /** MJD UTC, centre of the frame. */
  readonly timeMjd: number;
  /** Seconds, length of the frame. */
  readonly dtS: number;
  /** Sum of the imaging weights, 1/Jy^2 for natural weights; 0 for a frame without data. */
  readonly sumOfWeights: number;
}

/** A cube of images in time. The planes are taken one after the other and never held together. */
export interface FitsCubeInput {
  readonly description: ImageDescription;
  readonly planeCount: number;
  readonly planes: AsyncIterable<CubePlane> | Iterable<CubePlane>;
}
