/**
 * Owns the course of a search: the steady sky by CLEAN with exact residuals, then round after round of
 * fitting all sources to all frames and looking at what is left, until nothing is. Must not know: command
 * lines, files, how graphs are built.
 */
import type { Future } from '../../scheduler/index.ts';
import type { WeightedImage } from '../imaging/frame-imager.ts';
import { fitBeam } from '../imaging/kernels/beam.ts';
import { groupComponents } from '../transient/clean-sources.ts';
import { curvesOf, type FrameMeasures, noisePowerOf } from '../transient/curves.ts';
import { addNormal, type NormalEquations } from '../transient/fit-frame.ts';
import { highestSidelobe } from '../transient/image-noise.ts';
import { judgeSources } from '../transient/judge-sources.ts';
import { type BandCurve, type CurveSummary, summarise } from '../transient/light-curve.ts';
import { refine } from '../transient/refine.ts';
import { selectDetections } from '../transient/select-detections.ts';
import { type ModelSource, type Place, placeOf, pointSource } from '../transient/sky-model.ts';
import { addGroups, keepReal } from '../transient/source-list.ts';
import { momentsOf } from '../transient/variability.ts';
import type { Beam } from '../visibility.ts';
import { limits } from './limits.ts';
import { type BandBeam, detectInPass, makePass, type Pass, type Stand } from './transients-pass.ts';
import { baselinesOf, type TransientPlan } from './transients-plan.ts';
import type { BlockFit, BlockMeasures, FitDepth, MeanClean } from './transients-tasks.ts';

/** Where a search stands: enough to go on from. */
export interface SearchState {
  readonly phase: 'clean' | 'search';
  readonly round: number;
  readonly sources: readonly ModelSource[];
  /** Places that looked like sources and were none. */
  readonly dropped: readonly Place[];
}

/** A source with all that was measured of it. */
export interface FoundSource {
  readonly model: ModelSource;
  /** `[band]` */
  readonly curves: readonly BandCurve[];
  readonly summary: CurveSummary;
  /** radians, one standard deviation on each axis */
  readonly placeErrorRad: number;
  /** Whether it is real beyond doubt; others only serve the model, as parts of what is extended or badly
   *  calibrated. */
  readonly listed: boolean;
}

export interface SearchResult {
  readonly sources: readonly FoundSource[];
  readonly beams: readonly Beam[];
  /** `[band]` noise power of the visibilities over that which their weights promise */
  readonly noisePower: readonly number[];
  /** `[band]` noise of the mean residual, Jy/beam */
  readonly meanNoise: readonly number[];
  /** Fits whose residual images are held at the sites. To be released. */
  readonly fits: readonly Future<BlockFit>[];
  /** False if the rounds ran out before nothing was left. */
  readonly complete: boolean;
}

/** What the caller does on the way. */
export interface SearchHooks {
  onRound?(what: { readonly phase: string; readonly round: number; readonly sources: number }): void;
  /** Called between rounds; the search can be taken up from here. */
  onState?(state: SearchState): Promise<void>;
}

/** Runs a search.
 * @param given.psfs point spread function of each band
 * @param given.heldPsfs the same, held at the sites
 * @param given.state where an earlier run was stopped */
export async function search(
  stand: Stand,
  given: {
    readonly psfs: readonly WeightedImage[];
    readonly heldPsfs: readonly Future<WeightedImage>[];
    readonly state: SearchState | undefined;
  },
  hooks: SearchHooks,
): Promise<SearchResult> {
  const { geometry } = stand.plan.imaging;
  const beams = given.psfs.map((psf, band) => {
    const beam = beamOf(psf, stand.plan);
    const sidelobe = highestSidelobe(psf.pixels, geometry, beam) || 0;
    return { psf: given.heldPsfs[band]!, beam, sidelobe };
  });
  return new Course(stand, beams, hooks, given.state).run();
}

/** The beam of a band; where none can be fitted, a circle of a few pixels, so that places can be compared. */
export function beamOf({ pixels, sumWeight }: WeightedImage, { imaging }: TransientPlan): Beam {
  const { npixX, npixY, pixsizeX, pixsizeY } = imaging.geometry;
  const fitted = sumWeight > 0 ? fitBeam({ pixels, npixX, npixY }, { pixsizeX, pixsizeY }) : undefined;
  const fallback = 5 * pixsizeX;
  return fitted ?? { majorRad: fallback, minorRad: fallback, positionAngleRad: 0 };
}

const widthOf = ({ majorRad, minorRad }: Beam): number => Math.sqrt(majorRad * minorRad);

class Course {
  readonly #stand: Stand;
  readonly #plan: TransientPlan;
  readonly #beams: readonly BandBeam[];
  readonly #sharpest: Beam;
  readonly #hooks: SearchHooks;
  /** Sources that the frames can tell apart. */
  readonly #most: number;
  readonly #tellsChanges: boolean;
  #sources: readonly ModelSource[];
  #dropped: readonly Place[];
  #phase: SearchState['phase'];
  #round: number;
  /** Of the last pass. */
  #curves: readonly (readonly BandCurve[])[] = [];
  #summaries: readonly CurveSummary[] = [];
  #placeError: Float64Array = new Float64Array(0);
  #noisePower: readonly number[] = [];
  /** `[band]` noise of the mean by the scatter of the visibilities, Jy/beam. */
  #thermal: readonly number[] = [];
  #unrest = Number.POSITIVE_INFINITY;

  constructor(stand: Stand, beams: readonly BandBeam[], hooks: SearchHooks, state: SearchState | undefined) {
    this.#stand = stand;
    this.#plan = stand.plan;
    this.#beams = beams;
    this.#sharpest = beams
      .map(({ beam }) => beam)
      .reduce((best, beam) => (widthOf(beam) < widthOf(best) ? beam : best));
    this.#hooks = hooks;
    const baselines = baselinesOf(stand.plan);
    this.#tellsChanges = baselines >= limits.leastBaselines;
    this.#most = Math.max(1, Math.min(limits.mostSources, Math.floor(baselines / limits.baselinesPerSource)));
    this.#sources = state?.sources ?? [];
    this.#dropped = state?.dropped ?? [];
    this.#phase = state?.phase ?? 'clean';
    this.#round = state?.round ?? 0;
  }

  async run(): Promise<SearchResult> {
    if (this.#phase === 'clean') {
      await this.#cleanRounds();
      this.#phase = 'search';
      this.#round = 0;
      await this.#checkpoint();
    }
    return this.#searchRounds();
  }

  async #cleanRounds(): Promise<void> {
    for (; this.#round < limits.cleanRounds; this.#round++) {
      await this.#checkpoint();
      await this.#settle();
      const pass = await this.#pass('mean');
      // Sidelobes that had looked like sources; what is something after all will be found again.
      this.#prune({ forGood: false });
      const added = this.#addCleaned(pass.cleaned);
      if (added === 0) return;
    }
  }

  async #searchRounds(): Promise<SearchResult> {
    for (;;) {
      await this.#checkpoint();
      await this.#settle();
      const fitted = this.#sources;
      const pass = await this.#pass('frames');
      const last = ++this.#round >= limits.searchRounds;
      const result = this.#result(fitted, pass);
      const dropped = this.#prune({ forGood: true });
      const added = this.#addCleaned(pass.cleaned) + (await this.#addDetections(pass));
      if ((dropped === 0 && added === 0) || last) return { ...result, complete: dropped + added === 0 };
      for (const fit of pass.fits) fit.release();
    }
  }

  /** Brings new sources to their places before images are made of what is left. */
  async #settle(): Promise<void> {
    for (let fit = 0; fit < limits.settlingFits && this.#sources.length > 0; fit++) {
      await this.#pass('fluxes');
      if (this.#unrest <= 1) return;
    }
  }

  /** Fits the sources, takes in what was measured, and moves them by what it says. */
  async #pass(depth: FitDepth): Promise<Pass> {
    const { request, bins, bands } = this.#plan;
    this.#hooks.onRound?.({ phase: depth, round: this.#round, sources: this.#sources.length });
    const pass = await makePass(this.#stand, this.#sources, {
      depth,
      beams: this.#beams,
      eager: this.#phase === 'clean',
    });
    const count = this.#sources.length;
    const frames = bands.map((_, band) => this.#framesOf(pass.measures, band, count));
    const byBand = frames.map((list) => curvesOf(list, count, false));
    this.#noisePower = frames.map(noisePowerOf);
    this.#thermal = frames.map((list, band) => {
      const weight = list.reduce((sum, { sumWeight }) => sum + sumWeight, 0);
      return Math.sqrt(this.#noisePower[band]! / (2 * weight)) || 0;
    });
    this.#curves = this.#sources.map((_, i) => byBand.map((curves) => curves[i]!));
    this.#summaries = this.#curves.map((curves) => summarise(curves, bins, request.threshold));
    this.#refine(pass.measures);
    return pass;
  }

  #framesOf(measures: readonly BlockMeasures[], band: number, count: number): FrameMeasures[] {
    return this.#plan.frames[band]!.map(({ block, index, timeS, dtS }) => {
      const { flux, variance, scatter, samples, sumWeight, excess } = measures[block]!;
      const [from, to] = [index * count, (index + 1) * count];
      return {
        timeS,
        dtS,
        flux: flux.subarray(from, to),
        variance: variance.subarray(from, to),
        scatter: scatter[index]!,
        samples: samples[index]!,
        sumWeight: sumWeight[index]!,
        excess: excess[index]!,
      };
    });
  }

  #refine(measures: readonly BlockMeasures[]): void {
    const known = measures.flatMap(({ normal }) => (normal === undefined ? [] : [normal]));
    this.#unrest = 0;
    if (this.#sources.length === 0 || known.length === 0) return;
    const normal = known.reduce<NormalEquations>((sum, one) => addNormal(sum, one), {
      matrix: new Float64Array(known[0]!.matrix.length),
      vector: new Float64Array(known[0]!.vector.length),
    });
    const noisePower = Math.max(...this.#noisePower.filter(Number.isFinite), 0);
    const moved = refine(this.#sources, normal, { noisePower, beamRad: widthOf(this.#sharpest) });
    this.#sources = moved.sources;
    this.#unrest = moved.unrest;
    this.#placeError = moved.placeError;
  }

  #addCleaned(cleaned: readonly MeanClean[]): number {
    let total = 0;
    cleaned.forEach(({ components, noise }, band) => {
      const { beam, sidelobe } = this.#beams[band]!;
      const groups = groupComponents(components, this.#plan.imaging.geometry, beam);
      const fluxes = this.#curves.map((curves) => momentsOf(curves[band]!).mean);
      // What may be a sidelobe of the strongest waits until that is subtracted.
      const share = Math.min(sidelobe, limits.sidelobeShare) * (groups[0]?.fluxJy ?? 0);
      const least = this.#phase === 'clean' ? this.#thermal[band]! : Math.max(noise, this.#thermal[band]!);
      const range = this.#plan.request.epsilon * this.#brightest();
      const leastJy = Math.max(limits.cleanSeedSigma * least, share, range);
      const { sources, added } = addGroups(this.#sources, groups.filter(this.#isNew), {
        beam,
        leastJy,
        fluxes,
        most: this.#most,
      });
      this.#sources = sources;
      total += added;
    });
    return total;
  }

  /** What was looked at twice and dropped is not taken up again. */
  readonly #isNew = ({ place }: { readonly place: Place }): boolean =>
    !this.#dropped.some(({ l, m }) => Math.hypot(l - place.l, m - place.m) < 0.5 * widthOf(this.#sharpest));

  async #addDetections(pass: Pass): Promise<number> {
    if (!this.#tellsChanges) return 0;
    const beams = this.#beams.map(({ beam }) => beam);
    const detections = await detectInPass(this.#stand, pass, beams);
    const least = this.#plan.request.epsilon * this.#brightest();
    const fresh = detections.filter((one) => one.amplitude >= least && this.#isNew({ place: one }));
    const { accepted } = selectDetections(fresh, this.#sources.map(placeOf));
    const room = Math.max(0, this.#most - this.#sources.length);
    const added = accepted.slice(0, room).map((one) => pointSource(one));
    this.#sources = [...this.#sources, ...added];
    return added.length;
  }

  /** The mean flux of the brightest source in any band, Jy. */
  #brightest(): number {
    const means = this.#curves.flatMap((curves) => curves.map((curve) => momentsOf(curve).mean));
    return Math.max(0, ...means.filter(Number.isFinite));
  }

  /** Drops what the light curves do not bear out. */
  #prune({ forGood }: { readonly forGood: boolean }): number {
    const { threshold } = this.#plan.request;
    const keep = keepReal(this.#sources, this.#summaries, { beam: this.#sharpest, threshold });
    const gone = this.#sources.filter((_, i) => !keep[i]);
    if (forGood) this.#dropped = [...this.#dropped, ...gone.map(placeOf)];
    this.#sources = this.#sources.filter((_, i) => keep[i]);
    this.#curves = this.#curves.filter((_, i) => keep[i]);
    return gone.length;
  }

  /** What is to be listed of a pass, with errors that hold what its residual images show. */
  #result(fitted: readonly ModelSource[], pass: Pass): Omit<SearchResult, 'complete'> {
    const { bins, bands, request } = this.#plan;
    const meanNoise = pass.cleaned.map(({ noise }) => noise);
    const byBand = bands.map((_, band) =>
      curvesOf(this.#framesOf(pass.measures, band, fitted.length), fitted.length, true),
    );
    const beams = this.#beams.map(({ beam }) => beam);
    const curves = fitted.map((_, i) => byBand.map((list) => list[i]!));
    const { threshold, epsilon: range } = request;
    const verdicts = judgeSources(curves, {
      bins,
      meanNoise,
      threshold,
      range,
      tellsChanges: this.#tellsChanges,
    });
    const sources = fitted.map(
      (model, i): FoundSource => ({
        model,
        curves: curves[i]!,
        ...verdicts[i]!,
        placeErrorRad: this.#placeError[i]!,
      }),
    );
    return { sources, beams, noisePower: this.#noisePower, meanNoise, fits: pass.fits };
  }

  async #checkpoint(): Promise<void> {
    await this.#hooks.onState?.({
      phase: this.#phase,
      round: this.#round,
      sources: this.#sources,
      dropped: this.#dropped,
    });
  }
}
