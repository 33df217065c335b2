/**
 * Owns the row of a light curve: one flux measurement of one source in one frame, and the file of all rows.
 * Must not know: how fluxes are measured.
 */
import { type WriteOptions, writeAtomically } from '../io/write-atomically.ts';
import { csvLine, csvText } from './csv.ts';
import { exact, measured } from './numbers.ts';

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

const columns = ['id', 'band', 'freq_hz', 'time_mjd', 'dt_s', 'flux_jy', 'err_jy', 'flag'];

/** One point as a line of CSV. */
export function lightCurveLine(point: LightCurvePoint): string {
  const { id, band, freqHz, timeMjd, dtS, fluxJy, errJy, flag } = point;
  return csvLine([
    csvText(id),
    csvText(band),
    exact(freqHz),
    exact(timeMjd),
    measured(dtS),
    measured(fluxJy),
    measured(errJy),
    flag,
  ]);
}

/** Writes light curves as CSV, point by point: the text of many sources in many frames need not fit into
 * memory.
 * @throws AsperitasError `disk-full`, `cannot-write`, `aborted` */
export async function writeLightCurves(
  path: string,
  points: Iterable<LightCurvePoint>,
  options: WriteOptions = {},
): Promise<void> {
  await writeAtomically(
    path,
    async (file) => {
      await file.append(csvLine(columns));
      for (const point of points) await file.append(lightCurveLine(point));
    },
    options,
  );
}
