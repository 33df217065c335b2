/**
 * Owns the list of sources while it grows: what CLEAN and detections add, what proves to be nothing and what
 * proves to be the same. Must not know: visibilities, images, clusters.
 */
import type { Beam } from '../visibility.ts';
import { type ComponentGroup, sourceOf } from './clean-sources.ts';
import type { CurveSummary } from './light-curve.ts';
import { limits } from './limits.ts';
import { distanceInBeams } from './select-detections.ts';
import { isPoint, type ModelSource, type Place, placeOf, withMore } from './sky-model.ts';

/** How far a place lies from the nearest component of a source, in beams. */
function distanceTo(source: ModelSource, place: Place, beam: Beam): number {
  let nearest = Number.POSITIVE_INFINITY;
  const { components } = source;
  for (let k = 0; k < components.length; k += 3) {
    const component = { l: components[k]!, m: components[k + 1]! };
    nearest = Math.min(nearest, distanceInBeams(component, place, beam));
  }
  return nearest;
}

/** What was added to the list. */
export interface Addition {
  readonly sources: readonly ModelSource[];
  readonly added: number;
}

/** Adds what CLEAN found in the mean of one band.
 * @param about.fluxes mean flux of each source in this band, Jy
 * @param about.leastJy flux that a group must have
 * @param about.most sources that the list may hold */
export function addGroups(
  sources: readonly ModelSource[],
  groups: readonly ComponentGroup[],
  about: {
    readonly beam: Beam;
    readonly leastJy: number;
    readonly fluxes: ArrayLike<number>;
    readonly most: number;
  },
): Addition {
  const list = [...sources];
  let added = 0;
  for (const group of groups) {
    if (group.fluxJy < about.leastJy) continue;
    const near = list.findIndex((source) => {
      const reach = isPoint(source) ? limits.mergeBeams : 1;
      return distanceTo(source, group.place, about.beam) < reach;
    });
    if (near < 0) {
      if (list.length >= about.most) continue;
      list.push(sourceOf(group));
      added++;
    } else if (near < sources.length) {
      const grown = withMore(list[near]!, about.fluxes[near] ?? 0, group.components);
      if (grown !== list[near]) added++;
      list[near] = grown;
    }
  }
  return { sources: list, added };
}

/** Which sources to keep: those whose light curve says that they are real, the stronger of two that are
 * one. */
export function keepReal(
  sources: readonly ModelSource[],
  summaries: readonly CurveSummary[],
  { beam, threshold }: { readonly beam: Beam; readonly threshold: number },
): boolean[] {
  // Sources that were added since the last measurement have no say yet.
  const strength = sources.map((_, i) => {
    const summary = summaries[i];
    return summary === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(summary.meanSnr, summary.event?.snr ?? 0);
  });
  const keep = strength.map((snr) => snr >= threshold);
  sources.forEach((source, i) => {
    for (let j = 0; j < i; j++) {
      if (!keep[i] || !keep[j]) continue;
      if (distanceInBeams(placeOf(source), placeOf(sources[j]!), beam) >= limits.mergeBeams) continue;
      keep[strength[i]! > strength[j]! ? j : i] = false;
    }
  });
  return keep;
}
