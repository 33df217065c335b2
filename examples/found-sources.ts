/**
 * Compares what a search found with what was put in: which source is which, how far off, and how the light
 * curves agree with the truth.
 */
import { type Direction, lmFromSky, placeOf, type RunOutcome, type SourceRows } from '../actors/index.ts';

export interface TrueSource extends Direction {
  readonly name: string;
  /** Jy, in a band and frame; undefined where the truth is not known. */
  readonly flux?: (band: number, frame: number) => number;
}

export interface Match {
  readonly truth: TrueSource;
  readonly rows: SourceRows;
  /** Of the sharpest band. */
  readonly offsetBeams: number;
  /** Mean over usable points of ((flux - truth) / error)^2; NaN without a truth. */
  readonly chiSquare: number;
  readonly points: number;
}

/** Pairs true sources with the nearest found ones within half a beam; the rest of both stays over. */
export function matchSources(outcome: RunOutcome, truth: readonly TrueSource[]) {
  const widths = outcome.result.beams.map(({ majorRad, minorRad }) => Math.sqrt(majorRad * minorRad));
  const beam = Math.min(...widths);
  const left = new Set(outcome.rows);
  const matches: Match[] = [];
  const missed: string[] = [];
  for (const source of truth) {
    const { l, m } = lmFromSky(outcome.plan.phaseCentre, source)!;
    const distance = ({ found }: SourceRows): number => {
      const place = placeOf(found.model);
      return Math.hypot(place.l - l, place.m - m) / beam;
    };
    const [nearest] = [...left].sort((a, b) => distance(a) - distance(b));
    if (nearest === undefined || distance(nearest) > 0.5) {
      missed.push(source.name);
      continue;
    }
    left.delete(nearest);
    matches.push({
      truth: source,
      rows: nearest,
      offsetBeams: distance(nearest),
      ...agreement(source, nearest),
    });
  }
  return { matches, missed, extra: [...left].map(({ source }) => source.id) };
}

function agreement({ flux }: TrueSource, { found }: SourceRows): { chiSquare: number; points: number } {
  let [sum, points] = [0, 0];
  found.curves.forEach((curve, band) => {
    curve.flux.forEach((value, frame) => {
      if (flux === undefined || !Number.isFinite(value)) return;
      sum += ((value - flux(band, frame)) / curve.error[frame]!) ** 2;
      points++;
    });
  });
  return { chiSquare: sum / points, points };
}
