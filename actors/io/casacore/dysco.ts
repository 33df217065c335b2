/**
 * Owns DyscoStMan, lossy compression of visibilities and their weights (Offringa 2016, A&A 595, A99):
 * symbols of a few bits that index a table of quantiles, scaled by factors of channels, antennas or rows.
 * Its file is little-endian in every table. Must not know: what else is in the table, except the two
 * antennas of a row.
 */
import { AipsReader } from './aips-io.ts';
import type { PagedSource } from './byte-source.ts';
import { cellCut } from './cell-cut.ts';
import { placeCells } from './cell-placing.ts';
import { CellBuffer, valueCount } from './data-type.ts';
import { DyscoSymbols, quantileTable } from './dysco-symbols.ts';
import { partOf, type RowRuns } from './row-runs.ts';
import type { CellShape, ColumnReader, Fill, ManagerContext, StorageManager } from './storage-manager.ts';
import type { ColumnDescription } from './table-description.ts';
import { damaged, unsupported } from './table-errors.ts';

/** How the values of a block are scaled: by antennas and channels, by rows and channels, or by rows. */
const ANTENNAS = 0;
const ROW_AND_CHANNELS = 1;
const ROWS = 2;

interface Header {
  readonly blocksAt: number;
  readonly rowsPerBlock: number;
  readonly antennas: number;
  readonly blockBytes: number;
  readonly dataBits: number;
  readonly weightBits: number;
  readonly scaling: number;
  /** The value of each symbol before scaling. */
  readonly quantiles: Float32Array;
}

/** A column's place in a block: scaling factors, then symbols. */
interface Layout {
  readonly at: number;
  readonly shape: CellShape;
  readonly isWeight: boolean;
  readonly bits: number;
  readonly factors: number;
  readonly symbolsPerRow: number;
}

/** Rows of one block. */
interface BlockRows {
  readonly block: number;
  readonly first: number;
  readonly count: number;
  readonly at: number;
}

const HEAD_BYTES = 4096;

function readHeader(bytes: Uint8Array, source: PagedSource): Header {
  const reader = new AipsReader({ bytes, file: source.path, littleEndian: true });
  const blocksAt = reader.u32();
  reader.u32();
  reader.u32();
  reader.string();
  const rowsPerBlock = reader.u32();
  const antennas = reader.u32();
  const blockBytes = reader.u32();
  const version = `${reader.u16()}.${reader.u16()}`;
  if (version !== '1.0') throw unsupported(source.path, `version ${version} of DyscoStMan`);
  const dataBits = reader.u8();
  const weightBits = reader.u8();
  const distribution = reader.u8();
  const scaling = reader.u8();
  reader.double();
  const truncation = reader.double();
  const isLegal = (bits: number) => bits >= 1 && bits <= 16;
  if (rowsPerBlock === 0 || !isLegal(dataBits) || !isLegal(weightBits) || scaling > ROWS)
    throw reader.damaged(`${rowsPerBlock} rows a block in ${dataBits} and ${weightBits} bits`);
  const quantiles = quantileTable(distribution, dataBits, truncation);
  if (quantiles === undefined) throw unsupported(source.path, `distribution ${distribution} of DyscoStMan`);
  return { blocksAt, rowsPerBlock, antennas, blockBytes, dataBits, weightBits, scaling, quantiles };
}

function layoutColumns(header: Header, columns: readonly ColumnDescription[], file: string): Layout[] {
  let at = 0;
  const layouts = columns.map((column): Layout => {
    const shape = column.fixedShape ?? [];
    const isWeight = column.type === 'float';
    if (shape.length !== 2 || (!isWeight && column.type !== 'complex'))
      throw damaged(
        file,
        0,
        `column ${column.name} of type ${column.type} and shape [${shape}] in DyscoStMan`,
      );
    const [correlations, channels] = shape;
    const symbolsPerRow = isWeight ? channels : correlations * channels * 2;
    const bits = isWeight ? header.weightBits : header.dataBits;
    const factors = isWeight ? 1 : factorCount(header, correlations, channels);
    const layout = { at, shape, isWeight, bits, factors, symbolsPerRow };
    at += 4 * factors + Math.ceil((header.rowsPerBlock * symbolsPerRow * bits) / 8);
    return layout;
  });
  if (at !== header.blockBytes) throw damaged(file, 0, `blocks of ${header.blockBytes} bytes, not ${at}`);
  return layouts;
}

function factorCount({ scaling, rowsPerBlock, antennas }: Header, correlations: number, channels: number) {
  if (scaling === ROWS) return rowsPerBlock;
  return correlations * channels + correlations * (scaling === ANTENNAS ? antennas : rowsPerBlock);
}

/** Opens table.fN of a DyscoStMan. */
export async function openDyscoStMan(context: ManagerContext): Promise<StorageManager> {
  const { manager, files, rowCount } = context;
  const source = await files.open(`table.f${manager.sequence}`);
  const header = readHeader(await source.bytes(0, Math.min(HEAD_BYTES, source.size)), source);
  const layouts = layoutColumns(header, manager.columns, source.path);
  if (rowCount > 0) source.check(header.blocksAt, header.blockBytes, 'the first block');
  return { column: (index) => new DyscoColumn(context, source, header, layouts[index]) };
}

class DyscoColumn implements ColumnReader {
  readonly #context: ManagerContext;
  readonly #source: PagedSource;
  readonly #header: Header;
  readonly #layout: Layout;

  constructor(context: ManagerContext, source: PagedSource, header: Header, layout: Layout) {
    this.#context = context;
    this.#source = source;
    this.#header = header;
    this.#layout = layout;
  }

  async shapes(rows: RowRuns): Promise<(CellShape | undefined)[]> {
    return new Array<CellShape>(rows.count).fill(this.#layout.shape);
  }

  async fill(request: Fill): Promise<void> {
    for (const rows of this.#blocks(request.rows)) await this.#fillBlock(request, rows);
  }

  *#blocks(rows: RowRuns): Generator<BlockRows> {
    const { rowsPerBlock } = this.#header;
    for (const run of rows.runs)
      for (let done = 0; done < run.count; ) {
        const row = run.row + done;
        const block = Math.floor(row / rowsPerBlock);
        const first = row - block * rowsPerBlock;
        const count = Math.min(run.count - done, rowsPerBlock - first);
        yield { block, first, count, at: run.at + done };
        done += count;
      }
  }

  async #fillBlock(request: Fill, rows: BlockRows): Promise<void> {
    const { blocksAt, blockBytes } = this.#header;
    const { at, factors: factorCount, symbolsPerRow, bits, isWeight, shape } = this.#layout;
    const blockAt = blocksAt + rows.block * blockBytes;
    // A block that was never written stands for zeros.
    if (blockAt >= this.#source.size) return;
    const factors = floats(await this.#source.bytes(blockAt + at, factorCount * 4, 'scaling factors'));
    const firstBit = rows.first * symbolsPerRow * bits;
    const from = Math.floor(firstBit / 8);
    const length = Math.ceil((firstBit + rows.count * symbolsPerRow * bits) / 8) - from;
    const symbolsAt = blockAt + at + factorCount * 4 + from;
    const symbols = new DyscoSymbols(await this.#source.bytes(symbolsAt, length, 'symbols'), bits);
    const cell = new Float32Array(valueCount(shape) * (isWeight ? 1 : 2));
    const stored = new Uint8Array(cell.buffer);
    const antennas = await this.#antennasOf(request.rows, rows);
    for (let i = 0; i < rows.count; i++) {
      const firstSymbolBit = firstBit - from * 8 + i * symbolsPerRow * bits;
      if (isWeight) this.#decodeWeights(cell, symbols, firstSymbolBit, factors[0]);
      else {
        const scale = this.#scaleOf(factors, rows.first + i, antennas?.slice(2 * i, 2 * i + 2));
        this.#decodeData(cell, symbols, firstSymbolBit, scale);
      }
      placeCells(request, { at: rows.at + i, count: 1, stored });
    }
  }

  /** A weight is shared by all correlations of a channel. */
  #decodeWeights(cell: Float32Array, symbols: DyscoSymbols, firstBit: number, largest: number): void {
    const [correlations, channels] = this.#layout.shape;
    const scale = largest / (2 ** this.#layout.bits - 1);
    for (let channel = 0; channel < channels; channel++)
      cell.fill(
        symbols.at(firstBit + channel * this.#layout.bits) * scale,
        channel * correlations,
        (channel + 1) * correlations,
      );
  }

  #decodeData(cell: Float32Array, symbols: DyscoSymbols, firstBit: number, scale: Float64Array): void {
    const { quantiles } = this.#header;
    const { bits } = this.#layout;
    for (let i = 0, bit = firstBit; i < cell.length; i++, bit += bits)
      cell[i] = quantiles[symbols.at(bit)] * scale[i >> 1];
  }

  /** The factor of every value of a row, `[channel, correlation]`. */
  #scaleOf(factors: Float32Array, row: number, antennas?: Int32Array): Float64Array {
    const [correlations, channels] = this.#layout.shape;
    const { scaling, antennas: antennaCount } = this.#header;
    const count = correlations * channels;
    const scale = new Float64Array(count);
    if (scaling === ROWS) return scale.fill(factors[row]);
    const [one, two] = antennas ?? [0, 0];
    for (let correlation = 0; correlation < correlations; correlation++) {
      const from = count + correlation * antennaCount;
      const ofRow =
        scaling === ROW_AND_CHANNELS
          ? factors[count + row * correlations + correlation]
          : factors[from + one] * factors[from + two];
      for (let i = correlation; i < count; i += correlations) scale[i] = factors[i] * ofRow;
    }
    return scale;
  }

  /** Pairs of antennas of the rows, where the scaling needs them. */
  async #antennasOf(rows: RowRuns, block: BlockRows): Promise<Int32Array | undefined> {
    if (this.#layout.isWeight || this.#header.scaling !== ANTENNAS) return undefined;
    const wanted = partOf(rows, block.at, block.count);
    const pairs = new Int32Array(block.count * 2);
    for (const [place, name] of ['ANTENNA1', 'ANTENNA2'].entries()) {
      const reader = await this.#context.sibling(name);
      const buffer = new CellBuffer('int', block.count);
      await reader.fill({ rows: wanted, cut: cellCut([]), buffer });
      const numbers = buffer.values as Int32Array;
      for (let i = 0; i < block.count; i++) {
        if (numbers[i] < 0 || numbers[i] >= this.#header.antennas)
          throw damaged(this.#source.path, 0, `antenna ${numbers[i]} of ${this.#header.antennas}`);
        pairs[2 * i + place] = numbers[i];
      }
    }
    return pairs;
  }
}

/** Little-endian floats, copied to an aligned place. */
function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
