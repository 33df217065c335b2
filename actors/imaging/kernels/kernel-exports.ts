/**
 * Owns the types of what the WebAssembly kernels export, as they are called from TypeScript, and the choice
 * of those of one precision. Must not know: the memory that they work in, what they compute.
 */

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
