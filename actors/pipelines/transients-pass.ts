/**
 * Owns the graphs of the search: one pass of all sources over all frames, the point spread functions, the
 * CLEAN of the means, detection in tiles. Each is built from a plan and run on a cluster. Must not know: what
 * is made of the results.
 */
import {
  type Future,
  fold,
  type GraphCluster,
  type Input,
  type Lazy,
  type TaskHints,
  type WaitOptions,
} from '../../scheduler/index.ts';
import type { WeightedImage } from '../imaging/frame-imager.ts';
import type { DensityState } from '../imaging/kernels/weighting.ts';
import { addDensities, addImages, blockDensity, blockPsf } from '../imaging/tasks.ts';
import { type Detection, type DetectOptions, type Tile, tilesOf } from '../transient/detect-tile.ts';
import { filterDurations } from '../transient/matched-filter.ts';
import type { SkyDetection } from '../transient/select-detections.ts';
import type { ModelSource } from '../transient/sky-model.ts';
import type { Beam } from '../visibility.ts';
import { limits } from './limits.ts';
import type { PlannedBlock, TransientPlan } from './transients-plan.ts';
import {
  addBandTiles,
  type BlockFit,
  type BlockMeasures,
  cleanMean,
  detectTile,
  type FitDepth,
  fitBlock,
  type MeanClean,
  meanOf,
  measuresOf,
  sliceFrames,
  weighBand,
} from './transients-tasks.ts';

/** What every graph of a search needs. */
export interface Stand {
  readonly cluster: GraphCluster;
  readonly plan: TransientPlan;
  readonly wait: WaitOptions;
  /** `[band]` the uv density, held at the sites; undefined for natural weights. */
  readonly density: readonly (Future<DensityState> | undefined)[];
}

/** What the tasks of a block are told of their place: the set is at its site and nowhere else. */
export function siteHint(block: PlannedBlock): TaskHints {
  // A thread that dies, for want of memory say, must not end a search of hours.
  return { retries: 1, site: block.set.site };
}

const ofBand = <T>(plan: TransientPlan, items: readonly T[], band: number): T[] =>
  items.filter((_, k) => plan.blocks[k]!.band === band);

/** Counts the uv density of each band, if the weighting needs it. */
export async function countDensity(
  stand: Omit<Stand, 'density'>,
): Promise<readonly (Future<DensityState> | undefined)[]> {
  const { plan, cluster, wait } = stand;
  if (plan.imaging.weighting.kind === 'natural') return plan.bands.map(() => undefined);
  const counts = plan.blocks.map((block) => blockDensity.with(siteHint(block))(block, plan.imaging));
  const sums = plan.bands.map((_, band) => {
    return fold(ofBand(plan, counts, band), (group) => addDensities(group), { by: 'site' });
  });
  return cluster.persist(sums, wait);
}

/** The mean point spread function of each band, held at the sites. */
export async function makePsfs({
  plan,
  cluster,
  wait,
  density,
}: Stand): Promise<readonly Future<WeightedImage>[]> {
  const parts = plan.blocks.map((block) =>
    blockPsf.with(siteHint(block))(block, plan.imaging, density[block.band]),
  );
  return cluster.persist(
    plan.bands.map((_, band) => foldImages(ofBand(plan, parts, band))),
    wait,
  );
}

function foldImages(images: readonly Lazy<WeightedImage>[]): Lazy<WeightedImage> {
  return fold(images, (group) => addImages(group), { by: 'site' });
}

/** What CLEAN needs of a band beside its mean. */
export interface BandBeam {
  readonly psf: Future<WeightedImage>;
  readonly beam: Beam;
  /** The highest sidelobe over the peak. */
  readonly sidelobe: number;
}

/** CLEAN is one long run a band: in the device's thread it keeps none of those that image frames. */
const cleanOnDevice = cleanMean.with({ needs: { threads: 0, device: 1 } });

/** The mean width of a beam; along a fan beam its length would reach over everything. */
const widthOf = ({ majorRad, minorRad }: Beam): number => Math.sqrt(majorRad * minorRad);

/** CLEANs the mean residuals of all bands. */
function cleanGraph(
  plan: TransientPlan,
  means: readonly Input<WeightedImage>[],
  { beams, eager }: PassOptions,
): Lazy<MeanClean>[] {
  const { imaging } = plan;
  return means.map((mean, band) => {
    const { psf, beam } = beams[band]!;
    const radius = Math.max(1, Math.round((0.5 * widthOf(beam)) / imaging.geometry.pixsizeX));
    return cleanOnDevice(mean, psf, { imaging, radius, eager });
  });
}

export interface PassOptions {
  readonly depth: FitDepth;
  readonly beams: readonly BandBeam[];
  /** Whether CLEAN tries the highest peak even if it does not stand out of what looks like noise. */
  readonly eager: boolean;
}

/** The results of one pass. */
export interface Pass {
  readonly measures: readonly BlockMeasures[];
  readonly cleaned: readonly MeanClean[];
  /** Fits whose images are held at the sites; empty unless frames were wanted. To be released. */
  readonly fits: readonly Future<BlockFit>[];
}

/** Fits all sources to all frames. */
export async function makePass(
  stand: Stand,
  sources: readonly ModelSource[],
  options: PassOptions,
): Promise<Pass> {
  const { depth } = options;
  const { plan, cluster, wait, density } = stand;
  const lazies = plan.blocks.map((block) =>
    fitBlock.with(siteHint(block))(block, sources, {
      imaging: plan.imaging,
      depth,
      density: density[block.band],
    }),
  );
  const fits: readonly Future<BlockFit>[] = depth === 'frames' ? await cluster.persist(lazies, wait) : [];
  const parts: readonly Input<BlockFit>[] = depth === 'frames' ? fits : lazies;
  const measures = parts.map((fit) => measuresOf(fit));
  const means =
    depth === 'fluxes'
      ? []
      : plan.bands.map((_, band) => foldImages(ofBand(plan, parts, band).map((fit) => meanOf(fit))));
  const cleaned = cleanGraph(plan, means, options);
  return { ...(await cluster.compute({ measures, cleaned }, wait)), fits };
}

/** The mean residual of each band, from fits that are held. */
export async function meanResiduals(
  { plan, cluster, wait }: Stand,
  fits: readonly Future<BlockFit>[],
): Promise<readonly WeightedImage[]> {
  return cluster.compute(
    plan.bands.map((_, band) => foldImages(ofBand(plan, fits, band).map((fit) => meanOf(fit)))),
    wait,
  );
}

/** Searches the residual frames of a pass for brightenings, in each band and in all together. */
export async function detectInPass(
  { plan, cluster, wait }: Stand,
  pass: Pass,
  beams: readonly Beam[],
): Promise<SkyDetection[]> {
  const bins = plan.bins.startS.length;
  if (bins < 2) return [];
  const { geometry } = plan.imaging;
  const radiusOf = (beam: Beam): number =>
    Math.min(32, Math.max(2, (0.5 * widthOf(beam)) / geometry.pixsizeX));
  const sharpest = beams.reduce((best, beam) => (beam.majorRad < best.majorRad ? beam : best));
  const margin = Math.ceil(Math.max(...beams.map(radiusOf)));
  const tiles = tilesOf(geometry, tileSize(plan, margin), margin);
  const searches = tiles.flatMap((tile) => {
    const weighed = plan.bands.map((_, band) => weighedTile(plan, pass, { tile, band }));
    const series = weighed.map((one, band) => ({ one, beam: beams[band]! }));
    if (weighed.length > 1) {
      const all = fold(weighed, (group) => addBandTiles(group), { by: 'site' });
      series.push({ one: all, beam: sharpest });
    }
    return series.map(({ one, beam }) => ({
      beam,
      found: detectTile(one, tile, detectOptions(plan, radiusOf(beam))),
    }));
  });
  const found: readonly (readonly Detection[])[] = await cluster.compute(
    searches.map((search) => search.found),
    wait,
  );
  return found.flatMap((list, k) => list.map((one) => toSky(plan, one, searches[k]!.beam)));
}

function detectOptions({ request, bins }: TransientPlan, radius: number): DetectOptions {
  return {
    threshold: request.threshold,
    radius,
    durations: filterDurations(Math.max(1, Math.floor(bins.startS.length / 2))),
    most: limits.detectionsPerTile,
  };
}

/** Pixels a side of a tile, such that all frames of it fit the memory of a task. */
function tileSize({ frames }: TransientPlan, margin: number): number {
  const most = Math.max(1, ...frames.map((list) => list.length));
  const side = Math.sqrt(limits.tileBytes / (12 * most)) - 2 * margin;
  return Math.max(32, 32 * Math.floor(side / 32));
}

function weighedTile(
  plan: TransientPlan,
  pass: Pass,
  { tile, band }: { readonly tile: Tile; readonly band: number },
) {
  const frames = plan.frames[band]!;
  const blocks = [...new Set(frames.map(({ block }) => block))];
  const slices = blocks.map((block) => sliceFrames(pass.fits[block]!, plan.imaging.geometry.npixX, tile));
  return weighBand(
    slices,
    {
      slice: Int32Array.from(frames, ({ block }) => blocks.indexOf(block)),
      index: Int32Array.from(frames, ({ index }) => index),
      sigma: Float64Array.from(frames, ({ block, index }) => pass.measures[block]!.sigma[index]!),
      bin: Int32Array.from(frames, ({ bin }) => bin),
      bins: plan.bins.startS.length,
    },
    tile,
  );
}

function toSky({ imaging }: TransientPlan, detection: Detection, beam: Beam): SkyDetection {
  const { npixX, npixY, pixsizeX, pixsizeY } = imaging.geometry;
  const { x, y, snr, amplitude, start, end } = detection;
  return { l: (npixX / 2 - x) * pixsizeX, m: (y - npixY / 2) * pixsizeY, snr, amplitude, start, end, beam };
}
