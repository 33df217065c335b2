// Owns the complex FFT: lines of any length 2^a 3^b 5^c by Stockham passes over batches of lines that run
// through the lanes together. A batch element is 64 bytes: re[8] im[8] of f32 or re[4] im[4] of f64.
// Forward (exp(-2 pi i k j / N)), unnormalised. The first axis of `data` is rows, `stride` bytes apart.
// Must not know: gridding, where the data lie, who allocates the work buffers (64 N bytes each).
import { loadSplat, madd, nmadd } from './simd.lib';

// Twiddles are T pairs exp(-2 pi i k / N), k < N. A pass of radix r over sub-length n, with s interleaved
// sub-transforms, reads x[s (p + j n/r) + q] and writes y[s (r p + k) + q] = w^(k p) sum_j w_r^(j k) x.

@inline
function putTurned<T>(y: usize, re: v128, im: v128, wr: v128, wi: v128): void {
  v128.store(y, nmadd<T>(im, wi, v128.mul<T>(re, wr)));
  v128.store(y, madd<T>(re, wi, v128.mul<T>(im, wr)), 32);
}

function pass2<T>(x: usize, y: usize, n: i32, s: i32, tw: usize, step: i32): void {
  const n1 = n >> 1;
  const o = (<usize>(s * n1)) << 6;
  const ys = (<usize>s) << 6;
  const size = <usize>(2 * sizeof<T>());
  for (let p: i32 = 0; p < n1; p++) {
    const t = tw + <usize>(p * step) * size;
    const wr = loadSplat<T>(t);
    const wi = loadSplat<T>(t + sizeof<T>());
    let a = x + ((<usize>(s * p)) << 6);
    let c = y + ((<usize>(2 * s * p)) << 6);
    for (let q: i32 = 0; q < s; q++) {
      for (let h: usize = 0; h < 32; h += 16) {
        const ar = v128.load(a + h);
        const ai = v128.load(a + h, 32);
        const br = v128.load(a + o + h);
        const bi = v128.load(a + o + h, 32);
        v128.store(c + h, v128.add<T>(ar, br));
        v128.store(c + h, v128.add<T>(ai, bi), 32);
        putTurned<T>(c + ys + h, v128.sub<T>(ar, br), v128.sub<T>(ai, bi), wr, wi);
      }
      a += 64;
      c += 64;
    }
  }
}

function pass3<T>(x: usize, y: usize, n: i32, s: i32, tw: usize, step: i32): void {
  const n1 = n / 3;
  const o = (<usize>(s * n1)) << 6;
  const ys = (<usize>s) << 6;
  const size = <usize>(2 * sizeof<T>());
  const half = v128.splat<T>(<T>0.5);
  const sin60 = v128.splat<T>(<T>0.86602540378443864676);
  for (let p: i32 = 0; p < n1; p++) {
    const t1 = tw + <usize>(p * step) * size;
    const t2 = tw + <usize>(2 * p * step) * size;
    const w1r = loadSplat<T>(t1);
    const w1i = loadSplat<T>(t1 + sizeof<T>());
    const w2r = loadSplat<T>(t2);
    const w2i = loadSplat<T>(t2 + sizeof<T>());
    let a = x + ((<usize>(s * p)) << 6);
    let c = y + ((<usize>(3 * s * p)) << 6);
    for (let q: i32 = 0; q < s; q++) {
      for (let h: usize = 0; h < 32; h += 16) {
        const x0 = a + h;
        const x1 = x0 + o;
        const x2 = x1 + o;
        const ar = v128.load(x0);
        const ai = v128.load(x0, 32);
        const br = v128.load(x1);
        const bi = v128.load(x1, 32);
        const cr = v128.load(x2);
        const ci = v128.load(x2, 32);
        const sr = v128.add<T>(br, cr);
        const si = v128.add<T>(bi, ci);
        const dr = v128.mul<T>(sin60, v128.sub<T>(br, cr));
        const di = v128.mul<T>(sin60, v128.sub<T>(bi, ci));
        const mr = nmadd<T>(half, sr, ar);
        const mi = nmadd<T>(half, si, ai);
        const y0 = c + h;
        v128.store(y0, v128.add<T>(ar, sr));
        v128.store(y0, v128.add<T>(ai, si), 32);
        // w_3 = -1/2 - i sin60: y1 = m - i d, y2 = m + i d
        putTurned<T>(y0 + ys, v128.add<T>(mr, di), v128.sub<T>(mi, dr), w1r, w1i);
        putTurned<T>(y0 + 2 * ys, v128.sub<T>(mr, di), v128.add<T>(mi, dr), w2r, w2i);
      }
      a += 64;
      c += 64;
    }
  }
}

function pass4<T>(x: usize, y: usize, n: i32, s: i32, tw: usize, step: i32): void {
  const n1 = n >> 2;
  const o = (<usize>(s * n1)) << 6;
  const ys = (<usize>s) << 6;
  const size = <usize>(2 * sizeof<T>());
  for (let p: i32 = 0; p < n1; p++) {
    const t1 = tw + <usize>(p * step) * size;
    const t2 = tw + <usize>(2 * p * step) * size;
    const t3 = tw + <usize>(3 * p * step) * size;
    const w1r = loadSplat<T>(t1);
    const w1i = loadSplat<T>(t1 + sizeof<T>());
    const w2r = loadSplat<T>(t2);
    const w2i = loadSplat<T>(t2 + sizeof<T>());
    const w3r = loadSplat<T>(t3);
    const w3i = loadSplat<T>(t3 + sizeof<T>());
    let a = x + ((<usize>(s * p)) << 6);
    let c = y + ((<usize>(4 * s * p)) << 6);
    for (let q: i32 = 0; q < s; q++) {
      for (let h: usize = 0; h < 32; h += 16) {
        const x0 = a + h;
        const x1 = x0 + o;
        const x2 = x1 + o;
        const x3 = x2 + o;
        const ar = v128.load(x0);
        const ai = v128.load(x0, 32);
        const br = v128.load(x1);
        const bi = v128.load(x1, 32);
        const cr = v128.load(x2);
        const ci = v128.load(x2, 32);
        const dr = v128.load(x3);
        const di = v128.load(x3, 32);
        const pr = v128.add<T>(ar, cr);
        const pi = v128.add<T>(ai, ci);
        const mr = v128.sub<T>(ar, cr);
        const mi = v128.sub<T>(ai, ci);
        const qr = v128.add<T>(br, dr);
        const qi = v128.add<T>(bi, di);
        const er = v128.sub<T>(br, dr);
        const ei = v128.sub<T>(bi, di);
        const y0 = c + h;
        v128.store(y0, v128.add<T>(pr, qr));
        v128.store(y0, v128.add<T>(pi, qi), 32);
        putTurned<T>(y0 + ys, v128.add<T>(mr, ei), v128.sub<T>(mi, er), w1r, w1i);
        putTurned<T>(y0 + 2 * ys, v128.sub<T>(pr, qr), v128.sub<T>(pi, qi), w2r, w2i);
        putTurned<T>(y0 + 3 * ys, v128.sub<T>(mr, ei), v128.add<T>(mi, er), w3r, w3i);
      }
      a += 64;
      c += 64;
    }
  }
}

function pass5<T>(x: usize, y: usize, n: i32, s: i32, tw: usize, step: i32): void {
  const n1 = n / 5;
  const o = (<usize>(s * n1)) << 6;
  const ys = (<usize>s) << 6;
  const size = <usize>(2 * sizeof<T>());
  const c1 = v128.splat<T>(<T>0.30901699437494742410); // cos 72
  const c2 = v128.splat<T>(<T>-0.80901699437494742410); // cos 144
  const s1 = v128.splat<T>(<T>0.95105651629515357212); // sin 72
  const s2 = v128.splat<T>(<T>0.58778525229247312917); // sin 144
  for (let p: i32 = 0; p < n1; p++) {
    const t1 = tw + <usize>(p * step) * size;
    const t2 = tw + <usize>(2 * p * step) * size;
    const t3 = tw + <usize>(3 * p * step) * size;
    const t4 = tw + <usize>(4 * p * step) * size;
    const i1 = t1 + sizeof<T>();
    const i2 = t2 + sizeof<T>();
    const i3 = t3 + sizeof<T>();
    const i4 = t4 + sizeof<T>();
    let a = x + ((<usize>(s * p)) << 6);
    let c = y + ((<usize>(5 * s * p)) << 6);
    for (let q: i32 = 0; q < s; q++) {
      for (let h: usize = 0; h < 32; h += 16) {
        const x0 = a + h;
        const x1 = x0 + o;
        const x2 = x1 + o;
        const x3 = x2 + o;
        const x4 = x3 + o;
        const ar = v128.load(x0);
        const ai = v128.load(x0, 32);
        const pr = v128.add<T>(v128.load(x1), v128.load(x4));
        const pi = v128.add<T>(v128.load(x1, 32), v128.load(x4, 32));
        const mr = v128.sub<T>(v128.load(x1), v128.load(x4));
        const mi = v128.sub<T>(v128.load(x1, 32), v128.load(x4, 32));
        const qr = v128.add<T>(v128.load(x2), v128.load(x3));
        const qi = v128.add<T>(v128.load(x2, 32), v128.load(x3, 32));
        const er = v128.sub<T>(v128.load(x2), v128.load(x3));
        const ei = v128.sub<T>(v128.load(x2, 32), v128.load(x3, 32));
        const y0 = c + h;
        v128.store(y0, v128.add<T>(ar, v128.add<T>(pr, qr)));
        v128.store(y0, v128.add<T>(ai, v128.add<T>(pi, qi)), 32);
        const ur = madd<T>(c1, pr, madd<T>(c2, qr, ar));
        const ui = madd<T>(c1, pi, madd<T>(c2, qi, ai));
        const vr = madd<T>(c2, pr, madd<T>(c1, qr, ar));
        const vi = madd<T>(c2, pi, madd<T>(c1, qi, ai));
        const fr = madd<T>(s1, mr, v128.mul<T>(s2, er));
        const fi = madd<T>(s1, mi, v128.mul<T>(s2, ei));
        const gr = nmadd<T>(s1, er, v128.mul<T>(s2, mr));
        const gi = nmadd<T>(s1, ei, v128.mul<T>(s2, mi));
        // y1 = u - i f, y4 = u + i f, y2 = v - i g, y3 = v + i g
        putTurned<T>(y0 + ys, v128.add<T>(ur, fi), v128.sub<T>(ui, fr), loadSplat<T>(t1), loadSplat<T>(i1));
        const y2 = y0 + 2 * ys;
        putTurned<T>(y2, v128.add<T>(vr, gi), v128.sub<T>(vi, gr), loadSplat<T>(t2), loadSplat<T>(i2));
        const y3 = y2 + ys;
        putTurned<T>(y3, v128.sub<T>(vr, gi), v128.add<T>(vi, gr), loadSplat<T>(t3), loadSplat<T>(i3));
        const y4 = y3 + ys;
        putTurned<T>(y4, v128.sub<T>(ur, fi), v128.add<T>(ui, fr), loadSplat<T>(t4), loadSplat<T>(i4));
      }
      a += 64;
      c += 64;
    }
  }
}

/// Transforms one batch held in b0; returns whichever of b0, b1 holds the result.
function lines<T>(b0: usize, b1: usize, length: i32, tw: usize): usize {
  let n = length;
  let s = 1;
  let x = b0;
  let y = b1;
  while (n > 1) {
    const step = length / n;
    let radix = 5;
    if (n % 4 == 0) {
      radix = 4;
      pass4<T>(x, y, n, s, tw, step);
    } else if (n % 3 == 0) {
      radix = 3;
      pass3<T>(x, y, n, s, tw, step);
    } else if (n % 2 == 0) {
      radix = 2;
      pass2<T>(x, y, n, s, tw, step);
    } else {
      pass5<T>(x, y, n, s, tw, step);
    }
    n /= radix;
    s *= radix;
    const t = x;
    x = y;
    y = t;
  }
  return x;
}

@inline
function columnsIn<T>(p: usize, o: usize): void {
  const a = v128.load(p);
  const b = v128.load(p, 16);
  const c = v128.load(p, 32);
  const d = v128.load(p, 48);
  if (sizeof<T>() == 4) {
    v128.store(o, v128.shuffle<f32>(a, b, 0, 2, 4, 6));
    v128.store(o, v128.shuffle<f32>(c, d, 0, 2, 4, 6), 16);
    v128.store(o, v128.shuffle<f32>(a, b, 1, 3, 5, 7), 32);
    v128.store(o, v128.shuffle<f32>(c, d, 1, 3, 5, 7), 48);
  } else {
    v128.store(o, v128.shuffle<f64>(a, b, 0, 2));
    v128.store(o, v128.shuffle<f64>(c, d, 0, 2), 16);
    v128.store(o, v128.shuffle<f64>(a, b, 1, 3), 32);
    v128.store(o, v128.shuffle<f64>(c, d, 1, 3), 48);
  }
}

@inline
function columnsOut<T>(p: usize, o: usize): void {
  const a = v128.load(o);
  const b = v128.load(o, 16);
  const c = v128.load(o, 32);
  const d = v128.load(o, 48);
  if (sizeof<T>() == 4) {
    v128.store(p, v128.shuffle<f32>(a, c, 0, 4, 1, 5));
    v128.store(p, v128.shuffle<f32>(a, c, 2, 6, 3, 7), 16);
    v128.store(p, v128.shuffle<f32>(b, d, 0, 4, 1, 5), 32);
    v128.store(p, v128.shuffle<f32>(b, d, 2, 6, 3, 7), 48);
  } else {
    v128.store(p, v128.shuffle<f64>(a, c, 0, 2));
    v128.store(p, v128.shuffle<f64>(a, c, 1, 3), 16);
    v128.store(p, v128.shuffle<f64>(b, d, 0, 2), 32);
    v128.store(p, v128.shuffle<f64>(b, d, 1, 3), 48);
  }
}

/// Transforms columns c0..c1 (a multiple of the batch wide) along the rows: `length` rows, of which those
/// outside in0..in1 count as zero, and of which only out0..out1 are written back.
export function columns<T>(
  data: usize, length: i32, stride: usize, c0: i32, c1: i32, in0: i32, in1: i32, out0: i32, out1: i32,
  b0: usize, b1: usize, tw: usize,
): void {
  const batch = <i32>(32 / sizeof<T>());
  for (let c = c0; c < c1; c += batch) {
    const first = data + <usize>c * (2 * sizeof<T>());
    memory.fill(b0, 0, (<usize>in0) << 6);
    memory.fill(b0 + ((<usize>in1) << 6), 0, (<usize>(length - in1)) << 6);
    for (let r = in0; r < in1; r++) columnsIn<T>(first + <usize>r * stride, b0 + ((<usize>r) << 6));
    const x = lines<T>(b0, b1, length, tw);
    for (let r = out0; r < out1; r++) columnsOut<T>(first + <usize>r * stride, x + ((<usize>r) << 6));
  }
}

function rowsIn32(p: usize, stride: usize, o: usize, k0: i32, k1: i32): void {
  for (let h: usize = 0; h < 2; h++) {
    const base = p + 4 * h * stride;
    for (let k = k0; k < k1; k += 2) {
      const at = base + ((<usize>k) << 3);
      const to = o + (h << 4) + ((<usize>k) << 6);
      const a = v128.load(at);
      const b = v128.load(at + stride);
      const c = v128.load(at + 2 * stride);
      const d = v128.load(at + 3 * stride);
      const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(to, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7), 32);
      v128.store(to, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5), 64);
      v128.store(to, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7), 96);
    }
  }
}

function rowsOut32(p: usize, stride: usize, o: usize, k0: i32, k1: i32): void {
  for (let h: usize = 0; h < 2; h++) {
    const base = p + 4 * h * stride;
    for (let k = k0; k < k1; k += 2) {
      const at = base + ((<usize>k) << 3);
      const from = o + (h << 4) + ((<usize>k) << 6);
      const a = v128.load(from);
      const b = v128.load(from, 32);
      const c = v128.load(from, 64);
      const d = v128.load(from, 96);
      const ab0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
      const cd0 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
      const ab1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
      const cd1 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
      v128.store(at, v128.shuffle<f32>(ab0, cd0, 0, 1, 4, 5));
      v128.store(at + stride, v128.shuffle<f32>(ab0, cd0, 2, 3, 6, 7));
      v128.store(at + 2 * stride, v128.shuffle<f32>(ab1, cd1, 0, 1, 4, 5));
      v128.store(at + 3 * stride, v128.shuffle<f32>(ab1, cd1, 2, 3, 6, 7));
    }
  }
}

function rowsIn64(p: usize, stride: usize, o: usize, k0: i32, k1: i32): void {
  for (let h: usize = 0; h < 2; h++) {
    const base = p + 2 * h * stride;
    for (let k = k0; k < k1; k++) {
      const at = base + ((<usize>k) << 4);
      const to = o + (h << 4) + ((<usize>k) << 6);
      const a = v128.load(at);
      const b = v128.load(at + stride);
      v128.store(to, v128.shuffle<f64>(a, b, 0, 2));
      v128.store(to, v128.shuffle<f64>(a, b, 1, 3), 32);
    }
  }
}

function rowsOut64(p: usize, stride: usize, o: usize, k0: i32, k1: i32): void {
  for (let h: usize = 0; h < 2; h++) {
    const base = p + 2 * h * stride;
    for (let k = k0; k < k1; k++) {
      const at = base + ((<usize>k) << 4);
      const from = o + (h << 4) + ((<usize>k) << 6);
      const a = v128.load(from);
      const b = v128.load(from, 32);
      v128.store(at, v128.shuffle<f64>(a, b, 0, 2));
      v128.store(at + stride, v128.shuffle<f64>(a, b, 1, 3));
    }
  }
}

/// Transforms rows r0..r1 (a multiple of the batch) along themselves: columns outside in0..in1 count as zero,
/// and only out0..out1 are written back (all four even).
export function rows<T>(
  data: usize, length: i32, stride: usize, r0: i32, r1: i32, in0: i32, in1: i32, out0: i32, out1: i32,
  b0: usize, b1: usize, tw: usize,
): void {
  const batch = <i32>(32 / sizeof<T>());
  for (let r = r0; r < r1; r += batch) {
    const first = data + <usize>r * stride;
    memory.fill(b0, 0, (<usize>in0) << 6);
    memory.fill(b0 + ((<usize>in1) << 6), 0, (<usize>(length - in1)) << 6);
    if (sizeof<T>() == 4) rowsIn32(first, stride, b0, in0, in1);
    else rowsIn64(first, stride, b0, in0, in1);
    const x = lines<T>(b0, b1, length, tw);
    if (sizeof<T>() == 4) rowsOut32(first, stride, x, out0, out1);
    else rowsOut64(first, stride, x, out0, out1);
  }
}
