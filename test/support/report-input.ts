/**
 * A made-up search result for tests of products: an image of noise and sources, light curves in two bands, a
 * transient, a variable and a steady source, names as hostile as files can hold.
 */
import { restore } from '../../actors/imaging/kernels/beam.ts';
import { pixelFromSky, radians } from '../../actors/io/wcs.ts';
import type { CatalogueSource } from '../../actors/products/catalogue.ts';
import type { LightCurvePoint } from '../../actors/products/light-curves.ts';
import type { ReportInput } from '../../actors/products/report-input.ts';
import { randomStream } from '../../actors/simulation/random.ts';
import type { SkyImage } from '../../actors/visibility.ts';

/** A name that would be a script if it were not escaped. */
export const hostileName = `<script>alert("1")</script> & 'Co'`;

const startMjd = 59_215.3;
const dtS = 10;

export const madeSources: readonly CatalogueSource[] = [
  {
    id: 'J081336.4+331012',
    raDeg: 123.4016667,
    decDeg: 33.17,
    kind: 'transient',
    peakFluxJy: 0.25,
    peakSnr: 31.4159,
    startMjd: startMjd + 300 / 86_400,
    peakMjd: startMjd + 355 / 86_400,
    endMjd: startMjd + 480 / 86_400,
    eta: 12.25,
    v: 1.75,
    nFrames: 120,
  },
  {
    id: 'J081345.0+330842',
    raDeg: 123.4375,
    decDeg: 33.145,
    kind: 'variable',
    peakFluxJy: 0.09,
    peakSnr: 12,
    startMjd,
    peakMjd: startMjd + 805 / 86_400,
    endMjd: startMjd + 1200 / 86_400,
    eta: 4.5,
    v: 0.3,
    nFrames: 120,
  },
  {
    id: 'J081330.0+331300',
    raDeg: 123.375,
    decDeg: 33.2166667,
    kind: 'steady',
    peakFluxJy: 1.5,
    peakSnr: 220,
    startMjd,
    peakMjd: startMjd + 5 / 86_400,
    endMjd: startMjd + 1200 / 86_400,
    eta: 1.02,
    v: Number.NaN,
    nFrames: 119,
  },
];

/** Jy at a number of seconds since the start. */
function fluxAt(source: CatalogueSource, seconds: number): number {
  if (source.kind === 'transient') {
    const since = seconds - 340;
    return since < 0 ? source.peakFluxJy * Math.exp(since / 10) : source.peakFluxJy * Math.exp(-since / 60);
  }
  return source.peakFluxJy * (source.kind === 'variable' ? 0.7 + 0.3 * Math.sin(seconds / 130) : 0.96);
}

export function madeCurves(): Map<string, LightCurvePoint[]> {
  const random = randomStream(3);
  const bands = [
    ['1302MHz', 1.302e9],
    ['1602MHz', 1.602e9],
  ] as const;
  const curves = madeSources.map((source): [string, LightCurvePoint[]] => [
    source.id,
    bands.flatMap(([band, freqHz]) =>
      Array.from({ length: 120 }, (_, k): LightCurvePoint => {
        const bad = k === 60;
        const errJy = 0.008 + 0.004 * random.uniform();
        const fluxJy = fluxAt(source, dtS * (k + 0.5)) + errJy * random.normal();
        return {
          id: source.id,
          band,
          freqHz,
          timeMjd: startMjd + (dtS * (k + 0.5)) / 86_400,
          dtS,
          fluxJy: bad ? Number.NaN : fluxJy,
          errJy: bad ? Number.NaN : errJy,
          flag: bad ? 'bad' : fluxJy > 3 * errJy ? 'detected' : 'limit',
        };
      }),
    ),
  ]);
  return new Map(curves);
}

const beam = { majorRad: radians(14 / 3600), minorRad: radians(9 / 3600), positionAngleRad: 0.6 };

/** Noise, and the sources as the beam shows them; NaN in a corner, as outside of the sky. */
export function madeImage(npix = 256, noiseJy = 0.002): SkyImage {
  const random = randomStream(11);
  const side = radians(600 / 3600);
  const geometry = { npixX: npix, npixY: npix, pixsizeX: side / npix, pixsizeY: side / npix };
  const phaseCentre = { raRad: radians(123.4), decRad: radians(33.18) };
  const noise = Float32Array.from({ length: npix * npix }, () => noiseJy * random.normal());
  const components = madeSources.map((source) => {
    const direction = { raRad: radians(source.raDeg), decRad: radians(source.decDeg) };
    const flux = source.kind === 'transient' ? 0.02 : source.peakFluxJy;
    return { ...pixelFromSky(geometry, phaseCentre, direction)!, flux };
  });
  const pixels = restore(components, beam, geometry, noise);
  for (let y = 0; y < 8; y++) pixels.fill(Number.NaN, y * npix, y * npix + 8 - y);
  return { geometry, phaseCentre, pixels };
}

function madeThumbnail(flux: number, seed: number): SkyImage {
  const random = randomStream(seed);
  const geometry = { npixX: 40, npixY: 40, pixsizeX: radians(2 / 3600), pixsizeY: radians(2 / 3600) };
  const noise = Float32Array.from({ length: 1600 }, () => 0.01 * random.normal());
  const pixels = restore([{ x: 20, y: 20, flux }], beam, geometry, noise);
  return { geometry, phaseCentre: { raRad: 2.15, decRad: 0.58 }, pixels };
}

/** Everything that a report shows. */
export function madeReport(field = 'DEMO'): ReportInput {
  const image = madeImage();
  const observation = {
    site: 'nancay',
    telescope: 'SIMULATED',
    field,
    startMjd,
    endMjd: startMjd + 1200 / 86_400,
    antennas: 27,
    rows: 42_120,
    flaggedFraction: 0.0213,
  };
  const band = { bandwidthHz: 8e6, frames: 120, noiseJy: 0.002, meanImage: image, beam };
  return {
    title: `Transient search of ${field} with SIMULATED`,
    madeMjd: startMjd + 1,
    software: 'asperitas 0.1.0',
    observations: [
      { ...observation, path: 'low.ms' },
      { ...observation, path: 'archive/2021/high.ms', site: 'paris' },
    ],
    bands: [
      { ...band, name: '1302MHz', freqHz: 1.302e9, caption: 'mean image, cleaned' },
      { ...band, name: '1602MHz', freqHz: 1.602e9, caption: 'mean image, cleaned' },
    ],
    sources: madeSources,
    lightCurves: madeCurves(),
    thumbnails: new Map([
      [
        madeSources[0]!.id,
        [
          { caption: 'before, 07:16:55 UTC, 1302MHz', image: madeThumbnail(0, 1) },
          { caption: 'at the peak, 07:17:55 UTC, 1302MHz', image: madeThumbnail(0.25, 2) },
          { caption: 'after, 07:20:05 UTC, 1302MHz', image: madeThumbnail(0.01, 3) },
        ],
      ],
    ]),
    parameters: [
      { name: 'field', value: field },
      { name: 'size', value: '256 256' },
      { name: 'scale', value: '2.34375asec' },
      { name: 'weight', value: 'natural' },
      { name: 'threshold', value: '6' },
    ],
    trace: {
      wallS: 84.2,
      nodes: [
        {
          node: 'nancay-1',
          site: 'nancay',
          tasks: 412,
          failed: 0,
          busyS: 151,
          localBytes: 3.1e7,
          remoteBytes: 1.2e6,
        },
        {
          node: 'paris-1',
          site: 'paris',
          tasks: 398,
          failed: 1,
          busyS: 139,
          localBytes: 2.2e7,
          remoteBytes: 0,
        },
      ],
      functions: [
        { fn: 'transients.fitBlock', tasks: 320, totalS: 171, longestS: 4.2 },
        { fn: 'imaging.dirtyFrames', tasks: 64, totalS: 62, longestS: 2.9 },
        { fn: 'transients.detectTile', tasks: 210, totalS: 21.5, longestS: 0.31 },
      ],
    },
  };
}
