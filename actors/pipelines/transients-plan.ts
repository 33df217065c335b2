/**
 * Owns the division of a search into bands, frames and blocks, and what it will take. Pure. Must not know:
 * clusters, files, how anything is computed.
 */
import { AsperitasError } from '../../runtime/index.ts';
import type { Block, BlockFrame } from '../imaging/block.ts';
import type { ImagingSpec } from '../imaging/frame-imager.ts';
import { median } from '../transient/robust.ts';
import { binOf, binTimes, type TimeBins } from '../transient/time-bins.ts';
import type { Direction } from '../visibility.ts';
import { limits } from './limits.ts';
import type { DataSummary, SetSummary } from './transients-describe.ts';
import type { TransientRequest } from './transients-request.ts';

/** A range of frequencies; sets that cover the same one share the band. */
export interface Band {
  /** Unique, fit for file names, such as `1386MHz`. */
  readonly name: string;
  readonly freqHz: number;
  readonly bandwidthHz: number;
}

/** A block with its band and its place in the time axis. */
export interface PlannedBlock extends Block {
  /** Unique in the plan; the same whenever the plan is made of the same inputs. */
  readonly id: string;
  readonly band: number;
  /** Rows times channels. */
  readonly visibilities: number;
}

/** One frame of a band, in order of time. */
export interface PlannedFrame {
  readonly block: number;
  /** Index within the block. */
  readonly index: number;
  readonly timeS: number;
  readonly dtS: number;
  readonly bin: number;
}

export interface TransientPlan {
  readonly request: TransientRequest;
  readonly sets: readonly SetSummary[];
  readonly imaging: ImagingSpec;
  readonly phaseCentre: Direction;
  readonly bands: readonly Band[];
  readonly blocks: readonly PlannedBlock[];
  /** `[band]` */
  readonly frames: readonly (readonly PlannedFrame[])[];
  readonly bins: TimeBins;
}

interface Piece {
  readonly summary: SetSummary;
  readonly data: DataSummary;
  readonly channels: readonly [number, number];
  readonly freqHz: number;
  readonly bandwidthHz: number;
}

/** The channel ranges of a data description: `count` parts, as equal as can be. */
function piecesOf(summary: SetSummary, data: DataSummary, count: number): Piece[] {
  const total = data.freq.length;
  const parts = Math.min(count, total);
  return Array.from({ length: parts }, (_, part) => {
    const start = Math.floor((part * total) / parts);
    const end = Math.floor(((part + 1) * total) / parts);
    const used = data.freq.subarray(start, end);
    const [low, high] = [Math.min(...used), Math.max(...used)];
    const spacing = used.length > 1 ? (high - low) / (used.length - 1) : data.channelWidthHz;
    return {
      summary,
      data,
      channels: [start, end],
      freqHz: (low + high) / 2,
      bandwidthHz: high - low + spacing,
    };
  });
}

/** Bands by rising frequency; pieces whose centres and widths agree to a tenth of the width share one. */
function groupBands(pieces: readonly Piece[]): { bands: Band[]; members: Piece[][] } {
  const sorted = [...pieces].sort((a, b) => a.freqHz - b.freqHz);
  const members: Piece[][] = [];
  for (const piece of sorted) {
    const same = members.find(([first]) => {
      const slack = 0.1 * Math.max(first!.bandwidthHz, 1);
      return (
        Math.abs(first!.freqHz - piece.freqHz) <= slack &&
        Math.abs(first!.bandwidthHz - piece.bandwidthHz) <= slack
      );
    });
    if (same === undefined) members.push([piece]);
    else same.push(piece);
  }
  const names = bandNames(members.map(([first]) => first!.freqHz));
  const bands = members.map(([first], k) => ({
    name: names[k]!,
    freqHz: first!.freqHz,
    bandwidthHz: first!.bandwidthHz,
  }));
  return { bands, members };
}

/** Centre frequencies in MHz with as few decimals as tell them apart. */
function bandNames(freqHz: readonly number[]): string[] {
  for (let decimals = 0; decimals < 6; decimals++) {
    const names = freqHz.map((hz) => `${(hz / 1e6).toFixed(decimals)}MHz`);
    if (new Set(names).size === names.length) return names;
  }
  return freqHz.map((hz, k) => `${(hz / 1e6).toFixed(3)}MHz-${k}`);
}

interface SlotFrame extends BlockFrame {
  readonly slots: readonly [number, number];
}

/** The frames of a set: runs of slots as equal as can be. Rows of a frame end half-way to the next slot. */
function framesOf({ timeS, intervalS }: SetSummary, intervalsOut: number | undefined): SlotFrame[] {
  const total = timeS.length;
  const count = Math.max(1, Math.min(intervalsOut ?? total, total));
  return Array.from({ length: count }, (_, k) => {
    const start = Math.floor((k * total) / count);
    const end = Math.floor(((k + 1) * total) / count);
    const from = timeS[start]! - intervalS[start]! / 2;
    const to = timeS[end - 1]! + intervalS[end - 1]! / 2;
    const untilS = end < total ? (timeS[end - 1]! + timeS[end]!) / 2 : Number.POSITIVE_INFINITY;
    return { slots: [start, end], timeS: (from + to) / 2, dtS: to - from, untilS };
  });
}

const rowsIn = (data: DataSummary, [start, end]: readonly [number, number]): number =>
  data.rows.subarray(start, end).reduce((sum, rows) => sum + rows, 0);

/** Bytes of a visibility as it is held and fitted: value, weight, mask, residual. */
export const visibilityBytes = 24;

/** Cuts the frames of a piece into blocks: within the memory of a task, and enough of them that all threads
 * have work. */
function blocksOf(piece: Piece, band: number, request: TransientRequest, threads: number): PlannedBlock[] {
  const { summary, data, channels } = piece;
  const frames = framesOf(summary, request.intervalsOut).filter(({ slots }) => rowsIn(data, slots) > 0);
  const width = channels[1] - channels[0];
  const imageBytes = 4 * request.npixX * request.npixY;
  const most = Math.max(1, Math.ceil(frames.length / (threads * limits.blocksPerThread)));
  const blocks: PlannedBlock[] = [];
  let open: SlotFrame[] = [];
  let bytes = 0;
  const close = (): void => {
    if (open.length === 0) return;
    const slots = [open[0]!.slots[0], open.at(-1)!.slots[1]] as const;
    const { set, fieldId, dataColumn } = summary;
    blocks.push({
      id: [request.sets.indexOf(set), data.id, ...channels, ...slots].join('-'),
      band,
      set,
      selection: { fieldId, dataDescriptionId: data.id, slots, channels, stokes: request.stokes, dataColumn },
      frames: open.map(({ timeS, dtS, untilS }) => ({ timeS, dtS, untilS })),
      visibilities: rowsIn(data, slots) * width,
    });
    open = [];
    bytes = 0;
  };
  for (const frame of frames) {
    const more = rowsIn(data, frame.slots) * width * visibilityBytes + imageBytes;
    // Frames of a block must follow one another, since its rows are read in one go.
    const gap = open.length > 0 && open.at(-1)!.slots[1] !== frame.slots[0];
    if (gap || open.length >= most || (open.length > 0 && bytes + more > limits.blockBytes)) close();
    open.push(frame);
    bytes += more;
  }
  close();
  return blocks;
}

/** The common phase centre. Throws `different-phase-centres`. */
function commonCentre(sets: readonly SetSummary[], pixsize: number): Direction {
  const { phaseCentre } = sets[0]!;
  for (const { phaseCentre: other, set } of sets) {
    const east = (other.raRad - phaseCentre.raRad) * Math.cos(phaseCentre.decRad);
    const apart = Math.hypot(Math.atan2(Math.sin(east), Math.cos(east)), other.decRad - phaseCentre.decRad);
    if (apart <= limits.centrePixels * pixsize) continue;
    throw new AsperitasError(
      'different-phase-centres',
      `${set.path} and ${sets[0]!.set.path} have phase centres ` +
        `${((apart * 180) / Math.PI).toFixed(4)} degrees ` +
        'apart: search them one by one, or change the phase centre of one of them first',
      { sets: [sets[0]!.set.path, set.path] },
    );
  }
  return phaseCentre;
}

/** The usual number of rows of a frame: baselines, as often as they were sampled. */
export function baselinesOf({ blocks }: Pick<TransientPlan, 'blocks'>): number {
  const rows = blocks.map(({ visibilities, frames, selection }) => {
    return visibilities / (selection.channels[1] - selection.channels[0]) / frames.length;
  });
  return median(rows);
}

/** Divides the work. Throws `different-phase-centres`.
 * @param threads executor threads of the cluster */
export function planTransients(
  request: TransientRequest,
  sets: readonly SetSummary[],
  threads: number,
): TransientPlan {
  const phaseCentre = commonCentre(sets, request.pixsize);
  const pieces = sets.flatMap((set) => set.data.flatMap((data) => piecesOf(set, data, request.bands)));
  const { bands, members } = groupBands(pieces);
  const share = Math.max(1, Math.ceil(threads / pieces.length));
  const blocks = members.flatMap((group, band) =>
    group.flatMap((piece) => blocksOf(piece, band, request, share)),
  );
  const bins = binTimes(
    bands.map((_, band) => blocks.filter((block) => block.band === band).flatMap(({ frames }) => frames)),
  );
  const frames = bands.map((_, band) =>
    blocks
      .flatMap((block, at) =>
        block.band === band
          ? block.frames.map(({ timeS, dtS }, index) => ({ block: at, index, timeS, dtS, bin: 0 }))
          : [],
      )
      .sort((a, b) => a.timeS - b.timeS)
      .map((frame) => ({ ...frame, bin: binOf(bins, frame.timeS) })),
  );
  const { npixX, npixY, pixsize, weighting, epsilon } = request;
  const geometry = { npixX, npixY, pixsizeX: pixsize, pixsizeY: pixsize };
  return {
    request,
    sets,
    imaging: { geometry, weighting, epsilon },
    phaseCentre,
    bands,
    blocks,
    frames,
    bins,
  };
}
