/**
 * Owns the copying of a box of values out of the tiles that it touches. Neighbouring tiles that are wanted
 * whole are read together, the next ones while the last are copied; others come through the cache of tiles.
 * Must not know: which rows and cells a box stands for.
 */
import { copyBox, stridesOf } from './cell-cut.ts';
import { limits } from './limits.ts';
import type { TileFile } from './tile-file.ts';
import type { Cube } from './tiled-header.ts';

/** What is wanted of a cube, and where it goes; positions count values. */
export interface GatherRequest {
  readonly cube: Cube;
  readonly tiles: TileFile;
  readonly starts: readonly number[];
  readonly counts: readonly number[];
  /** Bytes of a value in memory. */
  readonly width: number;
  readonly target: Uint8Array;
  readonly targetStart: number;
}

/** The part of the box that lies in one tile. */
interface TilePart {
  readonly tileNumber: number;
  readonly counts: readonly number[];
  readonly sourceStart: number;
  readonly targetStart: number;
  /** The positions on the tile's last axis. */
  readonly layers: { readonly first: number; readonly count: number };
  /** Whether all of the tile that lies in the cube is wanted. */
  readonly isWhole: boolean;
}

function* tileParts({ cube, starts, counts: wanted, targetStart }: GatherRequest): Generator<TilePart> {
  const { shape, tile } = cube;
  const targetStrides = stridesOf(wanted);
  const tileStrides = stridesOf(tile);
  const perAxis = shape.map((length, axis) => Math.ceil(length / tile[axis]));
  const firstTile = starts.map((start, axis) => Math.floor(start / tile[axis]));
  const endTile = starts.map((start, axis) => Math.ceil((start + wanted[axis]) / tile[axis]));
  const index = [...firstTile];
  const last = tile.length - 1;
  for (;;) {
    let tileNumber = 0;
    let sourceStart = 0;
    let place = targetStart;
    let isWhole = true;
    let first = 0;
    const counts: number[] = [];
    for (let axis = last; axis >= 0; axis--) {
      const tileAt = index[axis] * tile[axis];
      tileNumber = tileNumber * perAxis[axis] + index[axis];
      const low = Math.max(starts[axis], tileAt);
      const high = Math.min(starts[axis] + wanted[axis], tileAt + tile[axis]);
      counts[axis] = high - low;
      isWhole &&= low === tileAt && high === Math.min(shape[axis], tileAt + tile[axis]);
      sourceStart += (low - tileAt) * tileStrides[axis];
      place += (low - starts[axis]) * targetStrides[axis];
      if (axis === last) first = low - tileAt;
    }
    const layers = { first, count: counts[last] };
    yield { tileNumber, counts, sourceStart, targetStart: place, layers, isWhole };
    let axis = 0;
    for (; axis <= last; axis++) {
      if (++index[axis] < endTile[axis]) break;
      index[axis] = firstTile[axis];
    }
    if (axis > last) return;
  }
}

/** Parts in tiles that follow one another in the file and are wanted whole; or one part of another kind. */
interface Run {
  readonly parts: TilePart[];
  readonly isBulk: boolean;
}

function* runsOf(request: GatherRequest): Generator<Run> {
  const { tiles } = request;
  const most = Math.max(1, Math.floor(limits.bulkBytes / tiles.memoryBytes));
  let run: Run | undefined;
  for (const part of tileParts(request)) {
    const isBulk = part.isWhole && tiles.isBulk(part.tileNumber);
    const follows =
      run?.isBulk === true && isBulk && run.parts[0].tileNumber + run.parts.length === part.tileNumber;
    if (run !== undefined && follows && run.parts.length < most) run.parts.push(part);
    else {
      if (run !== undefined) yield run;
      run = { parts: [part], isBulk };
    }
  }
  if (run !== undefined) yield run;
}

/** Decoded values, from value `firstValue` of the run's first tile on. */
interface Loaded {
  readonly run: Run;
  readonly bytes: Uint8Array;
  readonly firstValue: number;
}

/** Copies a box out of its tiles. Throws `damaged-table` where the file ends before them. */
export async function gatherTiles(request: GatherRequest): Promise<void> {
  const last = request.counts.length - 1;
  if (request.counts[last] < request.cube.tile[last]) await gatherFew(request);
  else await gatherMany(request);
}

/** A few rows, which need no tile whole: scattered ones come one by one and find the tile at hand. */
async function gatherFew(request: GatherRequest): Promise<void> {
  const { cube, tiles, width, target, counts } = request;
  const sourceStrides = stridesOf(cube.tile);
  const targetStrides = stridesOf(counts);
  for (const part of tileParts(request)) {
    const { tileNumber, layers, targetStart } = part;
    const kept = tiles.atHand(tileNumber);
    const { bytes, firstValue } =
      kept === undefined ? await tiles.layers(tileNumber, layers) : { bytes: kept, firstValue: 0 };
    const source = { source: bytes, sourceStart: part.sourceStart - firstValue, sourceStrides };
    copyBox({ counts: part.counts, width, ...source, target, targetStart, targetStrides });
  }
}

/** Many rows, which need most tiles whole. */
async function gatherMany(request: GatherRequest): Promise<void> {
  const { cube, tiles, width, target, counts } = request;
  const sourceStrides = stridesOf(cube.tile);
  const targetStrides = stridesOf(counts);
  const spare: Uint8Array[] = [];
  const load = async (run: Run): Promise<Loaded> => {
    const { tileNumber, layers } = run.parts[0];
    if (!run.isBulk) return { run, ...(await tiles.layers(tileNumber, layers)) };
    const size = run.parts.length * tiles.memoryBytes;
    const kept = spare.pop();
    const memory = kept !== undefined && kept.length >= size ? kept : new Uint8Array(size);
    await tiles.bulk(tileNumber, memory.subarray(0, size));
    return { run, bytes: memory, firstValue: 0 };
  };
  const copy = ({ run, bytes, firstValue }: Loaded) => {
    run.parts.forEach((part, k) => {
      const sourceStart = part.sourceStart - firstValue + (run.isBulk ? k * tiles.tileValues : 0);
      const source = { source: bytes, sourceStart, sourceStrides };
      copyBox({
        counts: part.counts,
        width,
        ...source,
        target,
        targetStart: part.targetStart,
        targetStrides,
      });
    });
    if (run.isBulk) spare.push(bytes);
  };
  let ahead: Promise<Loaded> | undefined;
  for (const run of runsOf(request)) {
    const next = load(run);
    // It is awaited below, but not where reading fails before that.
    next.catch(() => {});
    if (ahead !== undefined) copy(await ahead);
    ahead = next;
  }
  if (ahead !== undefined) copy(await ahead);
}
