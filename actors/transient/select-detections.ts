/**
 * Owns the choice of which detections become sources: not those that are another source already, nor those
 * that may be sidelobes of a stronger one, which must be fitted and subtracted first. Must not know: images,
 * visibilities.
 */
import type { Beam } from '../visibility.ts';
import { limits } from './limits.ts';
import type { Place } from './sky-model.ts';

/** A detection on the sky. */
export interface SkyDetection extends Place {
  readonly snr: number;
  /** Jy */
  readonly amplitude: number;
  /** Bins `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** Beam of the images in which it was made. */
  readonly beam: Beam;
}

/** The distance of two places in full widths at half maximum of a beam, in its direction. */
export function distanceInBeams(a: Place, b: Place, beam: Beam): number {
  const [l, m] = [a.l - b.l, a.m - b.m];
  const [sin, cos] = [Math.sin(beam.positionAngleRad), Math.cos(beam.positionAngleRad)];
  return Math.hypot((l * sin + m * cos) / beam.majorRad, (l * cos - m * sin) / beam.minorRad);
}

/** The detections to take as sources now, the strongest first, and how many others stay open: what was left
 * out for a stronger one will be seen again if it is real. */
export function selectDetections(
  detections: readonly SkyDetection[],
  known: readonly Place[],
): { readonly accepted: SkyDetection[]; readonly waiting: number } {
  const sorted = [...detections].sort((a, b) => b.snr - a.snr);
  const accepted: SkyDetection[] = [];
  let waiting = 0;
  for (const one of sorted) {
    const near = (place: Place): boolean => distanceInBeams(one, place, one.beam) < limits.mergeBeams;
    if (known.some(near) || accepted.some(near)) continue;
    const shadowed = accepted.some(
      (other) =>
        one.start < other.end &&
        other.start < one.end &&
        one.amplitude < limits.sidelobeShare * other.amplitude,
    );
    if (shadowed || accepted.length >= limits.newPerRound) waiting++;
    else accepted.push(one);
  }
  return { accepted, waiting };
}
