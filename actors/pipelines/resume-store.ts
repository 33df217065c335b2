/**
 * Owns what a run leaves for its repetition: finished frames and the state of the search, in a folder named
 * after the inputs and parameters, so that another search finds nothing of it. Must not know: what the frames
 * show, how they were made.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WeightedImage } from '../imaging/frame-imager.ts';
import { writeAtomically, writeFailure, writeTextFile } from '../io/write-atomically.ts';
import { sharedFloat32 } from '../shared-arrays.ts';

/** The hidden folder in the output folder. */
const folderName = '.resume';

/** Changed whenever the files below would be misread by another version. */
const formatVersion = 1;

/** Images of one block as they lie on disk. */
interface FramesHeader {
  readonly format: number;
  readonly pixels: number;
  readonly sumWeight: readonly number[];
}
const headerBytes = (count: number): number => 64 + 32 * count;

export class ResumeStore {
  readonly #root: string;
  readonly #folder: string;

  private constructor(root: string, folder: string) {
    this.#root = root;
    this.#folder = folder;
  }

  /** Opens the store of a search below the output folder and removes those of other searches.
   * @param identity everything that the frames depend on, as plain values
   * @throws AsperitasError `cannot-write`, `disk-full` */
  static async open(out: string, identity: unknown): Promise<ResumeStore> {
    const root = join(out, folderName);
    const text = JSON.stringify([formatVersion, identity]);
    const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const folder = join(root, name);
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw writeFailure(folder, error);
    });
    for (const other of await readdir(root)) {
      if (other !== name) await rm(join(root, other), { recursive: true, force: true });
    }
    return new ResumeStore(root, folder);
  }

  /** Ids under which frames are kept. */
  async savedFrames(): Promise<Set<string>> {
    const names = await readdir(this.#folder);
    return new Set(
      names.flatMap((name) => (name.endsWith('.frames') ? [name.slice(0, -'.frames'.length)] : [])),
    );
  }

  async saveFrames(id: string, frames: readonly WeightedImage[]): Promise<void> {
    const header: FramesHeader = {
      format: formatVersion,
      pixels: frames[0]?.pixels.length ?? 0,
      sumWeight: frames.map(({ sumWeight }) => sumWeight),
    };
    await writeAtomically(this.#path(id), async (file) => {
      await file.append(JSON.stringify(header).padEnd(headerBytes(frames.length)));
      for (const { pixels } of frames) await file.append(bytesOf(pixels));
    });
  }

  /** One frame of those saved under `id`. */
  async loadFrame(id: string, index: number, count: number): Promise<WeightedImage> {
    const handle = await open(this.#path(id), 'r');
    try {
      const text = Buffer.alloc(headerBytes(count));
      await handle.read(text, 0, text.length, 0);
      const header = JSON.parse(text.toString('utf8')) as FramesHeader;
      const pixels = sharedFloat32(header.pixels);
      // A copy, since positioned reads into shared memory are not possible everywhere.
      const bytes = Buffer.alloc(pixels.byteLength);
      await handle.read(bytes, 0, bytes.length, text.length + index * bytes.length);
      pixels.set(new Float32Array(bytes.buffer, bytes.byteOffset, header.pixels));
      return { pixels, sumWeight: header.sumWeight[index]! };
    } finally {
      await handle.close();
    }
  }

  async saveState(state: unknown): Promise<void> {
    await writeTextFile(join(this.#folder, 'state.json'), JSON.stringify(state, replaceArrays));
  }

  async loadState(): Promise<unknown> {
    const text = await readFile(join(this.#folder, 'state.json'), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text, reviveArrays) as unknown);
  }

  /** Removes everything: the search is done. */
  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.frames`);
  }
}

function bytesOf(pixels: Float32Array): Uint8Array {
  return Uint8Array.from(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength));
}

function replaceArrays(_name: string, value: unknown): unknown {
  return value instanceof Float64Array ? { float64: [...value] } : value;
}

function reviveArrays(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('float64' in value)) return value;
  return Float64Array.from((value as { float64: number[] }).float64);
}
