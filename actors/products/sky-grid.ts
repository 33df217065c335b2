/**
 * Owns the lines of right ascension and declination over an image, and where their labels stand. Must not
 * know: how they are drawn.
 */
import { degrees, type Pixel, pixelFromSky, skyFromPixel, wrapRa } from '../io/wcs.ts';
import type { Direction, SkyImage } from '../visibility.ts';
import { multiples } from './axis-ticks.ts';

/** A line of the grid, in pixels of the image. */
export interface GridLine {
  readonly axis: 'ra' | 'dec';
  readonly text: string;
  /** Parts of the line within the image. */
  readonly parts: readonly (readonly Pixel[])[];
  /** Where it leaves the image at the bottom (right ascension) or at the left (declination). */
  readonly edge: Pixel | undefined;
}

type Frame = Pick<SkyImage, 'geometry' | 'phaseCentre'>;

const halfTurn = Math.PI;
const arcsec = Math.PI / (180 * 3600);
const samples = 96;
/** Lines that a grid aims at. */
const wanted = 6;

const decSteps = [1, 2, 5, 10, 15, 30].flatMap((step) => [step, 60 * step, 3600 * step]);
const raSteps = [1, 2, 5, 10, 15, 30].flatMap((step) => [step, 60 * step]);
const hourSteps = [1, 2, 3, 4, 6].map((step) => 3600 * step);

/** Round steps in seconds, of arc or of time; below a second they are decimal. */
function stepOf(list: readonly number[], leastSeconds: number): number {
  for (let step = 1e-4; step < 1; step *= 10) {
    const found = [1, 2, 5].find((digit) => digit * step >= leastSeconds);
    if (found !== undefined) return found * step;
  }
  const sorted = [...list].sort((a, b) => a - b);
  return sorted.find((step) => step >= leastSeconds) ?? sorted.at(-1)!;
}

function parts(seconds: number, step: number): { whole: number; rest: readonly string[]; level: number } {
  const decimals = step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0;
  const unit = 10 ** decimals;
  const count = Math.round(seconds * unit);
  const left = (count / unit) % 60;
  const two = (value: number): string => String(value).padStart(2, '0');
  const second = left.toFixed(decimals).padStart(decimals === 0 ? 2 : decimals + 3, '0');
  const minute = two(Math.floor(count / unit / 60) % 60);
  const level = step % 3600 === 0 ? 0 : step % 60 === 0 ? 1 : 2;
  return { whole: Math.floor(count / unit / 3600), rest: [minute, second], level };
}

function raText(seconds: number, step: number): string {
  const { whole, rest, level } = parts(((seconds % 86_400) + 86_400) % 86_400, step);
  const texts = [`${String(whole % 24).padStart(2, '0')}\u02b0`, `${rest[0]}\u1d50`, `${rest[1]}\u02e2`];
  return texts.slice(0, level + 1).join('');
}

function decText(seconds: number, step: number): string {
  const { whole, rest, level } = parts(Math.abs(seconds), step);
  const sign = seconds < -step / 2 ? '\u2212' : '+';
  const texts = [`${sign}${String(whole).padStart(2, '0')}\u00b0`, `${rest[0]}\u2032`, `${rest[1]}\u2033`];
  return texts.slice(0, level + 1).join('');
}

/** Right ascension from that of the centre, -pi to pi. */
const eastOf = (centre: Direction, { raRad }: Direction): number =>
  wrapRa(raRad - centre.raRad + halfTurn) - halfTurn;

interface Extent {
  readonly east: readonly [number, number];
  readonly dec: readonly [number, number];
}

/** What the image covers. */
function extentOf({ geometry, phaseCentre }: Frame): Extent | undefined {
  const { npixX, npixY } = geometry;
  let [eastLow, eastHigh, decLow, decHigh] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i <= 32; i++) {
    for (let j = 0; j <= 32; j++) {
      const pixel = { x: (i / 32) * npixX - 0.5, y: (j / 32) * npixY - 0.5 };
      const sky = skyFromPixel(geometry, phaseCentre, pixel);
      if (sky === undefined) continue;
      const east = eastOf(phaseCentre, sky);
      [eastLow, eastHigh] = [Math.min(eastLow, east), Math.max(eastHigh, east)];
      [decLow, decHigh] = [Math.min(decLow, sky.decRad), Math.max(decHigh, sky.decRad)];
    }
  }
  if (!(eastHigh > eastLow)) return undefined;
  // All right ascensions meet at a pole.
  for (const pole of [halfTurn / 2, -halfTurn / 2]) {
    const at = pixelFromSky(geometry, phaseCentre, { raRad: 0, decRad: pole });
    if (at === undefined || !inside({ geometry }, at)) continue;
    [eastLow, eastHigh] = [-halfTurn, halfTurn];
    [decLow, decHigh] = [Math.min(decLow, pole), Math.max(decHigh, pole)];
  }
  return { east: [eastLow, eastHigh], dec: [decLow, decHigh] };
}

function inside({ geometry }: Pick<Frame, 'geometry'>, { x, y }: Pixel): boolean {
  return x >= -0.5 && y >= -0.5 && x <= geometry.npixX - 0.5 && y <= geometry.npixY - 0.5;
}

/** The parts of a line on the image. */
function trace({ geometry, phaseCentre }: Frame, at: (share: number) => Direction): Pixel[][] {
  const found: Pixel[][] = [[]];
  for (let k = 0; k <= samples; k++) {
    const pixel = pixelFromSky(geometry, phaseCentre, at(k / samples));
    if (pixel !== undefined && inside({ geometry }, pixel)) found.at(-1)!.push(pixel);
    else if (found.at(-1)!.length > 0) found.push([]);
  }
  return found.filter((part) => part.length > 1);
}

/** Where a value is reached on the way along an edge. */
function crossing(
  { geometry, phaseCentre }: Frame,
  edge: (share: number) => Pixel,
  differenceAt: (sky: Direction) => number,
): Pixel | undefined {
  let before: { share: number; difference: number } | undefined;
  for (let k = 0; k <= samples; k++) {
    const share = k / samples;
    const sky = skyFromPixel(geometry, phaseCentre, edge(share));
    const now = sky === undefined ? undefined : { share, difference: differenceAt(sky) };
    if (before !== undefined && now !== undefined) {
      const jump = Math.abs(now.difference - before.difference);
      if (now.difference * before.difference <= 0 && jump > 0 && jump < 1) {
        return edge(before.share + ((share - before.share) * Math.abs(before.difference)) / jump);
      }
    }
    before = now;
  }
  return undefined;
}

/** The grid of an image: lines at round values, about five of each kind. */
export function skyGrid(frame: Frame): GridLine[] {
  const { geometry, phaseCentre } = frame;
  const extent = extentOf(frame);
  if (extent === undefined) return [];
  const { east, dec } = extent;
  const secondOfTime = 15 * arcsec;
  const raStep = stepOf([...raSteps, ...hourSteps], (east[1] - east[0]) / secondOfTime / wanted);
  const decStep = stepOf(decSteps, (dec[1] - dec[0]) / arcsec / wanted);
  const zero = wrapRa(phaseCentre.raRad) / secondOfTime;
  const [from, to] = [zero + east[0] / secondOfTime, zero + east[1] / secondOfTime];
  const ra = multiples(from, to, raStep).map((seconds): GridLine => {
    const raRad = seconds * secondOfTime;
    const away = (sky: Direction): number => eastOf({ raRad, decRad: 0 }, sky);
    const bottom = (share: number): Pixel => ({ x: share * geometry.npixX - 0.5, y: -0.5 });
    return {
      axis: 'ra',
      text: raText(seconds, raStep),
      parts: trace(frame, (share) => ({ raRad, decRad: dec[0] + share * (dec[1] - dec[0]) })),
      edge: crossing(frame, bottom, away),
    };
  });
  const lines = multiples(dec[0] / arcsec, dec[1] / arcsec, decStep).map((seconds): GridLine => {
    const decRad = seconds * arcsec;
    const left = (share: number): Pixel => ({ x: -0.5, y: share * geometry.npixY - 0.5 });
    return {
      axis: 'dec',
      text: decText(seconds, decStep),
      parts: trace(frame, (share) => ({
        raRad: phaseCentre.raRad + east[0] + share * (east[1] - east[0]),
        decRad,
      })),
      edge: crossing(frame, left, (sky) => sky.decRad - decRad),
    };
  });
  return [...ra, ...lines];
}

/** Degrees of a side of the image, for captions. */
export function fieldDegrees({ geometry }: Pick<Frame, 'geometry'>): number {
  const { npixX, npixY, pixsizeX, pixsizeY } = geometry;
  return degrees(Math.max(npixX * pixsizeX, npixY * pixsizeY));
}
