/**
 * Searches the synthetic reference sets for transients, and says what is really in them: the files of the
 * truth give the flux of each source in each data description and integration.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readBlock } from '../../actors/imaging/block.ts';
import { type RunOutcome, runTransients } from '../../actors/pipelines/transients.ts';
import type { TransientPlan } from '../../actors/pipelines/transients-plan.ts';
import { searchDefaults } from '../../actors/pipelines/transients-request.ts';
import { matchSources, type TrueSource } from '../../examples/found-sources.ts';
import type { TaskContext } from '../../scheduler/index.ts';
import { InProcessCluster } from './in-process-cluster.ts';
import { geometryOf, referenceSets } from './reference-images.ts';
import { sharedFile } from './shared-data.ts';

interface TruthFile {
  readonly dd_to_spw: readonly number[];
  readonly spws: readonly { readonly chan_freq_hz: readonly number[] }[];
  readonly fields: readonly {
    readonly id: number;
    readonly times_mjd_s: readonly number[];
    readonly sources: readonly {
      readonly name: string;
      readonly ra_deg: number;
      readonly dec_deg: number;
      readonly lightcurve: { readonly kind: string };
      readonly flux_per_dd: readonly {
        readonly dd: number;
        readonly mean_over_channels_per_integration: readonly number[];
        readonly mean_over_time_per_channel: readonly number[];
        /** `[integration][channel]`, where the spectrum changes with time. */
        readonly flux_t_f?: readonly (readonly number[])[];
      }[];
    }[];
  }[];
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** `[block][frame][channel]` sums of weights: a flux is the mean over the channels as they weigh. */
async function weightsOf(plan: TransientPlan, path: string): Promise<Float64Array[][]> {
  const context = { data: dirname(path), signal: new AbortController().signal } as TaskContext;
  const sums: Float64Array[][] = [];
  for (const block of plan.blocks) {
    const { frames } = await readBlock(context, block);
    sums.push(
      frames.map(({ weight, mask, freq }) => {
        const sum = new Float64Array(freq.length);
        for (let k = 0; k < weight.length; k++) if (mask[k] === 1) sum[k % freq.length]! += weight[k]!;
        return sum;
      }),
    );
  }
  return sums;
}

/** What is in a field, with fluxes in the bands and frames of a plan that takes whole data descriptions. */
async function truthOf(name: string, fieldId: number, plan: TransientPlan, path: string) {
  const weights = await weightsOf(plan, path);
  const text = readFileSync(sharedFile('dev', `${name}.truth.json`), 'utf8');
  const truth = JSON.parse(text) as TruthFile;
  const field = truth.fields.find(({ id }) => id === fieldId)!;
  const nearest = (values: readonly number[], value: number): number =>
    values.reduce((best, one, k) => (Math.abs(one - value) < Math.abs(values[best]! - value) ? k : best), 0);
  const centres = truth.dd_to_spw.map((spw) => {
    const { chan_freq_hz: hz } = truth.spws[spw]!;
    return (hz[0]! + hz.at(-1)!) / 2;
  });
  return field.sources.map(({ name: source, ra_deg, dec_deg, lightcurve, flux_per_dd }) => ({
    name: source,
    steady: lightcurve.kind === 'steady',
    raRad: radians(ra_deg),
    decRad: radians(dec_deg),
    flux: (band: number, frame: number): number => {
      const dd = nearest(centres, plan.bands[band]!.freqHz);
      const integration = nearest(field.times_mjd_s, plan.frames[band]![frame]!.timeS);
      const fluxes = flux_per_dd.find((one) => one.dd === dd)!;
      const mean = fluxes.mean_over_channels_per_integration[integration]!;
      const steady = lightcurve.kind === 'steady' ? fluxes.mean_over_time_per_channel : undefined;
      const spectrum = fluxes.flux_t_f?.[integration] ?? steady;
      if (spectrum === undefined) return mean;
      const { block, index } = plan.frames[band]![frame]!;
      const weight = weights[block]![index]!;
      const all = weight.reduce((sum, w) => sum + w, 0);
      const [first] = plan.blocks[block]!.selection.channels;
      return weight.reduce((sum, w, channel) => sum + (w * spectrum[first + channel]!) / all, 0);
    },
  }));
}

/** How a search of a set compares with what is in it. */
export interface ReferenceSearch extends ReturnType<typeof matchSources> {
  readonly outcome: RunOutcome;
  readonly truth: readonly (TrueSource & { readonly steady: boolean })[];
}

/** Searches a reference set with natural weights, over as much of the sky as its reference images show.
 * @param out an empty folder
 * @param changes.coarser a whole number: pixels are so much larger than those of the reference images */
export async function searchReference(
  name: string,
  out: string,
  { bands = 1, coarser = 1 }: { readonly bands?: number; readonly coarser?: number } = {},
): Promise<ReferenceSearch> {
  const reference = referenceSets.find((one) => one.name === name)!;
  const path = reference.path();
  const { field, ...about } = reference.references();
  const { npixX, npixY, pixsizeX } = geometryOf({ field, ...about });
  const outcome = await runTransients({
    cluster: new InProcessCluster({ local: dirname(path) }),
    out,
    signal: new AbortController().signal,
    request: {
      sets: [{ site: 'local', path }],
      field,
      npixX: npixX / coarser,
      npixY: npixY / coarser,
      pixsize: coarser * pixsizeX,
      ...searchDefaults,
      bands,
    },
  });
  const truth = await truthOf(name, field, outcome.plan, path);
  return { outcome, truth, ...matchSources(outcome, truth) };
}
