/**
 * Owns the reading of visibilities for images: each block of a pass is read once where it is the only one,
 * and again for every look where there are several. Must not know: weights, gridding, output files.
 */
import { type ChannelPart, joinChannels } from '../imaging/join-channels.ts';
import type { ChunkSelection, MeasurementSet } from '../io/measurement-set/measurement-set.ts';
import type { StokesVisibilities, VisibilityChunk } from '../visibility.ts';
import type { OutputChannel, ReadingPass } from './images-plan.ts';

/** What all chunks of a run have in common. */
export interface ReadingOptions {
  readonly fieldId: number;
  readonly stokes: ChunkSelection['stokes'];
  readonly dataColumn: string;
  readonly signal: AbortSignal;
}

/** A chunk and the channel of its spectral window that it begins with. */
interface ReadBand {
  readonly firstChannel: number;
  readonly chunk: VisibilityChunk;
}

/** Channels `[start, end)` of each data description that the images of a pass need. */
function channelsNeeded({ channels }: ReadingPass): Map<number, [number, number]> {
  const needed = new Map<number, [number, number]>();
  for (const { dataDescriptionId, channels: range } of channels.flatMap(({ runs }) => runs)) {
    const known = needed.get(dataDescriptionId) ?? [range[0], range[1]];
    needed.set(dataDescriptionId, [Math.min(known[0], range[0]), Math.max(known[1], range[1])]);
  }
  return needed;
}

/** The visibilities of one pass. */
export class PassReader {
  readonly #set: MeasurementSet;
  readonly #options: ReadingOptions;
  readonly #pass: ReadingPass;
  #kept: Map<number, ReadBand> | undefined;

  constructor(set: MeasurementSet, options: ReadingOptions, pass: ReadingPass) {
    this.#set = set;
    this.#options = options;
    this.#pass = pass;
  }

  /** The visibilities of an image, block by block; bands with the same rows come joined. Throws what
   * `MeasurementSet.readChunk` throws. */
  async *frames(channel: OutputChannel): AsyncGenerator<StokesVisibilities> {
    for (const block of this.#pass.blocks) {
      const bands = this.#kept ?? (await this.#read(block));
      if (this.#pass.blocks.length === 1) this.#kept = bands;
      const parts: ChannelPart[] = channel.runs.map(({ dataDescriptionId, channels: [start, end] }) => {
        const { firstChannel, chunk } = bands.get(dataDescriptionId)!;
        return { visibilities: chunk, channels: [start - firstChannel, end - firstChannel] };
      });
      yield* joinChannels(parts);
    }
  }

  async #read(slots: readonly [number, number]): Promise<Map<number, ReadBand>> {
    const { signal, ...common } = this.#options;
    const bands = new Map<number, ReadBand>();
    for (const [dataDescriptionId, channels] of channelsNeeded(this.#pass)) {
      const selection = { ...common, dataDescriptionId, slots, channels };
      bands.set(dataDescriptionId, {
        firstChannel: channels[0],
        chunk: await this.#set.readChunk(selection, signal),
      });
    }
    return bands;
  }
}
