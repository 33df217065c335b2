/**
 * Owns the file of a spilled datum: written under a temporary name, with its sizes in front and a SHA-256 of
 * everything at the end, so that a cut or changed file is never taken for the datum. Must not know: why
 * something is spilled. The layout, little endian: magic, u32 bytes of the header, u32 number of frames, f64
 * bytes of each frame; the header; the frames; 32 bytes of checksum.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { AsperitasError, type DatumParts } from '../runtime/index.ts';
import { machineLimits } from './machine-limits.ts';
import { allocateShared } from './shared-frames.ts';

const magic = new TextEncoder().encode('ASPSPIL1');
const fixedBytes = magic.byteLength + 8;
const checksumBytes = 32;

/** Says why a file could not be written: `disk-full` or `cannot-write`. */
function writeFailure(path: string, error: unknown): AsperitasError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const fields = { path, code };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `there is no space left to spill data to ${path}; free some, or choose another folder`;
    return new AsperitasError('disk-full', message, fields, { cause: error });
  }
  const message = `can't spill data to ${path} (${code}); choose a folder that can be written to`;
  return new AsperitasError('cannot-write', message, fields, { cause: error });
}

function damaged(path: string, why: string, cause?: unknown): AsperitasError {
  const message = `the spilled copy ${path} is damaged: ${why}`;
  return new AsperitasError('spill-damaged', message, { path, why }, { cause });
}

function prefixOf({ header, frames }: DatumParts): Uint8Array {
  const prefix = new Uint8Array(fixedBytes + 8 * frames.length);
  const view = new DataView(prefix.buffer);
  prefix.set(magic);
  view.setUint32(magic.byteLength, header.byteLength, true);
  view.setUint32(magic.byteLength + 4, frames.length, true);
  frames.forEach((frame, index) => {
    view.setFloat64(fixedBytes + 8 * index, frame.byteLength, true);
  });
  return prefix;
}

function* piecesOf(data: Uint8Array): Generator<Uint8Array> {
  const step = machineLimits.filePieceBytes;
  for (let start = 0; start < data.byteLength; start += step) yield data.subarray(start, start + step);
}

async function writeAll(handle: FileHandle, data: Uint8Array): Promise<void> {
  let done = 0;
  while (done < data.byteLength) {
    done += (await handle.write(data, done, data.byteLength - done, null)).bytesWritten;
  }
}

/** Writes a datum; when the promise is fulfilled the file is whole. It is not forced to the disk: it need not
 * outlive the process.
 * @throws AsperitasError `disk-full` or `cannot-write`; nothing is left behind. */
export async function writeSpill(path: string, parts: DatumParts): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    const handle = await open(temporary, 'w');
    try {
      const hash = createHash('sha256');
      for (const data of [prefixOf(parts), parts.header, ...parts.frames]) {
        for (const piece of piecesOf(data)) {
          hash.update(piece);
          await writeAll(handle, piece);
        }
      }
      await writeAll(handle, hash.digest());
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(path, error);
  }
}

async function readAll(handle: FileHandle, data: Uint8Array, path: string): Promise<Uint8Array> {
  let done = 0;
  while (done < data.byteLength) {
    const length = Math.min(data.byteLength - done, machineLimits.filePieceBytes);
    const { bytesRead } = await handle.read(data, done, length, null);
    if (bytesRead === 0) throw damaged(path, 'it ends too early');
    done += bytesRead;
  }
  return data;
}

/** The sizes that the file claims, checked against its length before anything of them is allocated. */
async function readSizes(handle: FileHandle, path: string) {
  const { size } = await handle.stat();
  if (size < fixedBytes + checksumBytes) throw damaged(path, 'it ends too early');
  const fixed = await readAll(handle, new Uint8Array(fixedBytes), path);
  if (magic.some((byte, index) => fixed[index] !== byte)) throw damaged(path, 'it begins wrongly');
  const view = new DataView(fixed.buffer);
  const headerBytes = view.getUint32(magic.byteLength, true);
  const frames = view.getUint32(magic.byteLength + 4, true);
  const tableBytes = 8 * frames;
  if (fixedBytes + tableBytes + headerBytes + checksumBytes > size) throw damaged(path, 'it ends too early');
  const table = await readAll(handle, new Uint8Array(tableBytes), path);
  const sizes = new DataView(table.buffer);
  const frameBytes = Array.from({ length: frames }, (_, index) => sizes.getFloat64(8 * index, true));
  const total = frameBytes.reduce(
    (sum, bytes) => sum + (Number.isSafeInteger(bytes) ? bytes : Number.NaN),
    0,
  );
  if (
    total + fixedBytes + tableBytes + headerBytes + checksumBytes !== size ||
    frameBytes.some((n) => n < 0)
  ) {
    throw damaged(path, 'it has another length than it says');
  }
  return { prefix: [fixed, table], headerBytes, frameBytes };
}

async function readParts(handle: FileHandle, path: string): Promise<DatumParts> {
  const { prefix, headerBytes, frameBytes } = await readSizes(handle, path);
  const hash = createHash('sha256');
  for (const data of prefix) hash.update(data);
  const readPart = async (data: Uint8Array): Promise<Uint8Array> => {
    for (const piece of piecesOf(data)) hash.update(await readAll(handle, piece, path));
    return data;
  };
  const header = await readPart(new Uint8Array(headerBytes));
  const frames: Uint8Array[] = [];
  for (const bytes of frameBytes) frames.push(await readPart(allocateShared(bytes)));
  const checksum = await readAll(handle, new Uint8Array(checksumBytes), path);
  if (!hash.digest().equals(checksum)) throw damaged(path, 'its checksum is wrong');
  return { header, frames };
}

/** Failures that say nothing about the file: the same read may succeed a moment later. */
const passing = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Reads a datum back, each frame into shared memory of its own.
 * @throws AsperitasError `spill-damaged`, or `unreadable-file` when the process can't read it just now. */
export async function readSpill(path: string): Promise<DatumParts> {
  try {
    const handle = await open(path, 'r');
    try {
      return await readParts(handle, path);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof AsperitasError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (!passing.has(code) && !(error instanceof RangeError)) throw damaged(path, code, error);
    const message = `can't read the spilled copy ${path} now (${code})`;
    throw new AsperitasError('unreadable-file', message, { path, code }, { cause: error });
  }
}
