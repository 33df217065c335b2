/**
 * Finds the references that come with the shared data: for each Measurement Set the exact Fourier sums at
 * probe pixels, in total, per interval and per channel, computed by other software. See ../shared/data/tools.
 */
import { readFileSync } from 'node:fs';
import type { ImageGeometry } from '../../actors/visibility.ts';
import { sharedFile, sharedSet } from './shared-data.ts';

export interface Probe {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly pixel_lm: readonly [l: number, m: number];
}

/** Values in Jy/beam at each probe, from all samples that a reference covers. */
export interface ExactSums {
  readonly at_probe_pixels: readonly number[];
  readonly sum_of_weights: number;
}

/** Values are null where all samples are flagged. */
export interface IntervalReference {
  readonly date_obs?: string;
  readonly time_mjd_s?: number;
  readonly exact_dft_at_probe_pixels?: readonly (number | null)[];
  readonly sum_of_weights?: number;
}

export interface ChannelReference extends IntervalReference {
  readonly freq_hz: number;
  readonly dd?: number;
  readonly chan?: number;
}

/** What of refs.json the tests use. */
export interface ReferenceImages {
  readonly field: number;
  readonly size: number;
  readonly scale: string;
  readonly column: string;
  readonly probes: readonly Probe[];
  /** Images that WSClean made, by name. */
  readonly images: Readonly<Record<string, { readonly at_probe_pixels: readonly (number | null)[] }>>;
  readonly exact_dft_natural: ExactSums;
  readonly exact_dft_briggs0: ExactSums;
  readonly intervals?: readonly IntervalReference[];
  readonly channels?: readonly ChannelReference[];
}

/** The pixels of the reference images: `scale` is such as "30asec" or "0.15deg". */
export function geometryOf({ size, scale }: ReferenceImages): ImageGeometry {
  const parts = /^([\d.]+)(asec|deg)$/.exec(scale);
  if (parts === null) throw new Error(`not a scale: ${scale}`);
  const degrees = Number(parts[1]) / (parts[2] === 'deg' ? 1 : 3600);
  const pixsize = (degrees / 180) * Math.PI;
  return { npixX: size, npixY: size, pixsizeX: pixsize, pixsizeY: pixsize };
}

export interface ReferenceSet {
  readonly name: string;
  readonly folder: 'dev' | 'public';
  /** Unpacks the set, once a machine, and returns its path. */
  path(): string;
  references(): ReferenceImages;
}

const referenceSet = (folder: 'dev' | 'public', name: string, archive: string): ReferenceSet => ({
  name,
  folder,
  path: () => sharedSet(folder, archive),
  references: () => {
    const file = sharedFile(folder, folder === 'dev' ? 'ref' : 'refs', name, 'refs.json');
    // A wholly flagged channel has no value: Python writes NaN there, which JSON does not know.
    return JSON.parse(readFileSync(file, 'utf8').replace(/\bNaN\b/g, 'null')) as ReferenceImages;
  },
});

/** Every set that has a Stokes I reference. */
export const referenceSets: readonly ReferenceSet[] = [
  ...['vlay27', 'nenu24', 'mwa16', 'twoband', 'dysco20'].map((name) =>
    referenceSet('dev', name, `${name}.ms.tgz`),
  ),
  referenceSet('public', 'alma_X5707', 'alma_X5707.ms.tgz'),
  referenceSet('public', 'dp3_tDDECal', 'dp3_tDDECal.MS.tgz'),
  referenceSet('public', 'dp3_tNDPPP-bda', 'dp3_tNDPPP-bda.MS.tgz'),
  referenceSet('public', 'dp3_tNDPPP-generic', 'dp3_tNDPPP-generic.MS.tgz'),
  referenceSet('public', 'dp3_tNDPPP_WSRT', 'dp3_tNDPPP_WSRT.MS.tgz'),
  referenceSet('public', 'dp3_tOSKAR', 'dp3_tOSKAR.in_MS.tgz'),
  referenceSet('public', 'lwasv_adp', 'lwasv_adp.ms.tgz'),
  referenceSet('public', 'mojave', 'mojave_from_uvfits.ms.tgz'),
  referenceSet('public', 'mwa_birli_trunc', 'mwa_birli_trunc.ms.tgz'),
  referenceSet('public', 'vla_simple', 'vla_simple.ms.tgz'),
];
