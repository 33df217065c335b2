/**
 * Owns the images that a search leaves: cubes of dirty and residual frames, the mean of each band dirty,
 * CLEANed and as a model, its point spread function. Must not know: how they were made.
 */
import { join } from 'node:path';
import type { WeightedImage } from '../imaging/frame-imager.ts';
import { restore } from '../imaging/kernels/beam.ts';
import type { CleanComponent } from '../imaging/kernels/hogbom.ts';
import type { CubePlane, ImageDescription } from '../io/fits/image-description.ts';
import { writeFitsCube, writeFitsImage } from '../io/fits/write-image.ts';
import { momentsOf } from '../transient/variability.ts';
import type { Beam } from '../visibility.ts';
import type { ResumeStore } from './resume-store.ts';
import type { FirstLight } from './transients-first-light.ts';
import { meanResiduals, type Stand } from './transients-pass.ts';
import type { PlannedFrame, TransientPlan } from './transients-plan.ts';
import type { FoundSource, SearchResult } from './transients-search.ts';
import { framesOf } from './transients-tasks.ts';

const secondsPerDay = 86_400;

/** What the images of a band have in common. */
function descriptionOf(plan: TransientPlan, band: number, beam?: Beam): ImageDescription {
  const { freqHz, bandwidthHz } = plan.bands[band]!;
  const frames = plan.frames[band]!;
  const [first, last] = [frames[0]!, frames.at(-1)!];
  const [set] = plan.sets;
  return {
    geometry: plan.imaging.geometry,
    phaseCentre: plan.phaseCentre,
    unit: 'Jy/beam',
    stokes: plan.request.stokes,
    freqHz,
    bandwidthHz,
    startMjd: first.timeS / secondsPerDay,
    durationS: last.timeS + last.dtS / 2 - (first.timeS - first.dtS / 2),
    telescope: set!.telescope,
    object: set!.fieldName,
    ...(beam === undefined ? {} : { beam }),
  };
}

function planeOf(frame: PlannedFrame, index: number, { pixels, sumWeight }: WeightedImage): CubePlane {
  // A frame without data has no image; zeros would look like one.
  const shown = sumWeight > 0 ? pixels : new Float32Array(pixels.length).fill(Number.NaN);
  return {
    index,
    pixels: shown,
    timeMjd: frame.timeS / secondsPerDay,
    dtS: frame.dtS,
    sumOfWeights: sumWeight,
  };
}

/** The dirty frames of a band, from the store. */
async function* dirtyPlanes(
  plan: TransientPlan,
  store: ResumeStore,
  band: number,
): AsyncGenerator<CubePlane> {
  for (const [index, frame] of plan.frames[band]!.entries()) {
    const { id, frames } = plan.blocks[frame.block]!;
    yield planeOf(frame, index, await store.loadFrame(id, frame.index, frames.length));
  }
}

/** The residual frames of a band, fetched block by block. */
async function* residualPlanes(
  { plan, cluster, wait }: Stand,
  { fits }: SearchResult,
  band: number,
): AsyncGenerator<CubePlane> {
  const frames = [...plan.frames[band]!.entries()];
  for (const block of new Set(frames.map(([, frame]) => frame.block))) {
    const images: readonly WeightedImage[] = await cluster.compute(framesOf(fits[block]!), wait);
    for (const [index, frame] of frames) {
      if (frame.block === block) yield planeOf(frame, index, images[frame.index]!);
    }
  }
}

/** A source as components at fractional pixels. */
export function componentsOfSource(
  { imaging }: TransientPlan,
  { model }: FoundSource,
  fluxJy: number,
): CleanComponent[] {
  const { npixX, npixY, pixsizeX, pixsizeY } = imaging.geometry;
  return Array.from({ length: model.components.length / 3 }, (_, k) => ({
    x: npixX / 2 - model.components[3 * k]! / pixsizeX,
    y: npixY / 2 + model.components[3 * k + 1]! / pixsizeY,
    flux: fluxJy * model.components[3 * k + 2]!,
  }));
}

/** The sources of a band as components at their mean fluxes. */
function componentsOf(plan: TransientPlan, sources: readonly FoundSource[], band: number) {
  return sources.flatMap((source) => {
    const { mean, count } = momentsOf(source.curves[band]!);
    return count === 0 ? [] : componentsOfSource(plan, source, mean);
  });
}

/** The sources of a band on the nearest pixels, Jy/pixel. */
function modelImage(plan: TransientPlan, sources: readonly FoundSource[], band: number): Float32Array {
  const { npixX, npixY } = plan.imaging.geometry;
  const pixels = new Float32Array(npixX * npixY);
  for (const { x, y, flux } of componentsOf(plan, sources, band)) {
    const [px, py] = [Math.round(x), Math.round(y)];
    if (px >= 0 && py >= 0 && px < npixX && py < npixY) pixels[py * npixX + px]! += flux;
  }
  return pixels;
}

/** What was written of a band, for the report. */
export interface BandImages {
  /** The mean, CLEANed: sources drawn with the beam on what was left. `[y, x]` Jy/beam */
  readonly restored: Float32Array;
}

/** Writes all images into a folder.
 * @returns names of the files, and the CLEANed mean of each band
 * @throws AsperitasError `disk-full`, `cannot-write`, `aborted` */
export async function writeImages(
  stand: Stand,
  given: { readonly light: FirstLight; readonly result: SearchResult; readonly store: ResumeStore },
  out: string,
): Promise<{ readonly names: readonly string[]; readonly bands: readonly BandImages[] }> {
  const { plan, wait } = stand;
  const { light, result, store } = given;
  const residuals = await meanResiduals(stand, result.fits);
  const options = wait.signal === undefined ? {} : { signal: wait.signal };
  const names: string[] = [];
  const bands: BandImages[] = [];
  for (const [band, { name }] of plan.bands.entries()) {
    const beam = result.beams[band]!;
    const sky = descriptionOf(plan, band, beam);
    const residual = residuals[band]!.pixels;
    const components = componentsOf(plan, result.sources, band);
    const restored = restore(components, beam, plan.imaging.geometry, residual);
    bands.push({ restored });
    const image = async (suffix: string, description: ImageDescription, pixels: Float32Array) => {
      names.push(`${name}-${suffix}.fits`);
      await writeFitsImage(join(out, names.at(-1)!), { description, pixels }, options);
    };
    const cube = async (suffix: string, planes: AsyncIterable<CubePlane>) => {
      names.push(`${name}-${suffix}-cube.fits`);
      const planeCount = plan.frames[band]!.length;
      await writeFitsCube(join(out, names.at(-1)!), { description: sky, planeCount, planes }, options);
    };
    await cube('dirty', dirtyPlanes(plan, store, band));
    await cube('residual', residualPlanes(stand, result, band));
    await image('dirty', sky, light.means[band]!.pixels);
    await image('residual', sky, residual);
    await image('image', sky, restored);
    await image('psf', sky, light.psfs[band]!.pixels);
    const model = { ...descriptionOf(plan, band), unit: 'Jy/pixel' };
    await image('model', model, modelImage(plan, result.sources, band));
  }
  return { names, bands };
}
