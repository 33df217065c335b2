/**
 * Owns Dysco's symbols: their unpacking from a stream of bits, and the table that gives each symbol its
 * value. Must not know: files and tables.
 */
import { normalProbability, normalQuantile } from './normal-distribution.ts';

/** Symbols of up to 16 bits, packed lowest bit first. */
export class DyscoSymbols {
  readonly #bytes: Uint8Array;
  readonly #mask: number;

  constructor(bytes: Uint8Array, bits: number) {
    this.#bytes = bytes;
    this.#mask = (1 << bits) - 1;
  }

  /** The symbol that begins at a bit. */
  at(bit: number): number {
    const first = bit >>> 3;
    // Beyond the end an undefined byte counts as zero.
    const word = this.#bytes[first] | (this.#bytes[first + 1] << 8) | (this.#bytes[first + 2] << 16);
    return (word >>> (bit & 7)) & this.#mask;
  }
}

/** Distributions of the quantised values by their code in the header. */
const GAUSSIAN = 0;
const UNIFORM = 1;
const TRUNCATED_GAUSSIAN = 3;

/**
 * The value of every symbol: quantiles of the distribution, the last symbol being NaN. `undefined` for the
 * distributions that are not supported (Student's t).
 */
export function quantileTable(
  distribution: number,
  bits: number,
  truncation: number,
): Float32Array | undefined {
  const steps = 2 ** bits - 1;
  const outside = normalProbability(-truncation);
  const values: Readonly<Record<number, ((fraction: number) => number) | undefined>> = {
    [GAUSSIAN]: (fraction) => Math.sqrt(3) * normalQuantile(fraction),
    [UNIFORM]: (fraction) => Math.sqrt(3) * (2 * fraction - 1),
    [TRUNCATED_GAUSSIAN]: (fraction) => normalQuantile(fraction * (1 - 2 * outside) + outside),
  };
  const value = values[distribution];
  if (value === undefined) return undefined;
  return Float32Array.from({ length: steps + 1 }, (_, i) =>
    i === steps ? Number.NaN : value((i + 0.5) / steps),
  );
}
