/**
 * Owns the geometry between the Earth and the sky: baselines of rotating antennas in the frame of a phase
 * centre, elevations and transits. Pure. The Earth's axis is that of J2000: precession and
 * polar motion are left out, so that a simulated sky and its uvw agree with one another but not to an
 * arcsecond with an almanac. Must not know: visibilities, files.
 */
import type { Direction } from '../visibility.ts';

/** What the Earth turns against the stars in a day of UT1, beyond one turn. */
const extraTurns = 0.00273781191135448;

/** The Earth's rotation angle (IAU 2000, eq. 14 of Capitaine et al. 2000), UT1 taken as UTC; radians. */
function earthRotationAngle(timeMjdSeconds: number): number {
  const days = timeMjdSeconds / 86400 - 51544.5;
  const turns = 0.779057273264 + extraTurns * days + (days % 1);
  return 2 * Math.PI * (turns - Math.floor(turns));
}

/** What `makeUvw` needs. */
export interface UvwRequest {
  /** metres, geocentric (ITRF) */
  readonly positions: readonly (readonly [number, number, number])[];
  /** Antenna numbers, one a row. */
  readonly antenna1: ArrayLike<number>;
  readonly antenna2: ArrayLike<number>;
  readonly phaseCentre: Direction;
  /** seconds, MJD UTC */
  readonly timeMjdSeconds: number;
}

/**
 * `[row, 3]` metres: position(antenna2) - position(antenna1), u east, v north, w towards the phase centre.
 */
export function makeUvw(request: UvwRequest): Float64Array {
  const { positions, antenna1, antenna2, phaseCentre, timeMjdSeconds } = request;
  // Hour angle at Greenwich; turning the positions with the Earth puts x at right ascension 0.
  const angle = earthRotationAngle(timeMjdSeconds);
  const [sinTurn, cosTurn] = [Math.sin(angle), Math.cos(angle)];
  const [sinRa, cosRa] = [Math.sin(phaseCentre.raRad), Math.cos(phaseCentre.raRad)];
  const [sinDec, cosDec] = [Math.sin(phaseCentre.decRad), Math.cos(phaseCentre.decRad)];
  const uvw = new Float64Array(3 * antenna1.length);
  for (let row = 0; row < antenna1.length; row++) {
    const [from, to] = [positions[antenna1[row]!]!, positions[antenna2[row]!]!];
    const [ex, ey, z] = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
    const x = cosTurn * ex - sinTurn * ey;
    const y = sinTurn * ex + cosTurn * ey;
    const outward = cosRa * x + sinRa * y;
    uvw[3 * row] = -sinRa * x + cosRa * y;
    uvw[3 * row + 1] = -sinDec * outward + cosDec * z;
    uvw[3 * row + 2] = cosDec * outward + sinDec * z;
  }
  return uvw;
}

/**
 * Sine of the elevation of a direction seen from a place on a spherical Earth; negative below the horizon.
 */
export function sineOfElevation(
  position: readonly [number, number, number],
  direction: Direction,
  timeMjdSeconds: number,
): number {
  const hourAngle = earthRotationAngle(timeMjdSeconds) - direction.raRad;
  const [x, y, z] = position;
  const cosDec = Math.cos(direction.decRad);
  const along =
    x * cosDec * Math.cos(hourAngle) - y * cosDec * Math.sin(hourAngle) + z * Math.sin(direction.decRad);
  return along / Math.hypot(x, y, z);
}

/** The first time after `afterMjdSeconds` at which a direction is highest over a place; seconds, MJD UTC. */
export function transitTime(
  position: readonly [number, number, number],
  direction: Direction,
  afterMjdSeconds: number,
): number {
  const longitude = Math.atan2(position[1], position[0]);
  const turns = (direction.raRad - longitude - earthRotationAngle(afterMjdSeconds)) / (2 * Math.PI);
  return afterMjdSeconds + ((turns - Math.floor(turns)) * 86400) / (1 + extraTurns);
}
