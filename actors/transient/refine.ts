/**
 * Owns one step of refining the places and in-band spectra of sources, from normal equations summed over
 * frames and bands (Gauss-Newton with the fluxes projected out). Must not know: visibilities, images.
 */
import type { NormalEquations } from './fit-frame.ts';
import { limits } from './limits.ts';
import { changed, type ModelSource } from './sky-model.ts';
import { cholesky, inverseDiagonal, solveCholesky } from './symmetric.ts';

/** Radians: full widths of the beam's ellipse along its axes. */
export interface Refinement {
  readonly sources: readonly ModelSource[];
  /** Longest move, in beams. */
  readonly largestMove: number;
  /** `[source]` radians: one standard deviation of the place, the mean of both axes, noise alone. */
  readonly placeError: Float64Array;
}

/** Moves the sources by one step.
 * @param noisePower variance of the visibilities over that which their weights promise
 * @param beamRad the mean width of the beam, the unit of the largest move */
export function refine(
  sources: readonly ModelSource[],
  normal: NormalEquations,
  { noisePower, beamRad }: { readonly noisePower: number; readonly beamRad: number },
): Refinement {
  const params = 3 * sources.length;
  const matrix = normal.matrix.slice();
  const vector = normal.vector.slice();
  sources.forEach(({ spectralIndex }, i) => {
    // The weights promise 1 / (2 w): a prior of width s weighs 1 / (2 s^2) in the same unit.
    const prior = (0.5 * noisePower) / limits.spectralIndexSpread ** 2;
    const p = 3 * i + 2;
    matrix[p * params + p]! += prior;
    vector[p]! -= prior * spectralIndex;
    // A source too faint to be placed stays: as if it were known to a beam.
    for (const q of [3 * i, 3 * i + 1]) matrix[q * params + q]! += (0.5 * noisePower) / beamRad ** 2;
  });
  const lower = cholesky(matrix, params);
  const step = solveCholesky(lower, params, vector);
  const variance = inverseDiagonal(lower, params);
  let largestMove = 0;
  const moved = sources.map((source, i) => {
    const [dl, dm] = [step[3 * i]!, step[3 * i + 1]!];
    const move = Math.hypot(dl, dm) / beamRad;
    const damping = Math.min(1, limits.longestStepBeams / Math.max(move, 1e-30));
    largestMove = Math.max(largestMove, move * damping);
    const dIndex = Math.max(-1, Math.min(1, step[3 * i + 2]!));
    return changed(source, dl * damping, dm * damping, dIndex);
  });
  const placeError = Float64Array.from(sources, (_, i) =>
    Math.sqrt((noisePower * (variance[3 * i]! + variance[3 * i + 1]!)) / 4),
  );
  return { sources: moved, largestMove, placeError };
}
