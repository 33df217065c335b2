/**
 * Owns the memory that the WebAssembly kernels work in: one growing memory a thread, handed out as a stack.
 * Everything allocated during `withArena` is released when it returns; a memory that has grown beyond
 * `limits.keptArenaBytes` is then dropped whole, since WebAssembly memories cannot shrink.
 * Must not know: what is stored in it.
 */
import { AsperitasError } from '../../../runtime/index.ts';
import type { ImagingExports } from './kernel-exports.ts';
import { instantiateKernels } from './load-kernels.ts';

/** Bounds of the imaging kernels. */
export const limits = {
  /** What a thread keeps of its arena between calls: enough for frames of a thousand pixels a side. */
  keptArenaBytes: 256 * 2 ** 20,
  /** A WebAssembly memory has 32-bit addresses; the last page stays unused so that no end overflows. */
  arenaBytes: 2 ** 32 - 2 ** 16,
} as const;

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
