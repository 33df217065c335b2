/**
 * Owns the small pictures of transients: cut out of the residual frames where these lie, so that only a few
 * pixels travel, and completed with the sources that had been taken out. Must not know: pages.
 */
import { task } from '../../scheduler/index.ts';
import { restore } from '../imaging/kernels/beam.ts';
import { isoFromMjd, secondsPerDay } from '../io/calendar.ts';
import { pixelFromLm, skyFromPixel } from '../io/wcs.ts';
import type { ReportThumbnail } from '../products/report-input.ts';
import { sharedFloat32 } from '../shared-arrays.ts';
import { placeOf } from '../transient/sky-model.ts';
import type { SkyImage } from '../visibility.ts';
import { limits } from './limits.ts';
import { componentsOfSource } from './transients-images.ts';
import type { Stand } from './transients-pass.ts';
import type { TransientPlan } from './transients-plan.ts';
import type { SourceRows } from './transients-rows.ts';
import type { FoundSource, SearchResult } from './transients-search.ts';
import type { BlockFit } from './transients-tasks.ts';

/** A square of a frame: its lower left pixel may lie outside of the image. */
interface Cut {
  /** Index of the frame in its block. */
  readonly index: number;
  readonly x0: number;
  readonly y0: number;
  readonly size: number;
}

/** Squares of residual frames, NaN outside of the image. */
export const cutFrames = task(
  'transients.cutFrames',
  (
    _context,
    { frames }: BlockFit,
    { npixX, npixY }: { readonly npixX: number; readonly npixY: number },
    cuts: readonly Cut[],
  ) =>
    cuts.map(({ index, x0, y0, size }) => {
      const { pixels, sumWeight } = frames[index]!;
      const cut = sharedFloat32(size * size).fill(Number.NaN);
      if (!(sumWeight > 0)) return cut;
      for (let y = Math.max(0, -y0); y < Math.min(size, npixY - y0); y++) {
        for (let x = Math.max(0, -x0); x < Math.min(size, npixX - x0); x++) {
          cut[y * size + x] = pixels[(y + y0) * npixX + x + x0]!;
        }
      }
      return cut;
    }),
);

/** A picture to be made. */
interface Wanted extends Cut {
  readonly id: string;
  readonly caption: string;
  readonly band: number;
  /** Of the frame in its band. */
  readonly frame: number;
  readonly block: number;
}

/** The frame of the peak, the last one before and the first one after the brightening, in the peak's band. */
function framesOfEvent(plan: TransientPlan, { summary, curves }: FoundSource) {
  const { event, peak } = summary;
  if (event === undefined) return [];
  const frames = plan.frames[peak.band]!;
  const usable = (k: number): boolean => Number.isFinite(curves[peak.band]!.flux[k]);
  const before = frames.findLastIndex(({ bin }, k) => bin < event.from && usable(k));
  const after = frames.findIndex(({ bin }, k) => bin >= event.to && usable(k));
  return [
    { name: 'before', frame: before },
    { name: 'at the peak', frame: peak.index },
    { name: 'after', frame: after },
  ].filter(({ frame }) => frame >= 0);
}

function wantedOf(plan: TransientPlan, { source, found }: SourceRows, beamPixels: number): Wanted[] {
  const { band } = found.summary.peak;
  const size =
    2 * Math.round(Math.min(limits.thumbnailMost, Math.max(limits.thumbnailLeast, 5 * beamPixels)));
  const middle = pixelFromLm(plan.imaging.geometry, placeOf(found.model));
  return framesOfEvent(plan, found).map(({ name, frame }) => {
    const { block, index, timeS } = plan.frames[band]![frame]!;
    return {
      id: source.id,
      caption: `${name}, ${isoFromMjd(timeS / secondsPerDay, 0).slice(11)} UTC, ${plan.bands[band]!.name}`,
      band,
      frame,
      block,
      index,
      x0: Math.round(middle.x) - size / 2,
      y0: Math.round(middle.y) - size / 2,
      size,
    };
  });
}

/** The square with all sources as they were in its frame. */
function complete(plan: TransientPlan, result: SearchResult, wanted: Wanted, cut: Float32Array): SkyImage {
  const { band, frame, x0, y0, size } = wanted;
  const { pixsizeX, pixsizeY } = plan.imaging.geometry;
  const geometry = { npixX: size, npixY: size, pixsizeX, pixsizeY };
  const components = result.sources.flatMap((source) => {
    const flux = source.curves[band]!.flux[frame]!;
    if (!Number.isFinite(flux)) return [];
    return componentsOfSource(plan, source, flux).map((one) => ({ ...one, x: one.x - x0, y: one.y - y0 }));
  });
  const centre = { x: x0 + size / 2, y: y0 + size / 2 };
  return {
    geometry,
    phaseCentre: skyFromPixel(plan.imaging.geometry, plan.phaseCentre, centre) ?? plan.phaseCentre,
    pixels: restore(components, result.beams[band]!, geometry, cut),
  };
}

/** Pictures of the given transients before, at and after their peaks, by id. */
export async function makeThumbnails(
  { cluster, plan, wait }: Stand,
  result: SearchResult,
  transients: readonly SourceRows[],
): Promise<ReadonlyMap<string, readonly ReportThumbnail[]>> {
  const { geometry } = plan.imaging;
  const wanted = transients.flatMap((rows) => {
    const { majorRad } = result.beams[rows.found.summary.peak.band]!;
    return wantedOf(plan, rows, majorRad / geometry.pixsizeX);
  });
  const groups = [...new Set(wanted.map(({ block }) => block))].map((block) =>
    wanted.filter((one) => one.block === block),
  );
  const size = { npixX: geometry.npixX, npixY: geometry.npixY };
  const lazies = groups.map((group) => {
    const cuts = group.map(({ index, x0, y0, size: side }): Cut => ({ index, x0, y0, size: side }));
    return cutFrames(result.fits[group[0]!.block]!, size, cuts);
  });
  const cuts: readonly (readonly Float32Array[])[] = await cluster.compute(lazies, wait);
  const images = new Map(
    groups.flatMap((group, g) =>
      group.map((one, k) => [one, complete(plan, result, one, cuts[g]![k]!)] as const),
    ),
  );
  const thumbnails = new Map<string, ReportThumbnail[]>();
  for (const one of wanted) {
    const list = thumbnails.get(one.id) ?? [];
    thumbnails.set(one.id, list);
    list.push({ caption: one.caption, image: images.get(one)! });
  }
  return thumbnails;
}
