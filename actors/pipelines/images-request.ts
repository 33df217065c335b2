/**
 * Owns what `asperitas image` is asked for and what it returns. Must not know: how it is done.
 */
import type { ImagingRequest } from './imaging-request.ts';

export type Range = readonly [start: number, end: number];

/** What a user asks for. */
export interface ImagesRequest extends ImagingRequest {
  /** Id or name; undefined means the only one. */
  readonly field: number | string | undefined;
  /** Time steps `[start, end)` of the field; all unless given. */
  readonly interval: Range | undefined;
  readonly intervalsOut: number;
  /** Channels `[start, end)` among all frequencies, ascending; all unless given. */
  readonly channelRange: Range | undefined;
  readonly channelsOut: number;
  /** Ids of the spectral windows to use; all unless given. */
  readonly spws: readonly number[] | undefined;
  readonly makePsf: boolean;
  /** Weigh the images of channels by the samples of all of them (WSClean's -mf-weighting). */
  readonly mfWeighting: boolean;
}

export interface ImagesRun {
  readonly path: string;
  readonly request: ImagesRequest;
  /** What the names of all files begin with; may hold folders. */
  readonly prefix: string;
  /** The command, for HISTORY. */
  readonly history: string;
  readonly signal: AbortSignal;
  /** Bytes of visibilities held at once; a limit unless given. */
  readonly blockBytes?: number;
}

export interface ImagesOutcome {
  /** Paths, in order of interval and channel. */
  readonly files: readonly string[];
  /** Images without a single usable sample, which hold NaN alone. */
  readonly empty: readonly string[];
}
