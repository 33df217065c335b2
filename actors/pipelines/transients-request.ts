/**
 * Owns what a user asks of a transient search. Must not know: how it is answered, command lines.
 */
import type { SetAddress } from '../imaging/block.ts';
import type { ImagingRequest } from './imaging-request.ts';

/** A search as asked for. */
export interface TransientRequest extends ImagingRequest {
  readonly sets: readonly SetAddress[];
  /** Name or id of the field, the same in all sets. */
  readonly field: number | string;
  /** Frames a set; undefined for one a time slot. */
  readonly intervalsOut: number | undefined;
  /** Parts that each data description's channels are split into. */
  readonly bands: number;
  /** Signal-to-noise ratio from which a brightening is one. */
  readonly threshold: number;
}

/** What a search does unless told otherwise: the most sensitive weights, every time slot, whole bands. */
export const searchDefaults = {
  weighting: { kind: 'natural' },
  epsilon: 1e-4,
  stokes: 'I',
  dataColumn: 'auto',
  intervalsOut: undefined,
  bands: 1,
  threshold: 6,
} as const satisfies Partial<TransientRequest>;
