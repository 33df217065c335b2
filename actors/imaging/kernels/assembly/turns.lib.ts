// Owns sines and cosines of phases in turns (one turn = 2 pi): exact range reduction, then the sine and the
// cosine of half the reduced angle by their Taylor series, doubled.
// Must not know: what the phases are of.
import { madd, nmadd } from './simd.lib';

@inline
function halfSin<T>(x: v128, y: v128): v128 {
  // sin x = x (1 - y/3! + y^2/5! - ...), y = x^2, |x| <= pi/2
  let s: v128;
  if (sizeof<T>() == 4) {
    s = madd<f32>(f32x4.splat(1.60590438368216146e-10), y, f32x4.splat(-2.50521083854417188e-8));
  } else {
    s = f64x2.splat(1.95729410633912612e-20);
    s = madd<f64>(s, y, f64x2.splat(-8.22063524662432972e-18));
    s = madd<f64>(s, y, f64x2.splat(2.81145725434552076e-15));
    s = madd<f64>(s, y, f64x2.splat(-7.64716373181981648e-13));
    s = madd<f64>(s, y, f64x2.splat(1.60590438368216146e-10));
    s = madd<f64>(s, y, f64x2.splat(-2.50521083854417188e-8));
  }
  s = madd<T>(s, y, v128.splat<T>(<T>2.75573192239858907e-6));
  s = madd<T>(s, y, v128.splat<T>(<T>-1.98412698412698413e-4));
  s = madd<T>(s, y, v128.splat<T>(<T>8.33333333333333333e-3));
  s = madd<T>(s, y, v128.splat<T>(<T>-0.166666666666666667));
  return madd<T>(v128.mul<T>(s, y), x, x);
}

@inline
function halfCos<T>(y: v128): v128 {
  // cos x = 1 - y/2! + y^2/4! - ...
  let c: v128;
  if (sizeof<T>() == 4) {
    c = f32x4.splat(2.08767569878680990e-9);
  } else {
    c = f64x2.splat(4.11031762331216486e-19);
    c = madd<f64>(c, y, f64x2.splat(-1.56192069685862265e-16));
    c = madd<f64>(c, y, f64x2.splat(4.77947733238738530e-14));
    c = madd<f64>(c, y, f64x2.splat(-1.14707455977297247e-11));
    c = madd<f64>(c, y, f64x2.splat(2.08767569878680990e-9));
  }
  c = madd<T>(c, y, v128.splat<T>(<T>-2.75573192239858907e-7));
  c = madd<T>(c, y, v128.splat<T>(<T>2.48015873015873016e-5));
  c = madd<T>(c, y, v128.splat<T>(<T>-1.38888888888888889e-3));
  c = madd<T>(c, y, v128.splat<T>(<T>4.16666666666666667e-2));
  c = madd<T>(c, y, v128.splat<T>(<T>-0.5));
  return madd<T>(c, y, v128.splat<T>(<T>1));
}

/// Reduced to [-1/2, 1/2] turns, as half angles in radians.
@inline
function reduced<T>(turns: v128, more: v128): v128 {
  const a = f64x2.sub(turns, f64x2.nearest(turns));
  if (sizeof<T>() == 8) return f64x2.mul(a, f64x2.splat(3.14159265358979323846));
  const b = f64x2.sub(more, f64x2.nearest(more));
  const low = f32x4.demote_f64x2_zero(a);
  const high = f32x4.demote_f64x2_zero(b);
  return f32x4.mul(v128.shuffle<f32>(low, high, 0, 1, 4, 5), f32x4.splat(3.14159265358979323846));
}

export function cosTurns(turns: f64): f64 {
  const x = reduced<f64>(f64x2.splat(turns), f64x2.splat(0));
  const s = f64x2.extract_lane(halfSin<f64>(x, f64x2.mul(x, x)), 0);
  return 1 - 2 * s * s;
}

export function sinTurns(turns: f64): f64 {
  const x = reduced<f64>(f64x2.splat(turns), f64x2.splat(0));
  const y = f64x2.mul(x, x);
  return 2 * f64x2.extract_lane(halfSin<f64>(x, y), 0) * f64x2.extract_lane(halfCos<f64>(y), 0);
}

/// cos and sin of 2 pi w n[k] for k < count (a multiple of 4), T each; n is f64 and may hold NaN.
export function screen<T>(n: usize, count: i32, w: f64, cosines: usize, sines: usize): void {
  const ws = f64x2.splat(w);
  const lanes = <i32>(16 / sizeof<T>());
  for (let k = 0; k < count; k += lanes) {
    const at = n + ((<usize>k) << 3);
    const turns = f64x2.mul(ws, v128.load(at));
    const x = reduced<T>(turns, sizeof<T>() == 4 ? f64x2.mul(ws, v128.load(at, 16)) : turns);
    const y = v128.mul<T>(x, x);
    const s = halfSin<T>(x, y);
    const c = halfCos<T>(y);
    const to = <usize>k * sizeof<T>();
    v128.store(cosines + to, nmadd<T>(v128.add<T>(s, s), s, v128.splat<T>(<T>1)));
    v128.store(sines + to, v128.mul<T>(v128.add<T>(s, s), c));
  }
}
