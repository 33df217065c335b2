// Owns the two steps of a Hogbom iteration: subtracting a shifted, scaled point spread function from the
// residual and finding the largest absolute value, one maximum a row kept up to date.
// Must not know: gains, thresholds, when to stop.

/// rowMax[y] = max over x of |residual| * mask, NaN ignored; `mask` 0: every pixel counts.
/// Rows of `residual` and `mask` are `stride` bytes, padded with zeros to whole vectors.
export function rowMaxima(
  residual: usize, mask: usize, stride: usize, y0: i32, y1: i32, rowMax: usize,
): void {
  for (let y = y0; y < y1; y++) {
    const row = residual + <usize>y * stride;
    const allowed = mask + <usize>y * stride;
    let best = f32x4.splat(0);
    for (let x: usize = 0; x < stride; x += 16) {
      let value = f32x4.abs(v128.load(row + x));
      if (mask != 0) value = f32x4.mul(value, v128.load(allowed + x));
      best = f32x4.pmax(best, value);
    }
    best = f32x4.pmax(best, v128.shuffle<f32>(best, best, 2, 3, 0, 1));
    store<f32>(
      rowMax + ((<usize>y) << 2),
      max<f32>(f32x4.extract_lane(best, 0), f32x4.extract_lane(best, 1)),
    );
  }
}

/// residual[y0..y1, x0..x1] -= flux * psf, whose pixel (px0, py0) lies on (x0, y0).
export function subtract(
  residual: usize, stride: usize, x0: i32, x1: i32, y0: i32, y1: i32, psf: usize, psfStride: usize,
  px0: i32, py0: i32, flux: f32,
): void {
  const by = f32x4.splat(flux);
  const count = x1 - x0;
  for (let y = y0; y < y1; y++) {
    let to = residual + <usize>y * stride + ((<usize>x0) << 2);
    let from = psf + <usize>(py0 + y - y0) * psfStride + ((<usize>px0) << 2);
    let x = 0;
    for (; x + 4 <= count; x += 4) {
      v128.store(to, f32x4.sub(v128.load(to), f32x4.mul(by, v128.load(from))));
      to += 16;
      from += 16;
    }
    for (; x < count; x++) {
      store<f32>(to, load<f32>(to) - flux * load<f32>(from));
      to += 4;
      from += 4;
    }
  }
}
