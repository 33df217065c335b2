/**
 * Owns the reading of one column's tiles in one cube: positions in the file, decoding of a tile's values into
 * host order (flags one byte each), and keeping of recent tiles. Must not know: cells and rows.
 */
import type { PagedSource } from './byte-source.ts';
import { unpacked } from './cell-placing.ts';
import { storedBytes, toHostOrder, unpackBits, valueCount, widthOf } from './data-type.ts';
import { limits } from './limits.ts';
import type { TileCache } from './storage-manager.ts';
import type { DataType } from './table.ts';
import { damaged } from './table-errors.ts';
import type { Cube } from './tiled-header.ts';

export interface TileFileOptions {
  readonly cube: Cube;
  /** Types of all columns that share the tiles. */
  readonly types: readonly DataType[];
  /** Which of them is read. */
  readonly column: number;
  readonly littleEndian: boolean;
  readonly tiles: TileCache;
}

/** Decoded values of a tile, from value `firstValue` of the tile on. */
export interface TileValues {
  readonly bytes: Uint8Array;
  readonly firstValue: number;
}

export class TileFile {
  readonly #source: PagedSource;
  readonly #cube: Cube;
  readonly #type: DataType;
  readonly #littleEndian: boolean;
  readonly #cache: TileCache;
  readonly #key: string;
  /** Values of a tile, and of one position on its last axis. */
  readonly tileValues: number;
  readonly #layerValues: number;
  /** Bytes of a tile with all its columns, and of those before this column's. */
  readonly #tileBytes: number;
  readonly #columnAt: number;
  /** Bytes of a tile's values in memory. */
  readonly memoryBytes: number;
  /** Whether this column has the tiles to itself. */
  readonly isAlone: boolean;

  constructor(source: PagedSource, { cube, types, column, littleEndian, tiles }: TileFileOptions) {
    this.#source = source;
    this.#cube = cube;
    this.#type = types[column];
    this.#littleEndian = littleEndian;
    this.#cache = tiles;
    this.#key = `${source.path}#${cube.offset}#${column}#`;
    this.tileValues = valueCount(cube.tile);
    this.#layerValues = valueCount(cube.tile.slice(0, -1));
    const bytes = types.map((type) => storedBytes(type, this.tileValues));
    this.#tileBytes = bytes.reduce((sum, part) => sum + part, 0);
    this.#columnAt = bytes.slice(0, column).reduce((sum, part) => sum + part, 0);
    this.isAlone = types.length === 1;
    this.memoryBytes = this.tileValues * widthOf(this.#type);
  }

  /** Throws `damaged-table` if the file ends before the tiles of positions up to `end` on the last axis. */
  checkReach(end: number | undefined, row: number): void {
    const { shape, tile, offset } = this.#cube;
    const last = shape.length - 1;
    const perLayer = shape.slice(0, -1).reduce((n, length, axis) => n * Math.ceil(length / tile[axis]), 1);
    const reached = Math.ceil((end ?? shape[last]) / tile[last]);
    // The last tile may be cut short behind its last row.
    const least = offset + (perLayer * reached - 1) * this.#tileBytes;
    if (perLayer * reached > 0 && least >= this.#source.size)
      throw damaged(this.#source.path, this.#source.size, `the file ends before the tiles of row ${row}`);
  }

  /** Fills `target` with stored values from value `firstValue` of a tile on, across tiles if alone. */
  async readValues(target: Uint8Array, tileNumber: number, firstValue: number): Promise<void> {
    const from = this.#start(tileNumber) + firstValue * widthOf(this.#type);
    await this.#source.readInto(target, from, `tile ${tileNumber}`);
  }

  /** A tile that was kept, decoded. */
  atHand(tileNumber: number): Uint8Array | undefined {
    return this.#cache.get(this.#key + tileNumber);
  }

  /** Decoded values that contain the wanted positions on the tile's last axis: mostly the whole tile. */
  async layers(tileNumber: number, wanted: { first: number; count: number }): Promise<TileValues> {
    const kept = this.atHand(tileNumber);
    if (kept !== undefined) return { bytes: kept, firstValue: 0 };
    if (this.#isComplete(tileNumber) && this.memoryBytes <= limits.cachedTileBytes) {
      const bytes = await this.#decode(tileNumber, 0, this.tileValues);
      this.#cache.set(this.#key + tileNumber, bytes, bytes.length);
      return { bytes, firstValue: 0 };
    }
    const firstValue = wanted.first * this.#layerValues;
    return {
      bytes: await this.#decode(tileNumber, firstValue, wanted.count * this.#layerValues),
      firstValue,
    };
  }

  /** Whether `bulk` is the way to read all of a tile: not if it is at hand, or other columns lie between. */
  isBulk(tileNumber: number): boolean {
    return (
      this.isAlone &&
      this.memoryBytes <= limits.cachedTileBytes &&
      this.#isComplete(tileNumber) &&
      this.atHand(tileNumber) === undefined
    );
  }

  /** Fills `target` with the decoded values of whole tiles that follow one another. They are not kept. */
  async bulk(tileNumber: number, target: Uint8Array): Promise<void> {
    const start = this.#start(tileNumber);
    const what = `tile ${tileNumber}`;
    if (this.#type !== 'bool') {
      await this.#source.readInto(target, start, what);
      toHostOrder(this.#type, target, this.#littleEndian);
      return;
    }
    const count = target.length / this.tileValues;
    const packed = await this.#source.bytes(start, count * this.#tileBytes, what);
    for (let k = 0; k < count; k++) {
      const flags = target.subarray(k * this.tileValues, (k + 1) * this.tileValues);
      unpackBits(packed.subarray(k * this.#tileBytes), 0, flags);
    }
  }

  #isComplete(tileNumber: number): boolean {
    return this.#start(tileNumber) + storedBytes(this.#type, this.tileValues) <= this.#source.size;
  }

  #start(tileNumber: number): number {
    return this.#cube.offset + tileNumber * this.#tileBytes + this.#columnAt;
  }

  async #decode(tileNumber: number, firstValue: number, count: number): Promise<Uint8Array> {
    const start = this.#start(tileNumber);
    const what = `tile ${tileNumber}`;
    if (this.#type === 'bool') {
      const from = Math.floor(firstValue / 8);
      const length = Math.ceil((firstValue + count) / 8) - from;
      return unpacked(await this.#source.bytes(start + from, length, what), firstValue - from * 8, count);
    }
    const width = widthOf(this.#type);
    this.#source.check(start + firstValue * width, count * width, what);
    const bytes = new Uint8Array(count * width);
    await this.#source.readInto(bytes, start + firstValue * width, what);
    toHostOrder(this.#type, bytes, this.#littleEndian);
    return bytes;
  }
}
