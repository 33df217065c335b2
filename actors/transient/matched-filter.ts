/**
 * Owns the search of a time series for brightenings: boxes of many durations at all starts, each compared
 * with the rest of the series, so that a constant of any size plays no part. Must not know: images, sources,
 * seconds (it counts bins).
 */

/** The best box of a series. */
export interface BoxEvent {
  /** Signal-to-noise ratio of `amplitude`. */
  readonly snr: number;
  /** Mean inside minus mean outside, in the unit of the series. */
  readonly amplitude: number;
  /** Bins `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

/** Durations that are tried, at most `longest`: 1, 2, 3, 4, 6, 8, 12, 16, ... A box half as long again as
 * the event loses 8 % of its signal-to-noise ratio at most. */
export function filterDurations(longest: number): number[] {
  const durations: number[] = [];
  for (let power = 1; power <= longest; power *= 2) {
    durations.push(power);
    if (power > 1 && 1.5 * power <= longest) durations.push(1.5 * power);
  }
  return durations;
}

/** Series that are searched together: their sums over 60 bins fit the first cache. */
const seriesAtOnce = 64;

/** All boxes over a series of given weights (1/sigma^2 a bin; 0 where there is no data). */
export class BoxFilter {
  readonly bins: number;
  readonly durations: readonly number[];
  /** Sums of weights before each bin. */
  readonly #before: Float64Array;
  /** `[duration, start]` sqrt(W / (W_in W_out)); 0 for boxes without data inside or outside. */
  readonly #scale: Float64Array;
  readonly #series: Float64Array;

  constructor(weights: ArrayLike<number>, durations: readonly number[]) {
    this.bins = weights.length;
    this.durations = durations;
    this.#before = new Float64Array(this.bins + 1);
    this.#series = new Float64Array(this.bins + 1);
    for (let t = 0; t < this.bins; t++) this.#before[t + 1] = this.#before[t]! + weights[t]!;
    const all = this.#before[this.bins]!;
    this.#scale = new Float64Array(durations.length * this.bins);
    durations.forEach((duration, d) => {
      for (let start = 0; start + duration <= this.bins; start++) {
        const inside = this.#before[start + duration]! - this.#before[start]!;
        // Sums in another order leave a trace of weight where there is none.
        if (inside <= 1e-12 * all || all - inside <= 1e-12 * all) continue;
        this.#scale[d * this.bins + start] = Math.sqrt(all / (inside * (all - inside)));
      }
    });
  }

  /** Takes in the series as `weight * value` a bin; later calls look at it. */
  load(weighted: ArrayLike<number>, offset = 0, stride = 1): void {
    const { bins } = this;
    const series = this.#series;
    const before = this.#before;
    let sum = 0;
    for (let t = 0, k = offset; t < bins; t++, k += stride) {
      series[t] = sum;
      sum += weighted[k]!;
    }
    series[bins] = sum;
    const mean = sum / before[bins]!;
    for (let t = 1; t <= bins; t++) series[t]! -= mean * before[t]!;
  }

  /** The highest signal-to-noise ratio over all boxes of many series side by side, `[bin, series]`;
   * `-Infinity` where none has data. Fast: a box is taken from a few series at a time, as many as the
   * processor holds close by, in the order in which they lie. */
  highest(weighted: Float32Array, into: Float32Array): void {
    const count = into.length;
    const width = Math.min(count, seriesAtOnce);
    const sums = new Float64Array((this.bins + 1) * width);
    into.fill(Number.NEGATIVE_INFINITY);
    for (let from = 0; from < count; from += width) {
      const end = Math.min(count, from + width);
      this.#accumulate(weighted, [from, end, count], sums);
      this.#highestOf(sums, into.subarray(from, end), width);
    }
  }

  /** What `load` does, for the series `[from, end)` of `count`, into `[bin + 1, width]`. */
  #accumulate(
    weighted: Float32Array,
    [from, end, count]: readonly [number, number, number],
    sums: Float64Array,
  ): void {
    const { bins } = this;
    const width = sums.length / (bins + 1);
    const before = this.#before;
    for (let t = 0; t < bins; t++) {
      const [here, next, at] = [t * width, (t + 1) * width, t * count + from];
      for (let k = 0; k < end - from; k++) sums[next + k] = sums[here + k]! + weighted[at + k]!;
    }
    const last = bins * width;
    for (let t = 1; t < bins; t++) {
      const share = before[t]! / before[bins]!;
      for (let k = 0; k < end - from; k++) sums[t * width + k]! -= share * sums[last + k]!;
    }
    sums.fill(0, last);
  }

  #highestOf(sums: Float64Array, into: Float32Array, width: number): void {
    const { bins, durations } = this;
    for (let d = 0; d < durations.length; d++) {
      const duration = durations[d]!;
      for (let start = 0; start + duration <= bins; start++) {
        const scale = this.#scale[d * bins + start]!;
        if (scale === 0) continue;
        const [low, high] = [start * width, (start + duration) * width];
        for (let k = 0; k < into.length; k++) {
          const snr = (sums[high + k]! - sums[low + k]!) * scale;
          if (snr > into[k]!) into[k] = snr;
        }
      }
    }
  }

  /** The best box; undefined if none has data. */
  best(): BoxEvent | undefined {
    let best: BoxEvent | undefined;
    this.durations.forEach((duration, d) => {
      for (let start = 0; start + duration <= this.bins; start++) {
        const scale = this.#scale[d * this.bins + start]!;
        if (scale === 0) continue;
        const snr = this.snrOf(start, start + duration);
        if (best !== undefined && snr <= best.snr) continue;
        best = { snr, amplitude: snr * scale, start, end: start + duration };
      }
    });
    return best;
  }

  /** The signal-to-noise ratio of one box. */
  snrOf(start: number, end: number): number {
    const all = this.#before[this.bins]!;
    const inside = this.#before[end]! - this.#before[start]!;
    const outside = all - inside;
    if (inside <= 0 || outside <= 1e-12 * all) return 0;
    return (this.#series[end]! - this.#series[start]!) * Math.sqrt(all / (inside * outside));
  }
}
