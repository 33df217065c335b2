/**
 * Owns the collection of shared memory that nobody refers to any more. V8 counts neither its size nor its
 * loss, so without being told it lets gigabytes of dead buffers lie. Must not know: what lay in them.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { machineLimits } from './machine-limits.ts';

let collect: (() => void) | undefined;

/** Finds V8's collector, which is hidden unless asked for. */
function collector(): () => void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  return collect;
}

/** How much dead memory one thread of a node may leave lying whose results may fill `memoryBytes`. */
export function collectBytesFor(memoryBytes: number | undefined): number {
  const { collectBytes, collectShare, leastCollectBytes } = machineLimits;
  if (memoryBytes === undefined) return collectBytes;
  return Math.min(collectBytes, Math.max(leastCollectBytes, memoryBytes * collectShare));
}

/** Counts the shared memory that one thread gives up, and has it collected when it is much. There are two
 * ways to know of it: being told, of memory made elsewhere, and looking, for memory made in this thread. */
export class GarbageMeter {
  readonly #everyBytes: number;
  #bytes = 0;
  #planned = false;
  /** The least that arrays made in this thread were seen to take since the last collection. */
  #leastBytes = Number.POSITIVE_INFINITY;

  constructor(everyBytes: number = machineLimits.collectBytes) {
    this.#everyBytes = everyBytes;
  }

  /** Memory made elsewhere is no longer referred to here. */
  released(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= this.#everyBytes) this.#plan();
  }

  /** Looks for arrays made in this thread and given up, which nobody tells of. Takes 40 us. */
  look(): void {
    const { arrayBuffers } = process.memoryUsage();
    this.#leastBytes = Math.min(this.#leastBytes, arrayBuffers);
    if (arrayBuffers - this.#leastBytes >= this.#everyBytes) this.#plan();
  }

  /** Collects later in this turn of the event loop, when no reference is left on the stack. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#bytes = 0;
      this.#leastBytes = Number.POSITIVE_INFINITY;
      collector()();
    });
  }
}
