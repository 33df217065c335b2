/**
 * Owns the row of the catalogue: what is known of one source after a run, and the catalogue as CSV. Must not
 * know: how sources are found.
 */
import { type WriteOptions, writeTextFile } from '../io/write-atomically.ts';
import { csvLine, csvText } from './csv.ts';
import { exact, measured } from './numbers.ts';

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

/** The columns of the catalogue, in order, with the text of each; a NaN is an empty field. */
export const catalogueCells: readonly (readonly [name: string, cell: (source: CatalogueSource) => string])[] =
  [
    ['id', ({ id }) => id],
    ['ra_deg', ({ raDeg }) => exact(raDeg)],
    ['dec_deg', ({ decDeg }) => exact(decDeg)],
    ['kind', ({ kind }) => kind],
    ['peak_flux_jy', ({ peakFluxJy }) => measured(peakFluxJy)],
    ['peak_snr', ({ peakSnr }) => measured(peakSnr)],
    ['start_mjd', ({ startMjd }) => exact(startMjd)],
    ['peak_mjd', ({ peakMjd }) => exact(peakMjd)],
    ['end_mjd', ({ endMjd }) => exact(endMjd)],
    ['eta', ({ eta }) => measured(eta)],
    ['v', ({ v }) => measured(v)],
    ['n_frames', ({ nFrames }) => exact(nFrames)],
  ];

/** The catalogue as CSV, one line a source below a line of names. */
export function catalogueCsv(sources: readonly CatalogueSource[]): string {
  const head = csvLine(catalogueCells.map(([name]) => name));
  return sources.reduce(
    (text, source) => text + csvLine(catalogueCells.map(([, cell]) => csvText(cell(source)))),
    head,
  );
}

/** Throws `disk-full`, `cannot-write`, `aborted`. */
export async function writeCatalogueCsv(
  path: string,
  sources: readonly CatalogueSource[],
  options: WriteOptions = {},
): Promise<void> {
  await writeTextFile(path, catalogueCsv(sources), options);
}
