/**
 * Owns the division of a field into the images of `asperitas image`: intervals of time steps and ranges of
 * channels by the rules of WSClean, and what is read in one go. Pure. Must not know: files, gridding.
 */
import { AsperitasError } from '../../runtime/index.ts';
import { chunkSize } from '../io/measurement-set/chunk-reader.ts';
import type { Band } from '../io/measurement-set/measurement-set.ts';
import type { TimeSlot } from '../io/measurement-set/row-index.ts';
import type { ImagesRequest, Range } from './images-request.ts';

/** What is known of a field before anything is read of its visibilities. */
export interface ImagedField {
  readonly slots: readonly TimeSlot[];
  readonly bands: readonly Band[];
}

/** Channels `[start, end)` of a data description, in stored order. */
export interface ChannelRun {
  readonly dataDescriptionId: number;
  readonly channels: Range;
}

/** The channels of one image. */
export interface OutputChannel {
  readonly index: number;
  readonly runs: readonly ChannelRun[];
  /** Place among all frequencies, ascending. */
  readonly range: Range;
  /** Hz, outer edges of the lowest and the highest channel. */
  readonly lowHz: number;
  readonly highHz: number;
}

/** The time steps of one image. */
export interface OutputInterval {
  readonly index: number;
  readonly slots: Range;
  /** Seconds MJD UTC, centre of the first integration. */
  readonly startS: number;
  /** Seconds from the start of the first integration to the end of the last one. */
  readonly durationS: number;
}

export interface ImagesPlan {
  readonly intervals: readonly OutputInterval[];
  readonly channels: readonly OutputChannel[];
}

function refuse(option: string, value: string, wanted: string): AsperitasError {
  return new AsperitasError('bad-option', `--${option} ${value}: ${wanted}`, { option, value });
}

/** A range that lies within `count` things, or an error that says how many there are. */
function checkRange(option: string, [start, end]: Range, count: number, things: string): Range {
  const value = `${start} ${end}`;
  if (start >= end) throw refuse(option, value, 'it is empty: the second number must be above the first');
  if (end <= count) return [start, end];
  throw refuse(option, value, `there are only ${count} ${things}, counted from 0`);
}

function intervalsOf({ slots }: ImagedField, request: ImagesRequest): OutputInterval[] {
  const asked = request.interval ?? [0, slots.length];
  const [first, end] = checkRange('interval', asked, slots.length, 'time steps in the field');
  const count = request.intervalsOut;
  const total = end - first;
  if (count > total) {
    throw refuse('intervals-out', String(count), `there are only ${total} time steps to share out`);
  }
  return Array.from({ length: count }, (_, index) => {
    const from = first + Math.floor((index * total) / count);
    const until = first + Math.floor(((index + 1) * total) / count);
    const [a, b] = [slots[from]!, slots[until - 1]!];
    const startEdge = a.timeMjdSeconds - a.intervalSeconds / 2;
    return {
      index,
      slots: [from, until],
      startS: a.timeMjdSeconds,
      durationS: b.timeMjdSeconds + b.intervalSeconds / 2 - startEdge,
    };
  });
}

/** The bands that `--spws` leaves. */
function usedBands({ bands }: ImagedField, spws: readonly number[] | undefined): readonly Band[] {
  if (spws === undefined) return bands;
  const present = new Set(bands.map(({ spectralWindowId }) => spectralWindowId));
  for (const id of spws) {
    if (present.has(id)) continue;
    const known = [...present].sort((a, b) => a - b).join(', ');
    throw refuse('spws', String(id), `the field has data in spectral windows ${known}`);
  }
  return bands.filter(({ spectralWindowId }) => spws.includes(spectralWindowId));
}

interface Frequency {
  readonly hz: number;
  readonly widthHz: number;
}

/** All frequencies, ascending; one that several bands share counts once, as in WSClean. */
function frequenciesOf(bands: readonly Band[]): Frequency[] {
  const widths = new Map<number, number>();
  for (const { spectralWindow } of bands) {
    const { freq, width } = spectralWindow;
    // A writer that left CHAN_WIDTH out meant the spacing.
    const spacing = freq.length > 1 ? Math.abs(freq.at(-1)! - freq[0]!) / (freq.length - 1) : 0;
    freq.forEach((hz, chan) => {
      const stored = Math.abs(width[chan]!);
      if (!widths.has(hz)) widths.set(hz, stored > 0 ? stored : spacing);
    });
  }
  return [...widths].map(([hz, widthHz]) => ({ hz, widthHz })).sort((a, b) => a.hz - b.hz);
}

/** The runs of channels of a band between two frequencies, both included: one, unless its order is odd. */
function runsBetween({ id, spectralWindow }: Band, lowest: number, highest: number): ChannelRun[] {
  const runs: { dataDescriptionId: number; channels: [number, number] }[] = [];
  spectralWindow.freq.forEach((hz, chan) => {
    if (hz < lowest || hz > highest) return;
    const last = runs.at(-1);
    if (last?.channels[1] === chan) last.channels[1] = chan + 1;
    else runs.push({ dataDescriptionId: id, channels: [chan, chan + 1] });
  });
  return runs;
}

function channelsOf(field: ImagedField, request: ImagesRequest): OutputChannel[] {
  const bands = usedBands(field, request.spws);
  const all = frequenciesOf(bands);
  const asked = request.channelRange ?? [0, all.length];
  const [first, end] = checkRange('channel-range', asked, all.length, 'channels');
  const count = request.channelsOut;
  const total = end - first;
  if (count > total) {
    throw refuse('channels-out', String(count), `there are only ${total} channels to share out`);
  }
  return Array.from({ length: count }, (_, index) => {
    const from = first + Math.floor((index * total) / count);
    const until = first + Math.floor(((index + 1) * total) / count);
    const [low, high] = [all[from]!, all[until - 1]!];
    return {
      index,
      runs: bands.flatMap((band) => runsBetween(band, low.hz, high.hz)),
      range: [from, until],
      lowHz: low.hz - low.widthHz / 2,
      highHz: high.hz + high.widthHz / 2,
    };
  });
}

/** Divides a field. Throws `bad-option` where there are fewer time steps or channels than asked for. */
export function planImages(field: ImagedField, request: ImagesRequest): ImagesPlan {
  return { intervals: intervalsOf(field, request), channels: channelsOf(field, request) };
}

/** What is read in one go: all images of some channels in one block of time, or one image in several. */
export interface ReadingPass {
  readonly channels: readonly OutputChannel[];
  /** Time steps `[start, end)`. */
  readonly blocks: readonly Range[];
}

/** Bytes of the visibilities of some channels in a time step. */
function slotBytes({ rows }: TimeSlot, channels: readonly OutputChannel[]): number {
  let bytes = 0;
  for (const { runs } of channels) {
    for (const { dataDescriptionId, channels: range } of runs) {
      bytes += chunkSize(rows.get(dataDescriptionId) ?? 0, range[1] - range[0]);
    }
  }
  return bytes;
}

/** Time steps in blocks of at most `limitBytes`, or of one step. */
function blocksOf(
  slots: readonly TimeSlot[],
  [start, end]: Range,
  channel: OutputChannel,
  limitBytes: number,
) {
  const blocks: Range[] = [];
  let [from, bytes] = [start, 0];
  for (let slot = start; slot < end; slot++) {
    const more = slotBytes(slots[slot]!, [channel]);
    if (slot > from && bytes + more > limitBytes) {
      blocks.push([from, slot]);
      [from, bytes] = [slot, 0];
    }
    bytes += more;
  }
  return [...blocks, [from, end] as const];
}

/** The passes over an interval, each within `limitBytes` if a single time step is. */
export function planPasses(
  slots: readonly TimeSlot[],
  interval: OutputInterval,
  channels: readonly OutputChannel[],
  limitBytes: number,
): ReadingPass[] {
  const within = slots.slice(...interval.slots);
  const passes: ReadingPass[] = [];
  let together: OutputChannel[] = [];
  let sum = 0;
  const finish = () => {
    if (together.length > 0) passes.push({ channels: together, blocks: [interval.slots] });
    [together, sum] = [[], 0];
  };
  for (const channel of channels) {
    const bytes = within.reduce((total, slot) => total + slotBytes(slot, [channel]), 0);
    if (sum + bytes > limitBytes) finish();
    if (bytes > limitBytes) {
      passes.push({ channels: [channel], blocks: blocksOf(slots, interval.slots, channel, limitBytes) });
      continue;
    }
    together.push(channel);
    sum += bytes;
  }
  finish();
  return passes;
}
