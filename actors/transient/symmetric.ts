/**
 * Owns the algebra of small symmetric positive definite matrices, stored full in row order. Must not know:
 * what the numbers mean.
 */

/** The lower triangle L with L L^T = M; a pivot that rounding has made non-positive is raised. */
export function cholesky(matrix: ArrayLike<number>, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const least = Math.max(matrix[i * size + i]! * 1e-14, Number.MIN_VALUE);
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * size + k]! * lower[j * size + k]!;
      lower[i * size + j] = i === j ? Math.sqrt(Math.max(sum, least)) : sum / lower[j * size + j]!;
    }
  }
  return lower;
}

/** x with L L^T x = b. */
export function solveCholesky(lower: Float64Array, size: number, b: ArrayLike<number>): Float64Array {
  const x = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= lower[i * size + k]! * x[k]!;
    x[i] = sum / lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = x[i]!;
    for (let k = i + 1; k < size; k++) sum -= lower[k * size + i]! * x[k]!;
    x[i] = sum / lower[i * size + i]!;
  }
  return x;
}

/** The diagonal of the inverse of L L^T. */
export function inverseDiagonal(lower: Float64Array, size: number): Float64Array {
  const diagonal = new Float64Array(size);
  const unit = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    unit.fill(0);
    unit[i] = 1;
    diagonal[i] = solveCholesky(lower, size, unit)[i]!;
  }
  return diagonal;
}
