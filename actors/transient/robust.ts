/**
 * Owns estimates that a few bright outliers cannot spoil. Must not know: images, times.
 */

/** The `k`-th smallest of `values[from, to)`, which are reordered (Hoare's selection). */
function select(values: Float64Array, k: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const held = values[i]!;
      values[i++] = values[j]!;
      values[j--] = held;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k]!;
}

/** The finite ones of `values`, every `stride`-th. */
function finite(values: ArrayLike<number>, stride: number): Float64Array {
  const kept = new Float64Array(Math.ceil(values.length / stride));
  let count = 0;
  for (let k = 0; k < values.length; k += stride) if (Number.isFinite(values[k]!)) kept[count++] = values[k]!;
  return kept.subarray(0, count);
}

/** The median of the finite values; NaN where there are none. For an even count the upper one. */
export function median(values: ArrayLike<number>, stride = 1): number {
  const kept = finite(values, stride);
  return kept.length === 0 ? Number.NaN : select(kept, kept.length >> 1);
}

/** Standard deviation over median absolute deviation, of normal values. */
const sigmaPerMad = 1.482602218505602;

/** The standard deviation about `centre` as the median absolute deviation tells it; NaN without values. */
export function robustSigma(values: ArrayLike<number>, centre = 0, stride = 1): number {
  const kept = finite(values, stride);
  for (let k = 0; k < kept.length; k++) kept[k] = Math.abs(kept[k]! - centre);
  return kept.length === 0 ? Number.NaN : sigmaPerMad * select(kept, kept.length >> 1);
}
