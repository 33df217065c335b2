// Owns the inner loops: spreading sorted samples over one w plane with a separable kernel (gridding) and the
// transpose, summing the plane's cells under each sample's kernel (degridding).
// Must not know: planning, the order of planes, what the kernel is beyond its polynomial coefficients.
//
// Kernel taps are polynomials in x: `uv` is [degree + 1][taps, padded to whole vectors], highest power first;
// `w` is [tap][degree + 1]. `scratch` has room for 64 values.
import { recordSize, visOffset } from './locate.lib';
import { loadSplat, madd } from './simd.lib';

/// The weight of a sample on its `tap`-th plane.
@inline
function planeWeight<T>(x: T, w: usize, degree: i32, tap: i32): T {
  let at = w + <usize>(tap * (degree + 1)) * sizeof<T>();
  let value = load<T>(at);
  for (let d = 0; d < degree; d++) {
    at += sizeof<T>();
    value = value * x + load<T>(at);
  }
  return value;
}

/// f32, at most 8 taps: everything in registers. NV = vectors a row of complex cells, a compile-time
/// constant.
@inline
function gridNarrow(
  NV: i32, first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32,
  degree: i32, w: usize, degreeW: i32, scratch: usize,
): void {
  const vectors: usize = NV > 2 ? 32 : 16; // bytes of taps
  for (let record = first; record < last; record += 32) {
    const weight = planeWeight<f32>(load<f32>(record, 16), w, degreeW, plane - load<i32>(record, 4));
    const xu = v128.load32_splat(record, 8);
    const xv = v128.load32_splat(record, 12);
    let u0 = v128.load(uv);
    let v0 = u0;
    let u1 = v128.load(uv, 16);
    let v1 = u1;
    let c = uv + vectors;
    for (let d = 0; d < degree; d++) {
      const c0 = v128.load(c);
      u0 = madd<f32>(u0, xu, c0);
      v0 = madd<f32>(v0, xv, c0);
      if (NV > 2) {
        const c1 = v128.load(c, 16);
        u1 = madd<f32>(u1, xu, c1);
        v1 = madd<f32>(v1, xv, c1);
      }
      c += vectors;
    }
    v128.store(scratch, v0);
    if (NV > 2) v128.store(scratch, v1, 16);
    const z = f32x4.mul(v128.load64_splat(record + visOffset<f32>()), f32x4.splat(weight));
    const p0 = f32x4.mul(v128.shuffle<f32>(u0, u0, 0, 0, 1, 1), z);
    const p1 = f32x4.mul(v128.shuffle<f32>(u0, u0, 2, 2, 3, 3), z);
    const p2 = f32x4.mul(v128.shuffle<f32>(u1, u1, 0, 0, 1, 1), z);
    const p3 = f32x4.mul(v128.shuffle<f32>(u1, u1, 2, 2, 3, 3), z);
    let p = base + <usize>load<u32>(record);
    for (let j = 0; j < support; j++) {
      const k = v128.load32_splat(scratch + ((<usize>j) << 2));
      v128.store(p, madd<f32>(k, p0, v128.load(p)));
      v128.store(p, madd<f32>(k, p1, v128.load(p, 16)), 16);
      if (NV > 2) v128.store(p, madd<f32>(k, p2, v128.load(p, 32)), 32);
      if (NV > 3) v128.store(p, madd<f32>(k, p3, v128.load(p, 48)), 48);
      p += stride;
    }
  }
}

@inline
function degridNarrow(
  NV: i32, first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32,
  degree: i32, w: usize, degreeW: i32, scratch: usize,
): void {
  const vectors: usize = NV > 2 ? 32 : 16;
  for (let record = first; record < last; record += 32) {
    const weight = planeWeight<f32>(load<f32>(record, 16), w, degreeW, plane - load<i32>(record, 4));
    const xu = v128.load32_splat(record, 8);
    const xv = v128.load32_splat(record, 12);
    let u0 = v128.load(uv);
    let v0 = u0;
    let u1 = v128.load(uv, 16);
    let v1 = u1;
    let c = uv + vectors;
    for (let d = 0; d < degree; d++) {
      const c0 = v128.load(c);
      u0 = madd<f32>(u0, xu, c0);
      v0 = madd<f32>(v0, xv, c0);
      if (NV > 2) {
        const c1 = v128.load(c, 16);
        u1 = madd<f32>(u1, xu, c1);
        v1 = madd<f32>(v1, xv, c1);
      }
      c += vectors;
    }
    v128.store(scratch, v0);
    if (NV > 2) v128.store(scratch, v1, 16);
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let p = base + <usize>load<u32>(record);
    for (let j = 0; j < support; j++) {
      const k = v128.load32_splat(scratch + ((<usize>j) << 2));
      a0 = madd<f32>(k, v128.load(p), a0);
      a1 = madd<f32>(k, v128.load(p, 16), a1);
      if (NV > 2) a2 = madd<f32>(k, v128.load(p, 32), a2);
      if (NV > 3) a3 = madd<f32>(k, v128.load(p, 48), a3);
      p += stride;
    }
    let s = f32x4.mul(v128.shuffle<f32>(u0, u0, 0, 0, 1, 1), a0);
    s = madd<f32>(v128.shuffle<f32>(u0, u0, 2, 2, 3, 3), a1, s);
    if (NV > 2) s = madd<f32>(v128.shuffle<f32>(u1, u1, 0, 0, 1, 1), a2, s);
    if (NV > 3) s = madd<f32>(v128.shuffle<f32>(u1, u1, 2, 2, 3, 3), a3, s);
    s = f32x4.add(s, v128.shuffle<f32>(s, s, 2, 3, 0, 1));
    const at = record + visOffset<f32>();
    v128.store64_lane(at, madd<f32>(s, f32x4.splat(weight), v128.load64_zero(at)), 0);
  }
}

/// Evaluates the taps of both axes into scratch: u at 0, v at 32 values.
@inline
function taps<T>(record: usize, uv: usize, vectors: usize, degree: i32, scratch: usize): void {
  const xu = loadSplat<T>(record + 8);
  const xv = loadSplat<T>(record + 8 + sizeof<T>());
  for (let k: usize = 0; k < vectors; k += 16) {
    let c = uv + k;
    let u = v128.load(c);
    let v = u;
    for (let d = 0; d < degree; d++) {
      c += vectors;
      const next = v128.load(c);
      u = madd<T>(u, xu, next);
      v = madd<T>(v, xv, next);
    }
    v128.store(scratch + k, u);
    v128.store(scratch + k + 32 * sizeof<T>(), v);
  }
}

/// Any precision and up to 16 taps: blocks of four vectors in registers, then one of two. The taps are padded
/// to whole vectors, hence a row of complex cells to pairs of vectors.
function gridWide<T>(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  const lanes: usize = 16 / sizeof<T>();
  const vectors = (((<usize>support) + lanes - 1) / lanes) << 4;
  const kv = scratch + 32 * sizeof<T>();
  const row = scratch + 64 * sizeof<T>(); // the kernel along u times the visibility, complex
  const rowBytes = vectors << 1;
  for (let record = first; record < last; record += recordSize<T>()) {
    const x = load<T>(record + 2 * sizeof<T>(), 8);
    const weight = planeWeight<T>(x, w, degreeW, plane - load<i32>(record, 4));
    taps<T>(record, uv, vectors, degree, scratch);
    const vis = record + visOffset<T>();
    const z = v128.mul<T>(
      sizeof<T>() == 4 ? v128.load64_splat(vis) : v128.load(vis), v128.splat<T>(weight),
    );
    for (let k: usize = 0; k < vectors; k += 16) {
      const t = v128.load(scratch + k);
      const a = sizeof<T>() == 4 ? v128.shuffle<f32>(t, t, 0, 0, 1, 1) : v128.shuffle<f64>(t, t, 0, 0);
      const b = sizeof<T>() == 4 ? v128.shuffle<f32>(t, t, 2, 2, 3, 3) : v128.shuffle<f64>(t, t, 1, 1);
      v128.store(row + 2 * k, v128.mul<T>(a, z));
      v128.store(row + 2 * k, v128.mul<T>(b, z), 16);
    }
    const corner = base + <usize>load<u32>(record);
    for (let b: usize = 0; b < rowBytes; b += 64) {
      const r0 = v128.load(row + b);
      const r1 = v128.load(row + b, 16);
      let p = corner + b;
      if (rowBytes - b == 32) {
        for (let j = 0; j < support; j++) {
          const k = loadSplat<T>(kv + <usize>j * sizeof<T>());
          v128.store(p, madd<T>(k, r0, v128.load(p)));
          v128.store(p, madd<T>(k, r1, v128.load(p, 16)), 16);
          p += stride;
        }
      } else {
        const r2 = v128.load(row + b, 32);
        const r3 = v128.load(row + b, 48);
        for (let j = 0; j < support; j++) {
          const k = loadSplat<T>(kv + <usize>j * sizeof<T>());
          v128.store(p, madd<T>(k, r0, v128.load(p)));
          v128.store(p, madd<T>(k, r1, v128.load(p, 16)), 16);
          v128.store(p, madd<T>(k, r2, v128.load(p, 32)), 32);
          v128.store(p, madd<T>(k, r3, v128.load(p, 48)), 48);
          p += stride;
        }
      }
    }
  }
}

/// A vector of cells times their taps, two halves of the vector `t`.
@inline
function timesTaps<T>(t: v128, a: v128, b: v128, sum: v128): v128 {
  const low = sizeof<T>() == 4 ? v128.shuffle<f32>(t, t, 0, 0, 1, 1) : v128.shuffle<f64>(t, t, 0, 0);
  const high = sizeof<T>() == 4 ? v128.shuffle<f32>(t, t, 2, 2, 3, 3) : v128.shuffle<f64>(t, t, 1, 1);
  return madd<T>(low, a, madd<T>(high, b, sum));
}

function degridWide<T>(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  const lanes: usize = 16 / sizeof<T>();
  const vectors = (((<usize>support) + lanes - 1) / lanes) << 4;
  const kv = scratch + 32 * sizeof<T>();
  const rowBytes = vectors << 1;
  const none = v128.splat<T>(<T>0);
  for (let record = first; record < last; record += recordSize<T>()) {
    const x = load<T>(record + 2 * sizeof<T>(), 8);
    const weight = planeWeight<T>(x, w, degreeW, plane - load<i32>(record, 4));
    taps<T>(record, uv, vectors, degree, scratch);
    const corner = base + <usize>load<u32>(record);
    let sum = none;
    for (let b: usize = 0; b < rowBytes; b += 64) {
      let a0 = none;
      let a1 = none;
      let a2 = none;
      let a3 = none;
      let p = corner + b;
      const t = scratch + (b >> 1);
      if (rowBytes - b == 32) {
        for (let j = 0; j < support; j++) {
          const k = loadSplat<T>(kv + <usize>j * sizeof<T>());
          a0 = madd<T>(k, v128.load(p), a0);
          a1 = madd<T>(k, v128.load(p, 16), a1);
          p += stride;
        }
        sum = timesTaps<T>(v128.load(t), a0, a1, sum);
      } else {
        for (let j = 0; j < support; j++) {
          const k = loadSplat<T>(kv + <usize>j * sizeof<T>());
          a0 = madd<T>(k, v128.load(p), a0);
          a1 = madd<T>(k, v128.load(p, 16), a1);
          a2 = madd<T>(k, v128.load(p, 32), a2);
          a3 = madd<T>(k, v128.load(p, 48), a3);
          p += stride;
        }
        sum = timesTaps<T>(v128.load(t), a0, a1, sum);
        sum = timesTaps<T>(v128.load(t, 16), a2, a3, sum);
      }
    }
    const at = record + visOffset<T>();
    if (sizeof<T>() == 4) {
      sum = v128.add<f32>(sum, v128.shuffle<f32>(sum, sum, 2, 3, 0, 1));
      v128.store64_lane(at, madd<f32>(sum, f32x4.splat(<f32>weight), v128.load64_zero(at)), 0);
    } else {
      v128.store(at, madd<f64>(sum, f64x2.splat(<f64>weight), v128.load(at)));
    }
  }
}

export function gridSamples<T>(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  if (sizeof<T>() == 4 && support <= 4) {
    gridNarrow(2, first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  } else if (sizeof<T>() == 4 && support <= 6) {
    gridNarrow(3, first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  } else if (sizeof<T>() == 4 && support <= 8) {
    gridNarrow(4, first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  } else {
    gridWide<T>(first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  }
}

export function degridSamples<T>(
  first: usize, last: usize, plane: i32, base: usize, stride: usize, uv: usize, support: i32, degree: i32,
  w: usize, degreeW: i32, scratch: usize,
): void {
  if (sizeof<T>() == 4 && support <= 4) {
    degridNarrow(2, first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  } else if (sizeof<T>() == 4 && support <= 6) {
    degridNarrow(3, first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  } else if (sizeof<T>() == 4 && support <= 8) {
    degridNarrow(4, first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  } else {
    degridWide<T>(first, last, plane, base, stride, uv, support, degree, w, degreeW, scratch);
  }
}
