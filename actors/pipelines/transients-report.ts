/**
 * Owns what the report and the record of a run are told: observations, bands, parameters, in the words of
 * their products. Must not know: files, formats, pages.
 */
import type { RunTrace } from '../../scheduler/index.ts';
import { secondsPerDay } from '../io/calendar.ts';
import type { ParameterValue, ProvenanceInput } from '../products/provenance.ts';
import type { ReportBand, ReportInput, ReportObservation } from '../products/report-input.ts';
import { drawnSources } from '../products/report-sources.ts';
import { summariseTrace } from '../products/trace-summary.ts';
import type { BandImages } from './transients-images.ts';
import type { Stand } from './transients-pass.ts';
import type { TransientPlan } from './transients-plan.ts';
import type { SourceRows } from './transients-rows.ts';
import type { SearchResult } from './transients-search.ts';
import { measuresOf } from './transients-tasks.ts';
import { makeThumbnails } from './transients-thumbnails.ts';

/** Parameters as a user gives them, by the names of the options. */
export function parametersOf({ request }: TransientPlan): Readonly<Record<string, ParameterValue>> {
  const { weighting } = request;
  const arcsec = (request.pixsize * 180 * 3600) / Math.PI;
  return {
    field: request.field,
    size: [request.npixX, request.npixY],
    scale: `${Number(arcsec.toPrecision(10))}asec`,
    weight: weighting.kind === 'briggs' ? [weighting.kind, weighting.robust] : weighting.kind,
    pol: request.stokes,
    'data-column': request.dataColumn,
    'intervals-out': request.intervalsOut ?? 'one a time slot',
    bands: request.bands,
    threshold: request.threshold,
    epsilon: request.epsilon,
  };
}

/** The sets as a record names them. */
export function inputsOf({ sets }: TransientPlan): ProvenanceInput[] {
  return sets.map(({ set, sizeBytes, metadataSha256 }) => ({
    path: set.path,
    site: set.site,
    sizeBytes,
    hashKind: 'metadata',
    sha256: metadataSha256,
  }));
}

/** Share of each set's samples that the masks leave out. */
async function flaggedShares({ cluster, plan, wait }: Stand, { fits }: SearchResult): Promise<number[]> {
  const measures = await cluster.compute(
    fits.map((fit) => measuresOf(fit)),
    wait,
  );
  return plan.sets.map(({ set }) => {
    let [all, used] = [0, 0];
    plan.blocks.forEach((block, k) => {
      if (block.set !== set) return;
      all += block.visibilities;
      used += measures[k]!.samples.reduce((sum, count) => sum + count, 0);
    });
    return all > 0 ? 1 - used / all : Number.NaN;
  });
}

function observationsOf({ sets }: TransientPlan, flagged: readonly number[]): ReportObservation[] {
  return sets.map(({ set, telescope, fieldName, timeS, intervalS, antennas, data }, k) => {
    const last = timeS.length - 1;
    return {
      path: set.path,
      site: set.site,
      telescope,
      field: fieldName,
      startMjd: (timeS[0]! - intervalS[0]! / 2) / secondsPerDay,
      endMjd: (timeS[last]! + intervalS[last]! / 2) / secondsPerDay,
      antennas,
      rows: data.reduce((sum, { rows }) => sum + rows.reduce((all, count) => all + count, 0), 0),
      flaggedFraction: flagged[k]!,
    };
  });
}

function bandsOf(plan: TransientPlan, result: SearchResult, images: readonly BandImages[]): ReportBand[] {
  return plan.bands.map(({ name, freqHz, bandwidthHz }, band) => ({
    name,
    freqHz,
    bandwidthHz,
    frames: plan.frames[band]!.length,
    noiseJy: result.meanNoise[band]!,
    meanImage: {
      geometry: plan.imaging.geometry,
      phaseCentre: plan.phaseCentre,
      pixels: images[band]!.restored,
    },
    beam: result.beams[band],
    caption: 'mean image, cleaned',
  }));
}

const texts = (value: ParameterValue): string =>
  Array.isArray(value) ? value.join(' ') : String(value as string | number | boolean);

/** Everything that the report shows. */
export async function reportInputOf(
  stand: Stand,
  found: {
    readonly result: SearchResult;
    readonly rows: readonly SourceRows[];
    readonly images: readonly BandImages[];
    readonly runs: readonly RunTrace[];
  },
  about: { readonly software: string; readonly madeMjd: number },
): Promise<ReportInput> {
  const { plan } = stand;
  const { result, rows, images, runs } = found;
  const [first] = plan.sets;
  const telescopes = [...new Set(plan.sets.map(({ telescope }) => telescope))].filter((name) => name !== '');
  const base = {
    title: `Transient search of ${first!.fieldName || `field ${first!.fieldId}`}`,
    observations: observationsOf(plan, await flaggedShares(stand, result)),
    bands: bandsOf(plan, result, images),
    sources: rows.map(({ source }) => source),
    lightCurves: new Map(rows.map(({ source, points }) => [source.id, points])),
    parameters: Object.entries(parametersOf(plan)).map(([name, value]) => ({ name, value: texts(value) })),
    ...about,
  };
  const title = telescopes.length === 0 ? base.title : `${base.title} with ${telescopes.join(', ')}`;
  const drawn = new Set(drawnSources({ ...base, thumbnails: new Map() }).map(({ id }) => id));
  const pictured = rows.filter(({ source: { id, kind } }) => kind === 'transient' && drawn.has(id));
  const thumbnails = await makeThumbnails(stand, result, pictured);
  const trace = runs.length === 0 ? {} : { trace: summariseTrace(runs) };
  return { ...base, title, thumbnails, ...trace };
}
