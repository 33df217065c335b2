/**
 * Owns the geometry between pixels, direction cosines and the sky: the SIN projection both ways, separations,
 * and sexagesimal text. Source of the equations: Calabretta & Greisen 2002, A&A 395, section 5.1.5. Must not
 * know: files, images' values.
 */
import type { Direction, ImageGeometry } from '../visibility.ts';

/** 0-based, fractional; the centre of the first pixel is (0, 0). */
export interface Pixel {
  readonly x: number;
  readonly y: number;
}

/** Direction cosines from the phase centre: l to the east, m to the north. */
export interface DirectionCosines {
  readonly l: number;
  readonly m: number;
}

const radiansPerDegree = Math.PI / 180;
const fullTurn = 2 * Math.PI;

export function degrees(radians: number): number {
  return radians / radiansPerDegree;
}

export function radians(degrees: number): number {
  return degrees * radiansPerDegree;
}

/** Right ascension into 0 to 2 pi; sets may hold negative ones. */
export function wrapRa(raRad: number): number {
  const wrapped = raRad % fullTurn;
  if (wrapped >= 0) return wrapped;
  // A tiny negative angle rounds to a full turn.
  return wrapped + fullTurn < fullTurn ? wrapped + fullTurn : 0;
}

export function lmFromPixel(geometry: ImageGeometry, { x, y }: Pixel): DirectionCosines {
  return {
    l: -(x - geometry.npixX / 2) * geometry.pixsizeX,
    m: (y - geometry.npixY / 2) * geometry.pixsizeY,
  };
}

export function pixelFromLm(geometry: ImageGeometry, { l, m }: DirectionCosines): Pixel {
  return { x: geometry.npixX / 2 - l / geometry.pixsizeX, y: geometry.npixY / 2 + m / geometry.pixsizeY };
}

/** The direction at (l, m) from `centre`; undefined where l^2 + m^2 > 1, which is no place on the sky. */
export function skyFromLm(centre: Direction, { l, m }: DirectionCosines): Direction | undefined {
  const squared = l * l + m * m;
  if (!(squared <= 1)) return undefined;
  const n = Math.sqrt(1 - squared);
  const [sine, cosine] = [Math.sin(centre.decRad), Math.cos(centre.decRad)];
  const towards = n * cosine - m * sine;
  return {
    raRad: wrapRa(centre.raRad + Math.atan2(l, towards)),
    // atan2 and not asin: near the poles the arc sine loses half of the digits.
    decRad: Math.atan2(m * cosine + n * sine, Math.hypot(l, towards)),
  };
}

/**
 * The direction cosines of `direction` from `centre`; undefined for a direction more than 90 degrees away.
 */
export function lmFromSky(centre: Direction, direction: Direction): DirectionCosines | undefined {
  const [sine, cosine] = [Math.sin(centre.decRad), Math.cos(centre.decRad)];
  const [sineD, cosineD] = [Math.sin(direction.decRad), Math.cos(direction.decRad)];
  const turn = direction.raRad - centre.raRad;
  const n = sineD * sine + cosineD * cosine * Math.cos(turn);
  if (!(n >= 0)) return undefined;
  return { l: cosineD * Math.sin(turn), m: sineD * cosine - cosineD * sine * Math.cos(turn) };
}

/** Undefined for a pixel outside the sky. */
export function skyFromPixel(
  geometry: ImageGeometry,
  centre: Direction,
  pixel: Pixel,
): Direction | undefined {
  return skyFromLm(centre, lmFromPixel(geometry, pixel));
}

/** Undefined for a direction on the other hemisphere; the pixel may lie outside the image. */
export function pixelFromSky(
  geometry: ImageGeometry,
  centre: Direction,
  direction: Direction,
): Pixel | undefined {
  const lm = lmFromSky(centre, direction);
  return lm && pixelFromLm(geometry, lm);
}

/** The angle between two directions, radians, exact at all separations (Vincenty's formula). */
export function separationRad(a: Direction, b: Direction): number {
  const turn = b.raRad - a.raRad;
  const [sineA, cosineA] = [Math.sin(a.decRad), Math.cos(a.decRad)];
  const [sineB, cosineB] = [Math.sin(b.decRad), Math.cos(b.decRad)];
  const across = cosineB * Math.sin(turn);
  const up = cosineA * sineB - sineA * cosineB * Math.cos(turn);
  return Math.atan2(Math.hypot(across, up), sineA * sineB + cosineA * cosineB * Math.cos(turn));
}

/** Whole units, minutes and seconds of `value`, rounded as a whole so that no part ever reads 60. */
function sexagesimal(value: number, decimals: number): { whole: number; rest: string } {
  const unit = 10 ** decimals;
  const ticks = Math.round(value * 3600 * unit);
  const seconds = Math.floor(ticks / unit);
  const fraction = decimals === 0 ? '' : `.${String(ticks % unit).padStart(decimals, '0')}`;
  const two = (part: number): string => String(part).padStart(2, '0');
  return {
    whole: Math.floor(seconds / 3600),
    rest: `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${fraction}`,
  };
}

/** Right ascension as `08:13:36.00`. */
export function formatRa(raRad: number, decimals = 2): string {
  const { whole, rest } = sexagesimal((wrapRa(raRad) / fullTurn) * 24, decimals);
  return `${String(whole % 24).padStart(2, '0')}:${rest}`;
}

/** Declination as `+33:12:36.0`. */
export function formatDec(decRad: number, decimals = 1): string {
  const { whole, rest } = sexagesimal(Math.abs(degrees(decRad)), decimals);
  const zero = whole === 0 && !/[1-9]/.test(rest);
  return `${decRad < 0 && !zero ? '-' : '+'}${String(whole).padStart(2, '0')}:${rest}`;
}
