/**
 * Owns the structure of a FITS file that is read: its header and data units, and positioned reads of their
 * bytes. Tolerant of small sins (missing padding, rubbish at the end), honest about big ones. Must not know:
 * what is an image or a table.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { AsperitasError } from '../../../runtime/index.ts';
import { blockBytes, countOf, type FitsHeader, paddedLength, parseHeader, textOf } from './header.ts';

/** No real header comes near; a damaged file must not be read whole in search of an END. */
const largestHeaderBytes = 4 * 1024 * 1024;
/** More axes than the standard allows, or more units than anyone writes, mean damage. */
const mostAxes = 999;
const mostUnits = 10_000;

/** One header and its data. */
export interface FitsUnit {
  readonly header: FitsHeader;
  /** `IMAGE` for the primary one too, else the XTENSION. */
  readonly kind: string;
  /** Fastest axis first; empty where there is no data. */
  readonly shape: readonly number[];
  readonly dataOffset: number;
  readonly dataBytes: number;
}

/** @throws AsperitasError `damaged-fits`, always */
function damagedFits(path: string, what: string, fields: Record<string, string | number> = {}): never {
  throw new AsperitasError('damaged-fits', `${path}: ${what}; fetch or make the file again`, {
    path,
    ...fields,
  });
}

function openFailure(path: string, error: unknown): AsperitasError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (code === 'ENOENT') {
    const message = `${path}: no such file; give the path of a FITS file`;
    return new AsperitasError('missing-file', message, { path }, { cause: error });
  }
  const message = `${path}: the system refuses to read it (${code})`;
  return new AsperitasError('unreadable-file', message, { path, code }, { cause: error });
}

/** An open FITS file. */
export class FitsFile {
  readonly path: string;
  readonly units: FitsUnit[] = [];
  readonly #handle: FileHandle;
  readonly #size: number;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /** Opens a file and reads its headers; `close` it afterwards.
   * @throws AsperitasError `missing-file`, `unreadable-file`, `not-fits`, `damaged-fits` */
  static async open(path: string): Promise<FitsFile> {
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw openFailure(path, error);
    });
    try {
      const file = new FitsFile(path, handle, (await handle.stat()).size);
      await file.#readUnits();
      return file;
    } catch (error) {
      await handle.close();
      throw error instanceof AsperitasError ? error : openFailure(path, error);
    }
  }

  /** Exactly `length` bytes, in an ArrayBuffer of their own.
   * @throws AsperitasError `damaged-fits` if the file ends before, `unreadable-file` */
  async read(offset: number, length: number): Promise<Buffer<ArrayBuffer>> {
    if (offset + length > this.#size) {
      damagedFits(this.path, `it ends at byte ${this.#size}, its data at ${offset + length}`, { offset });
    }
    const bytes = Buffer.from(new ArrayBuffer(length));
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle
        .read(bytes, done, length - done, offset + done)
        .catch((error: unknown) => {
          throw openFailure(this.path, error);
        });
      if (bytesRead === 0) damagedFits(this.path, `it became shorter while it was read`, { offset });
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readUnits(): Promise<void> {
    const start = await this.read(0, Math.min(this.#size, blockBytes));
    checkStart(this.path, start);
    let offset = 0;
    while (offset < this.#size && this.units.length < mostUnits) {
      const primary = offset === 0;
      if (!primary && !(await this.#startsWith(offset, 'XTENSION'))) return;
      const { header, bytes } = await this.#readHeader(offset);
      const unit = unitOf(this.path, header, offset + bytes);
      if (unit.dataOffset + unit.dataBytes > this.#size) {
        const [wanted, found] = [unit.dataOffset + unit.dataBytes, this.#size];
        damagedFits(this.path, `its header promises ${wanted} bytes, it has ${found}`, { offset });
      }
      this.units.push(unit);
      offset = unit.dataOffset + paddedLength(unit.dataBytes);
    }
  }

  async #startsWith(offset: number, word: string): Promise<boolean> {
    const length = Math.min(word.length, this.#size - offset);
    return (await this.read(offset, length)).toString('latin1') === word;
  }

  async #readHeader(offset: number): Promise<{ header: FitsHeader; bytes: number }> {
    let text = '';
    while (text.length < largestHeaderBytes && offset + text.length < this.#size) {
      const at = offset + text.length;
      const block = await this.read(at, Math.min(blockBytes, this.#size - at));
      text += block.toString('latin1');
      // END never straddles two blocks, so parsing is tried only where a block holds it.
      if (!/END {5}|END *$/.test(text.slice(at - offset))) continue;
      const header = parseHeader(text);
      if (header !== undefined) return { header, bytes: paddedLength(text.length) };
    }
    return damagedFits(this.path, `the header at byte ${offset} has no END`, { offset });
  }
}

function checkStart(path: string, start: Buffer): void {
  if (start.toString('latin1', 0, 9) === 'SIMPLE  =') return;
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const what = packed ? 'it is compressed by gzip: unpack it first' : 'it does not begin with SIMPLE';
  throw new AsperitasError('not-fits', `${path} is not a FITS file: ${what}`, { path });
}

function unitOf(path: string, header: FitsHeader, dataOffset: number): FitsUnit {
  const bitpix = header.get('BITPIX');
  if (typeof bitpix !== 'number' || ![8, 16, 32, 64, -32, -64].includes(bitpix)) {
    damagedFits(path, `the header keyword BITPIX is ${String(bitpix ?? 'missing')}`, { keyword: 'BITPIX' });
  }
  const axes = countOf(header, 'NAXIS', path);
  if (axes > mostAxes) damagedFits(path, `the header keyword NAXIS is ${axes}`, { keyword: 'NAXIS' });
  const shape = Array.from({ length: axes }, (_, axis) => countOf(header, `NAXIS${axis + 1}`, path));
  const kind = textOf(header, 'XTENSION')?.trim() ?? (header.get('GROUPS') === true ? 'GROUPS' : 'IMAGE');
  // Random groups announce themselves by a first axis of no length, which does not count.
  const counted = kind === 'GROUPS' ? shape.slice(1) : shape;
  const parameters = header.has('PCOUNT') ? countOf(header, 'PCOUNT', path) : 0;
  const groups = header.has('GCOUNT') ? countOf(header, 'GCOUNT', path) : 1;
  const elements = counted.length === 0 ? 0 : counted.reduce((product, size) => product * size, 1);
  const dataBytes = (Math.abs(bitpix) / 8) * groups * (parameters + elements);
  if (!Number.isSafeInteger(dataBytes)) damagedFits(path, 'its axes are impossibly long', {});
  return { header, kind, shape, dataOffset, dataBytes };
}
