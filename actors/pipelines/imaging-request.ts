/**
 * Owns what every request for images asks for. Must not know: what is imaged, or for what.
 */
import type { Weighting } from '../imaging/kernels/weighting.ts';
import type { Stokes } from '../visibility.ts';

export interface ImagingRequest {
  readonly npixX: number;
  readonly npixY: number;
  /** Radians. */
  readonly pixsize: number;
  readonly weighting: Weighting;
  /** Relative accuracy of the gridding. */
  readonly epsilon: number;
  readonly stokes: Stokes;
  /** A column's name, or `auto`. */
  readonly dataColumn: string;
}
