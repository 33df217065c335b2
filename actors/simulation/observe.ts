/**
 * Owns simulated observations: an array of antennas follows a phase centre and records a sky of point sources
 * with noise, ready to be written as a Measurement Set. The same seed gives the same bytes.
 * Must not know: files.
 */
import { AsperitasError } from '../../runtime/index.ts';
import type {
  ObservationBlock,
  ObservationToWrite,
  ObservedBand,
} from '../io/measurement-set/observation.ts';
import type { Direction } from '../visibility.ts';
import type { Station } from './layouts.ts';
import { addNoise, predictVisibilities, type SkySource } from './predict.ts';
import { type RandomStream, randomStream } from './random.ts';
import { makeUvw, sineOfElevation } from './uvw.ts';

/** What to simulate. */
export interface SimulationPlan {
  readonly telescope: string;
  readonly stations: readonly Station[];
  readonly field: { readonly name: string; readonly phaseCentre: Direction };
  readonly bands: readonly ObservedBand[];
  readonly sources: readonly SkySource[];
  /** seconds, MJD UTC: the beginning of the first integration. Light curves count from its centre. */
  readonly startMjdSeconds: number;
  readonly integrationSeconds: number;
  readonly integrations: number;
  /** Standard deviation of the noise of one visibility (real and imaginary part each), Jy. */
  readonly noiseJy: number;
  /** The share of samples that are flagged at random, all correlations together; they hold rubbish. */
  readonly flaggedShare?: number;
  readonly seed: number;
}

/** How much brighter than the noise the rubbish under flags is: enough to spoil any image that lets it in. */
const rubbishFactor = 1000;

/** `[baseline]` pairs of different antennas. */
function baselines(count: number): { readonly antenna1: Int32Array; readonly antenna2: Int32Array } {
  const pairs: [number, number][] = [];
  for (let first = 0; first < count; first++) {
    for (let second = first + 1; second < count; second++) pairs.push([first, second]);
  }
  return {
    antenna1: Int32Array.from(pairs, ([first]) => first),
    antenna2: Int32Array.from(pairs, ([, second]) => second),
  };
}

/** Flags some samples of a block and puts rubbish under the flags, half of it NaN. */
function flagSome(
  block: ObservationBlock,
  correlations: number,
  plan: SimulationPlan,
  random: RandomStream,
): void {
  const share = plan.flaggedShare ?? 0;
  if (share === 0) return;
  for (let at = 0; at < block.flag.length; at += correlations) {
    if (random.uniform() >= share) continue;
    block.flag.fill(1, at, at + correlations);
    const rubbish = random.uniform() < 0.5 ? Number.NaN : rubbishFactor * (plan.noiseJy || 1);
    block.data.fill(rubbish, 2 * at, 2 * (at + correlations));
  }
}

/** Throws `source-below-horizon` where the phase centre is not up during the whole observation. */
function checkHorizon({
  field,
  stations,
  startMjdSeconds,
  integrations,
  integrationSeconds,
}: SimulationPlan): void {
  for (const step of [0, integrations - 1]) {
    const time = startMjdSeconds + (step + 0.5) * integrationSeconds;
    if (sineOfElevation(stations[0]!.position, field.phaseCentre, time) > 0) continue;
    throw new AsperitasError(
      'source-below-horizon',
      `field "${field.name}" is below the horizon of the array in integration ${step}; choose another time`,
      { field: field.name, integration: step },
    );
  }
}

/** Simulates an observation. Throws `source-below-horizon`. */
export function simulateObservation(plan: SimulationPlan): ObservationToWrite {
  checkHorizon(plan);
  const { telescope, stations, field, bands, integrations, integrationSeconds, noiseJy, seed } = plan;
  const random = randomStream(seed);
  const { antenna1, antenna2 } = baselines(stations.length);
  const positions = stations.map(({ position }) => position);
  const firstCentre = plan.startMjdSeconds + integrationSeconds / 2;
  const blocks: ObservationBlock[] = [];
  for (let step = 0; step < integrations; step++) {
    const seconds = step * integrationSeconds;
    const timeMjdSeconds = firstCentre + seconds;
    const { phaseCentre } = field;
    const uvw = makeUvw({ positions, antenna1, antenna2, phaseCentre, timeMjdSeconds });
    bands.forEach(({ freq, correlations }, dataDescriptionId) => {
      const data = predictVisibilities({
        sources: plan.sources,
        phaseCentre,
        uvw,
        freq,
        correlations,
        seconds,
      });
      if (noiseJy > 0) addNoise(data, noiseJy, random);
      const samples = data.length / 2;
      const block = {
        fieldId: 0,
        dataDescriptionId,
        scanNumber: 1,
        timeMjdSeconds,
        intervalSeconds: integrationSeconds,
        antenna1,
        antenna2,
        uvw,
        data,
        flag: new Uint8Array(samples),
        weight: new Float32Array(samples).fill(noiseJy > 0 ? 1 / noiseJy ** 2 : 1),
      };
      flagSome(block, correlations.length, plan, random);
      blocks.push(block);
    });
  }
  return {
    telescope,
    observer: 'asperitas simulation',
    project: 'NOT REAL DATA',
    antennas: stations,
    fields: [field],
    bands,
    blocks,
    history: [`simulated with seed ${seed}: ${plan.sources.length} point sources, noise ${noiseJy} Jy`],
  };
}

/** A band of equal channels. */
export function evenBand(band: {
  readonly name: string;
  readonly firstHz: number;
  readonly channelWidthHz: number;
  readonly channels: number;
  readonly correlations: ObservedBand['correlations'];
}): ObservedBand {
  const { name, firstHz, channelWidthHz, channels, correlations } = band;
  const freq = Float64Array.from({ length: channels }, (_, chan) => firstHz + chan * channelWidthHz);
  return { name, freq, channelWidthHz, correlations };
}
