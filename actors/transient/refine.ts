/**
 * Owns one step of refining the places and in-band spectra of sources, from normal equations summed over
 * frames and bands (Gauss-Newton with the fluxes projected out). Must not know: visibilities, images.
 */
import type { NormalEquations } from './fit-frame.ts';
import { limits } from './limits.ts';
import { changed, type ModelSource } from './sky-model.ts';
import { cholesky, inverseDiagonal, solveCholesky } from './symmetric.ts';

/** What one step gives. */
export interface Refinement {
  readonly sources: readonly ModelSource[];
  /** The largest move of a source over what may be neglected; 1 or less when all are at their places. */
  readonly unrest: number;
  /** `[source]` radians: one standard deviation of the place, the mean of both axes, noise alone. */
  readonly placeError: Float64Array;
}

/** Moves the sources by one step.
 * @param noisePower variance of the visibilities over that which their weights promise
 * @param beamRad the mean width of the beam, the longest move that makes sense */
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
  const errors = Float64Array.from(sources, (_, i) =>
    Math.sqrt((noisePower * (variance[3 * i]! + variance[3 * i + 1]!)) / 4),
  );
  let unrest = 0;
  const moved = sources.map((source, i) => {
    const [dl, dm] = [step[3 * i]!, step[3 * i + 1]!];
    const move = Math.hypot(dl, dm) / beamRad;
    const damping = Math.min(1, limits.longestStepBeams / Math.max(move, 1e-30));
    const negligible = Math.max(limits.settledBeams, (limits.settledSigma * errors[i]!) / beamRad);
    unrest = Math.max(unrest, (move * damping) / negligible);
    const dIndex = Math.max(-1, Math.min(1, step[3 * i + 2]!));
    return changed(source, dl * damping, dm * damping, dIndex);
  });
  return { sources: moved, unrest, placeError: errors };
}
