/**
 * Owns the common time axis of a run: frames of all bands and sets brought into bins as long as the usual
 * frame of the slowest band, so that bands can be compared and added. Gaps take no bins. Must not know:
 * fluxes, images.
 */
import { median } from './robust.ts';

/** When a frame was taken, seconds (MJD UTC): its centre and length. */
export interface FrameTime {
  readonly timeS: number;
  readonly dtS: number;
}

/** A bin reaches from its start to its end, seconds (MJD UTC). */
export interface TimeBins {
  readonly startS: Float64Array;
  readonly endS: Float64Array;
}

/** Part of a frame that may stick out of a bin without its belonging elsewhere: rounding of times. */
const tolerance = 0.01;

/** Bins that hold the centre of every frame.
 * @param bands the frames of each band */
export function binTimes(bands: readonly (readonly FrameTime[])[]): TimeBins {
  const sorted = bands.flat().sort((a, b) => a.timeS - b.timeS);
  // The usual length of a band's frames: a few long ones must not swallow the others.
  const step = Math.max(0, ...bands.map((frames) => median(frames.map(({ dtS }) => dtS)) || 0));
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { timeS, dtS } of sorted) {
    const end = ends.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (timeS < end - tolerance * step) continue;
    const start = Math.max(end, timeS - dtS / 2);
    starts.push(start);
    ends.push(Math.max(start + step, timeS + dtS / 2));
  }
  return { startS: Float64Array.from(starts), endS: Float64Array.from(ends) };
}

/** The bin of a time; the first or last for times outside all. */
export function binOf({ startS }: TimeBins, timeS: number): number {
  let [low, high] = [0, startS.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startS[middle]! <= timeS) low = middle;
    else high = middle - 1;
  }
  return low;
}
