/**
 * Owns the way from CLEAN components to sources: components that touch belong together; a group as small as
 * the beam is a point, a larger one stays a group. Also says where CLEAN may look. Must not know:
 * visibilities, how CLEAN works.
 */
import type { Beam, ImageGeometry } from '../visibility.ts';
import { limits } from './limits.ts';
import { robustSigma } from './robust.ts';
import { distanceInBeams } from './select-detections.ts';
import { type ModelSource, type Place, pointSource } from './sky-model.ts';

/** A CLEAN component on pixel (x, y), Jy. */
export interface PixelComponent {
  readonly x: number;
  readonly y: number;
  readonly flux: number;
}

/** Components that touch. */
export interface ComponentGroup {
  /** Direction cosines of the mean place. */
  readonly place: Place;
  readonly fluxJy: number;
  /** `[component, 3]` l, m, Jy */
  readonly components: Float64Array;
  /** Scatter of the components about their mean place, beams. */
  readonly radiusBeams: number;
}

/** A group whose components scatter by less than this (beams) is taken for a point: between pixels, or spread
 *  by sidelobes. If it is not, the exact residual will show what is left. */
const pointRadiusBeams = 0.8;
/** Components nearer than this (beams) touch. */
const touchingBeams = 0.75;

function toPlace({ npixX, npixY, pixsizeX, pixsizeY }: ImageGeometry, x: number, y: number): Place {
  return { l: (npixX / 2 - x) * pixsizeX, m: (y - npixY / 2) * pixsizeY };
}

/** Puts components that touch into groups, those of positive flux only, the brightest first. */
export function groupComponents(
  components: readonly PixelComponent[],
  geometry: ImageGeometry,
  beam: Beam,
): ComponentGroup[] {
  const places = components.map(({ x, y }) => toPlace(geometry, x, y));
  const cell = touchingBeams * beam.majorRad;
  const cells = new Map<string, number[]>();
  const key = (column: number, row: number): string => `${column},${row}`;
  const columnOf = (value: number): number => Math.floor(value / cell);
  places.forEach(({ l, m }, k) => {
    const name = key(columnOf(l), columnOf(m));
    cells.set(name, [...(cells.get(name) ?? []), k]);
  });
  const groupOf = new Int32Array(components.length).fill(-1);
  const groups: number[][] = [];
  for (let first = 0; first < components.length; first++) {
    if (groupOf[first] !== -1) continue;
    const group = [first];
    groupOf[first] = groups.length;
    for (let next = 0; next < group.length; next++) {
      const here = places[group[next]!]!;
      for (let dx = -1; dx <= 1; dx++) {
        for (let dy = -1; dy <= 1; dy++) {
          for (const other of cells.get(key(columnOf(here.l) + dx, columnOf(here.m) + dy)) ?? []) {
            if (groupOf[other] !== -1) continue;
            if (distanceInBeams(here, places[other]!, beam) > touchingBeams) continue;
            groupOf[other] = groups.length;
            group.push(other);
          }
        }
      }
    }
    groups.push(group);
  }
  return groups
    .map((members) => describe(members, components, places, beam))
    .filter(({ fluxJy }) => fluxJy > 0)
    .sort((a, b) => b.fluxJy - a.fluxJy);
}

function describe(
  members: readonly number[],
  components: readonly PixelComponent[],
  places: readonly Place[],
  beam: Beam,
): ComponentGroup {
  let [flux, weight, l, m] = [0, 0, 0, 0];
  for (const k of members) {
    const size = Math.abs(components[k]!.flux);
    flux += components[k]!.flux;
    weight += size;
    l += size * places[k]!.l;
    m += size * places[k]!.m;
  }
  const place = { l: l / weight, m: m / weight };
  let scatter = 0;
  for (const k of members) {
    scatter += Math.abs(components[k]!.flux) * distanceInBeams(places[k]!, place, beam) ** 2;
  }
  return {
    place,
    fluxJy: flux,
    components: Float64Array.from(members.flatMap((k) => [places[k]!.l, places[k]!.m, components[k]!.flux])),
    radiusBeams: Math.sqrt(scatter / weight),
  };
}

/** The source that a group stands for. */
export function sourceOf(group: ComponentGroup): ModelSource {
  if (group.radiusBeams < pointRadiusBeams) return pointSource(group.place);
  const components = group.components.map((value, k) => (k % 3 === 2 ? value / group.fluxJy : value));
  return { components, spectralIndex: 0 };
}

/** Noise of an image in squares, `[y, x]` Jy/beam: the median deviation of each square and its neighbours,
 * at least that of the whole image. NaN pixels are left out. */
export function localNoise(pixels: Float32Array, npixX: number, npixY: number): Float32Array {
  const stride = Math.max(1, Math.floor(pixels.length / limits.noiseSamples));
  const whole = robustSigma(pixels, 0, stride);
  const square = limits.noiseSquare;
  const [columns, rows] = [Math.ceil(npixX / square), Math.ceil(npixY / square)];
  const noise = new Float32Array(pixels.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [xa, xb] = [Math.max(0, (column - 1) * square), Math.min(npixX, (column + 2) * square)];
      const [ya, yb] = [Math.max(0, (row - 1) * square), Math.min(npixY, (row + 2) * square)];
      const piece: number[] = [];
      for (let y = ya; y < yb; y++) for (let x = xa; x < xb; x++) piece.push(pixels[y * npixX + x]!);
      const value = Math.max(whole, robustSigma(piece) || 0);
      for (let y = row * square; y < Math.min(npixY, (row + 1) * square); y++) {
        noise.fill(value, y * npixX + column * square, y * npixX + Math.min(npixX, (column + 1) * square));
      }
    }
  }
  return noise;
}

/** Where CLEAN may put components: around pixels above `level` times the noise, grown by `radius` pixels.
 * @returns `[y, x]` 1 = may, and the number of peaks' pixels before growing */
export function cleanMask(
  { pixels, npixX, npixY }: { readonly pixels: Float32Array; readonly npixX: number; readonly npixY: number },
  noise: ArrayLike<number>,
  { level, radius }: { readonly level: number; readonly radius: number },
): { readonly mask: Uint8Array; readonly seeds: number } {
  const mask = new Uint8Array(pixels.length);
  let seeds = 0;
  for (let k = 0; k < pixels.length; k++) {
    if (!(pixels[k]! > level * noise[k]!)) continue;
    seeds++;
    const [cx, cy] = [k % npixX, Math.floor(k / npixX)];
    for (let y = Math.max(0, cy - radius); y <= Math.min(npixY - 1, cy + radius); y++) {
      mask.fill(1, y * npixX + Math.max(0, cx - radius), y * npixX + Math.min(npixX, cx + radius + 1));
    }
  }
  return { mask, seeds };
}
