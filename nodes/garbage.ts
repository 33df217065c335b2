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

/** Counts the shared memory that one thread gives up, and has it collected when it is much. */
export class GarbageMeter {
  readonly #everyBytes: number;
  #bytes = 0;
  #planned = false;

  constructor(everyBytes: number = machineLimits.collectBytes) {
    this.#everyBytes = everyBytes;
  }

  /** Collects later in this turn of the event loop, when no reference is left on the stack. */
  released(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#everyBytes || this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.#bytes = 0;
      collector()();
    });
  }
}
