/**
 * Owns the observation of the demonstration: one array sees one field in two bands, and the two Measurement
 * Sets lie at two sites. Simulated, with sources of known places and light curves. Must not know: how they
 * are searched.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  arrayLayouts,
  evenBand,
  type LightCurve,
  type SkySource,
  type Station,
  simulateObservation,
  skyFromLm,
  transitTime,
  writeMeasurementSet,
} from '../actors/index.ts';

/** What to simulate. */
export interface TwoSitesPlan {
  readonly layout: keyof typeof arrayLayouts;
  readonly integrations: number;
  readonly channels: number;
  /** Jy, of one visibility, real and imaginary part each */
  readonly noiseJy: number;
  /** radians: the sky is scaled so that its sources lie within this of the centre */
  readonly radiusRad: number;
  readonly seed: number;
}

/** What was written. */
export interface TwoSites {
  /** Folder and set of each site. */
  readonly sites: { readonly nancay: SiteSet; readonly paris: SiteSet };
  readonly sources: readonly SkySource[];
  readonly startMjdSeconds: number;
  readonly integrationSeconds: number;
}
export interface SiteSet {
  readonly data: string;
  readonly set: string;
}

const centre = { raRad: 2.1, decRad: 0.4 };
const referenceHz = 1.4e9;
const integrationSeconds = 10;

/** Places in units of the radius, and what the sources do; times are shares of the observation. */
const sky: readonly {
  readonly name: string;
  readonly at: readonly [number, number];
  readonly fluxJy: number;
  readonly spectralIndex: number;
  readonly shape: (seconds: number) => LightCurve;
}[] = [
  { name: 'S1', at: [0.31, -0.22], fluxJy: 0.9, spectralIndex: -0.7, shape: () => ({ kind: 'steady' }) },
  { name: 'S2', at: [-0.55, 0.4], fluxJy: 0.35, spectralIndex: -0.8, shape: () => ({ kind: 'steady' }) },
  { name: 'S3', at: [0.1, 0.71], fluxJy: 0.15, spectralIndex: 0.2, shape: () => ({ kind: 'steady' }) },
  { name: 'S4', at: [-0.24, -0.63], fluxJy: 0.08, spectralIndex: -0.7, shape: () => ({ kind: 'steady' }) },
  {
    name: 'FLARE',
    at: [-0.4, -0.18],
    fluxJy: 0.25,
    spectralIndex: -0.5,
    shape: (s) => ({ kind: 'flare', peak: 0.35 * s, rise: 0.02 * s, decay: 0.12 * s }),
  },
  {
    name: 'PULSE',
    at: [0.58, 0.33],
    fluxJy: 0.18,
    spectralIndex: 0,
    shape: (s) => ({ kind: 'gaussian', peak: 0.7 * s, sigma: 0.05 * s }),
  },
  {
    name: 'STEEP',
    at: [0.02, -0.41],
    fluxJy: 0.12,
    spectralIndex: -6,
    shape: (s) => ({ kind: 'box', start: 0.15 * s, end: 0.3 * s }),
  },
];

function sourcesOf({ integrations, radiusRad }: TwoSitesPlan): SkySource[] {
  const seconds = integrations * integrationSeconds;
  return sky.map(({ name, at: [x, y], fluxJy, spectralIndex, shape }) => ({
    name,
    ...skyFromLm(centre, { l: x * radiusRad, m: y * radiusRad })!,
    fluxJy,
    referenceHz,
    spectralIndex,
    lightCurve: shape(seconds),
  }));
}

/** Writes the two sets below `folder`, in folders named after their sites. */
export async function makeTwoSites(folder: string, plan: TwoSitesPlan): Promise<TwoSites> {
  const stations: readonly Station[] = arrayLayouts[plan.layout];
  const sources = sourcesOf(plan);
  const transit = transitTime(stations[0]!.position, centre, 59800 * 86_400);
  const startMjdSeconds = Math.round(transit - (plan.integrations * integrationSeconds) / 2);
  const bands = [
    { site: 'nancay', name: 'low', firstHz: 1.3e9 },
    { site: 'paris', name: 'high', firstHz: 1.6e9 },
  ];
  const written = [];
  for (const [k, { site, name, firstHz }] of bands.entries()) {
    const data = join(folder, site);
    await mkdir(data, { recursive: true });
    const observation = simulateObservation({
      telescope: 'SIMULATED',
      stations,
      field: { name: 'DEMO', phaseCentre: centre },
      bands: [
        evenBand({
          name,
          firstHz,
          channelWidthHz: 4e6,
          channels: plan.channels,
          correlations: ['RR', 'LL'],
        }),
      ],
      sources,
      startMjdSeconds,
      integrationSeconds,
      integrations: plan.integrations,
      noiseJy: plan.noiseJy,
      flaggedShare: 0.02,
      seed: plan.seed + k,
    });
    await writeMeasurementSet(join(data, `${name}.ms`), observation);
    written.push({ data, set: `${name}.ms` });
  }
  return {
    sites: { nancay: written[0]!, paris: written[1]! },
    sources,
    startMjdSeconds,
    integrationSeconds,
  };
}
