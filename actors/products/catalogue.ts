/**
 * Owns the row of the catalogue: what is known of one source after a run. Must not know: how sources are
 * found or how the rows are written.
 */

/** `steady`: constant within its errors; `variable`: seen in the mean image and not constant; `transient`:
 * absent from the mean image, or there only through a short brightening. */
export type SourceKind = 'steady' | 'variable' | 'transient';

/**
 * One source. Times are MJD in UTC; a quantity that can't be known is NaN and is written as an empty field.
 */
export interface CatalogueSource {
  /** Unique in the catalogue; it links light curves, alerts and report. */
  readonly id: string;
  /** ICRS, degrees, 0 to 360. */
  readonly raDeg: number;
  /** ICRS, degrees. */
  readonly decDeg: number;
  readonly kind: SourceKind;
  /** Largest flux density of the source's light curve, Jy. */
  readonly peakFluxJy: number;
  /** Signal-to-noise ratio of the detection. */
  readonly peakSnr: number;
  /** Start of the first frame in which the source is seen. */
  readonly startMjd: number;
  /** Centre of the frame of the peak. */
  readonly peakMjd: number;
  /** End of the last frame in which the source is seen. */
  readonly endMjd: number;
  /** Reduced chi-square about the weighted mean (Swinbank et al. 2015, eq. 2). */
  readonly eta: number;
  /** Standard deviation over mean of the fluxes (Swinbank et al. 2015, eq. 1). */
  readonly v: number;
  /** Frames with a usable flux measurement. */
  readonly nFrames: number;
}
