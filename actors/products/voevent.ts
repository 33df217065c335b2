/**
 * Owns the alert: one VOEvent 2.0 document for one transient. Must not know: how transients are found, or how
 * alerts are sent.
 */
import type { CatalogueSource } from './catalogue.ts';

/** What a VOEvent says beyond the catalogue's row. */
export interface TransientAlert {
  readonly source: CatalogueSource;
  /** Degrees, radius of the circle that holds the true position with 68 % probability. */
  readonly errorRadiusDeg: number;
  /** Hz, centre of the frequencies in which it was seen. */
  readonly freqHz: number;
  /** Hz, their width. */
  readonly bandwidthHz: number;
  /** Seconds, the time for which it was seen. */
  readonly durationS: number;
  /** `test` for anything that is not a real observation. */
  readonly role: 'test' | 'observation';
  /** Of the instrument, such as `NenuFAR`. */
  readonly telescope: string;
  /** Name of the field or target observed. */
  readonly field: string;
  /**
   * First part of the identifier, such as `asperitas.local`: a registered IVOA authority, if there is one.
   */
  readonly authority: string;
  /** Makes identifiers of one run different from any other's and the same when the run is repeated, such as
   * the first 12 digits of the hash of the inputs. */
  readonly runId: string;
  /** MJD UTC at which the alert was written. */
  readonly writtenMjd: number;
}
