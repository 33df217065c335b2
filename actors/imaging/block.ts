/**
 * Owns blocks: consecutive frames of one set and one band that a task reads in one go and then takes apart.
 * Must not know: what is done with the frames.
 */
import type { TaskContext } from '../../scheduler/index.ts';
import type { ChunkSelection } from '../io/measurement-set/measurement-set.ts';
import type { StokesVisibilities } from '../visibility.ts';
import { withSet } from './set-access.ts';

/** Where a set lies: a site and the path there, absolute or below the site's data folder. */
export interface SetAddress {
  readonly site: string;
  readonly path: string;
}

/** When a frame was taken: centre and length, and the time before which its rows end; seconds, MJD UTC. */
export interface BlockFrame {
  readonly timeS: number;
  readonly dtS: number;
  readonly untilS: number;
}

/** Some frames of a set and band. Plain data that travels to where the set lies. */
export interface Block {
  readonly set: SetAddress;
  readonly selection: ChunkSelection;
  readonly frames: readonly BlockFrame[];
}

/** A block's visibilities as a whole and as frames, which share its arrays. */
export interface BlockVisibilities {
  readonly whole: StokesVisibilities;
  readonly frames: readonly StokesVisibilities[];
}

export async function readBlock(context: TaskContext, block: Block): Promise<BlockVisibilities> {
  const chunk = await withSet(context, block.set.path, (set) =>
    set.readChunk(block.selection, context.signal),
  );
  const channels = chunk.freq.length;
  const rows = chunk.time.length;
  let end = 0;
  const frames = block.frames.map(({ untilS }, index) => {
    const start = end;
    // Rows are ordered by time; the last frame takes what rounding may have left.
    while (end < rows && (index === block.frames.length - 1 || chunk.time[end]! < untilS)) end++;
    const [from, to] = [start * channels, end * channels];
    return {
      uvw: chunk.uvw.subarray(3 * start, 3 * end),
      freq: chunk.freq,
      vis: chunk.vis.subarray(2 * from, 2 * to),
      weight: chunk.weight.subarray(from, to),
      mask: chunk.mask.subarray(from, to),
    };
  });
  return { whole: chunk, frames };
}
