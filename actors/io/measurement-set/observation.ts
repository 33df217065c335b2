/**
 * Owns the shape of an observation that is to be written as a Measurement Set: plain arrays, a block for each
 * time and data description. Must not know: tables, how the visibilities were made.
 */
import type { Correlation, Direction } from '../../visibility.ts';

/** Visibilities of one time, field and data description. */
export interface ObservationBlock {
  readonly fieldId: number;
  readonly dataDescriptionId: number;
  readonly scanNumber: number;
  /** seconds, MJD UTC, centre of the integration */
  readonly timeMjdSeconds: number;
  readonly intervalSeconds: number;
  /** `[row]` */
  readonly antenna1: Int32Array;
  /** `[row]` */
  readonly antenna2: Int32Array;
  /** `[row, 3]` metres */
  readonly uvw: Float64Array;
  /** `[row, chan, corr, 2]` Jy */
  readonly data: Float32Array;
  /** `[row, chan, corr]` 1 = bad */
  readonly flag: Uint8Array;
  /** `[row, chan, corr]` 1/Jy^2 */
  readonly weight: Float32Array;
  /** `[row]` FLAG_ROW; where left out it is set for rows that are flagged throughout. */
  readonly flagRow?: Uint8Array;
}

export interface ObservedAntenna {
  readonly name: string;
  readonly station?: string;
  /** metres, ITRF */
  readonly position: readonly [number, number, number];
  readonly diameterMetres: number;
}

export interface ObservedBand {
  readonly name: string;
  /** `[chan]` Hz */
  readonly freq: Float64Array;
  /** Hz; negative where frequencies descend */
  readonly channelWidthHz: number;
  readonly correlations: readonly Correlation[];
}

/** Everything a Measurement Set says. */
export interface ObservationToWrite {
  readonly telescope: string;
  readonly observer: string;
  readonly project: string;
  readonly antennas: readonly ObservedAntenna[];
  readonly fields: readonly { readonly name: string; readonly phaseCentre: Direction }[];
  /** One spectral window, polarisation setup and data description each. */
  readonly bands: readonly ObservedBand[];
  /** In order of time; DATA_DESC_ID within a time. */
  readonly blocks: readonly ObservationBlock[];
  /** What goes into HISTORY, a line an entry. */
  readonly history?: readonly string[];
}
