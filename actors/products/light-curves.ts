/**
 * Owns the row of a light curve: one flux measurement of one source in one frame. Must not know: how fluxes
 * are measured.
 */

/**
 * `detected`: above the threshold; `limit`: measured, but below it; `bad`: the frame has no usable data there
 * (flux and error are NaN).
 */
export type LightCurveFlag = 'detected' | 'limit' | 'bad';

/** A forced measurement at the position of a source. */
export interface LightCurvePoint {
  /** The source's `CatalogueSource.id`. */
  readonly id: string;
  /** Name of the band, as in the names of the image cubes. */
  readonly band: string;
  /** Hz, centre of the band. */
  readonly freqHz: number;
  /** MJD UTC, centre of the frame. */
  readonly timeMjd: number;
  /** Seconds, length of the frame. */
  readonly dtS: number;
  /** Jy; may be negative. */
  readonly fluxJy: number;
  /** Jy, one standard deviation. */
  readonly errJy: number;
  readonly flag: LightCurveFlag;
}
