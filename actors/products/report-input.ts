/**
 * Owns the contents of a report, as plain values. Must not know: how they are made, or what the page looks
 * like.
 */
import type { Beam, SkyImage } from '../visibility.ts';
import type { CatalogueSource } from './catalogue.ts';
import type { LightCurvePoint } from './light-curves.ts';
import type { TraceSummary } from './trace.ts';

/** One Measurement Set that was read. */
export interface ReportObservation {
  readonly path: string;
  readonly site: string;
  readonly telescope: string;
  readonly field: string;
  /** MJD UTC. */
  readonly startMjd: number;
  /** MJD UTC. */
  readonly endMjd: number;
  readonly antennas: number;
  readonly rows: number;
  /** Share of the field's visibilities that are flagged, 0 to 1. */
  readonly flaggedFraction: number;
}

/** One band and its mean image. */
export interface ReportBand {
  readonly name: string;
  readonly freqHz: number;
  readonly bandwidthHz: number;
  readonly frames: number;
  /** Jy/beam, of the mean image, away from sources. */
  readonly noiseJy: number;
  /** The mean image, or its cleaned form; drawn reduced to at most a thousand pixels a side. */
  readonly meanImage: SkyImage;
  readonly beam: Beam | undefined;
  /** What the picture shows, such as `mean image, cleaned`. */
  readonly caption: string;
}

/** A small picture of a source. All thumbnails of one source share one colour scale. */
export interface ReportThumbnail {
  /** Such as `before`, `at the peak`, `after`. */
  readonly caption: string;
  readonly image: SkyImage;
}

/** One parameter of the run, as a user would have given it. */
export interface ReportParameter {
  readonly name: string;
  readonly value: string;
}

/** Everything that the page shows. */
export interface ReportInput {
  readonly title: string;
  /** MJD UTC at which the report is made. */
  readonly madeMjd: number;
  /** Such as `asperitas 0.1.0`. */
  readonly software: string;
  readonly observations: readonly ReportObservation[];
  readonly bands: readonly ReportBand[];
  readonly sources: readonly CatalogueSource[];
  /** By source id. Sources without an entry are listed but not drawn. */
  readonly lightCurves: ReadonlyMap<string, readonly LightCurvePoint[]>;
  /** By source id. */
  readonly thumbnails: ReadonlyMap<string, readonly ReportThumbnail[]>;
  readonly parameters: readonly ReportParameter[];
  /** Where the time went; absent if the run was not traced. */
  readonly trace?: TraceSummary;
}
