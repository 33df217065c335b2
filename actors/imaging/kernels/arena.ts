/**
 * Owns the memory that the WebAssembly kernels work in: one growing memory a thread, handed out as a stack.
 * Everything allocated during `withArena` is released when it returns; a memory that has grown beyond
 * `limits.keptArenaBytes` is then dropped whole, since WebAssembly memories cannot shrink.
 * Must not know: what is stored in it.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import { instantiateKernels } from './load-kernels.ts';

/** Bounds of the imaging kernels. */
export const limits = {
  /** What a thread keeps of its arena between calls: enough for frames of a thousand pixels a side. */
  keptArenaBytes: 256 * 2 ** 20,
  /** A WebAssembly memory has 32-bit addresses; the last page stays unused so that no end overflows. */
  arenaBytes: 2 ** 32 - 2 ** 16,
} as const;

type Transform = (
  data: number,
  length: number,
  stride: number,
  line0: number,
  line1: number,
  in0: number,
  in1: number,
  out0: number,
  out1: number,
  work0: number,
  work1: number,
  twiddles: number,
) => void;
type Spread = (
  first: number,
  last: number,
  plane: number,
  base: number,
  stride: number,
  taps: number,
  support: number,
  degree: number,
  wTaps: number,
  wDegree: number,
  scratch: number,
) => void;
type Locate = (
  pass: number,
  sparse: number,
  uvw: number,
  freq: number,
  vis: number,
  rows: number,
  chans: number,
  parameters: number,
  slots: number,
  records: number,
  firstIndex: number,
) => void;
type Row = (plane: number, cosines: number, sines: number, image: number, count: number) => void;
type FoldColumns = (
  plane: number,
  stride: number,
  sizeU: number,
  border: number,
  row0: number,
  row1: number,
) => void;
type FoldRows = (plane: number, stride: number, sizeU: number, sizeV: number, border: number) => void;

/** The kernels that exist once for each precision. Addresses are bytes into the arena. */
export interface PrecisionKernels {
  readonly rows: Transform;
  readonly columns: Transform;
  readonly locate: Locate;
  readonly gather: (records: number, count: number, out: number) => void;
  readonly grid: Spread;
  readonly degrid: Spread;
  readonly screen: (n: number, count: number, w: number, cosines: number, sines: number) => void;
  readonly mirror: (half: number, row: number, count: number) => void;
  readonly addRow: Row;
  readonly setRow: Row;
  readonly foldColumns: FoldColumns;
  readonly foldRows: FoldRows;
  readonly unfoldColumns: FoldColumns;
  readonly unfoldRows: FoldRows;
}

/** What assembly/imaging.as.ts exports. */
export type ImagingExports = {
  readonly [K in keyof PrecisionKernels as `${K}32` | `${K}64`]: PrecisionKernels[K];
} & {
  readonly firstRecords: (slots: number, count: number) => number;
  readonly unturn: (
    uvw: number,
    freq: number,
    out: number,
    rows: number,
    chans: number,
    parameters: number,
  ) => void;
  readonly zero: (from: number, bytes: number) => void;
  readonly rowMaxima: (
    residual: number,
    mask: number,
    stride: number,
    y0: number,
    y1: number,
    rowMax: number,
  ) => void;
  readonly subtract: (
    residual: number,
    stride: number,
    x0: number,
    x1: number,
    y0: number,
    y1: number,
    psf: number,
    psfStride: number,
    px0: number,
    py0: number,
    flux: number,
  ) => void;
};

/** Bits of the floats that a grid is kept in. */
export type Precision = 32 | 64;

/** The kernels of one precision. */
export function ofPrecision(kernels: ImagingExports, precision: Precision): PrecisionKernels {
  const k = kernels;
  return precision === 32
    ? {
        rows: k.rows32,
        columns: k.columns32,
        locate: k.locate32,
        gather: k.gather32,
        grid: k.grid32,
        degrid: k.degrid32,
        screen: k.screen32,
        mirror: k.mirror32,
        addRow: k.addRow32,
        setRow: k.setRow32,
        foldColumns: k.foldColumns32,
        foldRows: k.foldRows32,
        unfoldColumns: k.unfoldColumns32,
        unfoldRows: k.unfoldRows32,
      }
    : {
        rows: k.rows64,
        columns: k.columns64,
        locate: k.locate64,
        gather: k.gather64,
        grid: k.grid64,
        degrid: k.degrid64,
        screen: k.screen64,
        mirror: k.mirror64,
        addRow: k.addRow64,
        setRow: k.setRow64,
        foldColumns: k.foldColumns64,
        foldRows: k.foldRows64,
        unfoldColumns: k.unfoldColumns64,
        unfoldRows: k.unfoldRows64,
      };
}

/** A thread's WebAssembly memory and the kernels on it. Views are valid until the next allocation. */
export class Arena {
  readonly #memory = new WebAssembly.Memory({ initial: 2, maximum: 65536 });
  readonly kernels: ImagingExports;
  #top = 1024; // address 0 stays free: the kernels take it as "absent"

  constructor() {
    this.kernels = instantiateKernels(this.#memory);
  }

  /** The address of `bytes` fresh bytes, aligned to 64. Their contents are undefined. */
  allocate(bytes: number): number {
    const address = this.#top;
    const end = address + Math.ceil(bytes / 64) * 64;
    if (end > limits.arenaBytes) {
      throw new AsperitasError(
        'image-too-large',
        `gridding needs ${Math.ceil(end / 2 ** 20)} MiB in one piece, of 4095 at most: ask for fewer pixels`,
        { neededBytes: end },
      );
    }
    const missing = end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / 65536));
    this.#top = end;
    return address;
  }

  #grow(pages: number): void {
    try {
      this.#memory.grow(pages);
    } catch (cause) {
      throw new AsperitasError(
        'image-too-large',
        `gridding needs ${pages / 16} MiB more than the system gives: ask for fewer pixels`,
        { missingBytes: pages * 65536 },
        { cause },
      );
    }
  }

  get sizeBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  f32(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  f64(address: number, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#memory.buffer, address, length);
  }

  i32(address: number, length: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  /** Runs `work` and releases what it allocated. */
  scope<T>(work: () => T): T {
    const top = this.#top;
    try {
      return work();
    } finally {
      this.#top = top;
    }
  }
}

const arenas: Arena[] = [];

/** Lends this thread's arena to `work`, which must be synchronous and keep no view of it. */
export function withArena<T>(work: (arena: Arena) => T): T {
  const arena = arenas.pop() ?? new Arena();
  try {
    return arena.scope(() => work(arena));
  } finally {
    if (arenas.length === 0 && arena.sizeBytes <= limits.keptArenaBytes) arenas.push(arena);
  }
}
