// Owns the way from visibilities to sorted samples: where each falls on the padded uv grid and between the
// w planes, counted by (plane, tile) in a first pass and written in that order in a second.
// Must not know: how samples are spread over the grid, what the planes mean.
//
// A sample record of T = f32 | f64 (32 | 56 bytes; S = sizeof T):
//   u32 byte offset of its first cell | i32 first plane | T xu, xv, xw in [-1, 1] | vis re, im | u32 index
// The index (twice the number of the sample, plus one where its checkerboard sign is minus) serves
// prediction.
import { cosTurns, sinTurns } from './turns.lib';

/// Byte offsets in the table of parameters (f64 each), which TypeScript fills (grid-plan.ts).
const SCALE_U: usize = 0; // cells of the unit grid a wavelength
const SCALE_V: usize = 8;
const SIZE_U: usize = 16; // padded grid
const SIZE_V: usize = 24;
const HALF_UV: usize = 32; // half the support in u and v
const SCALE_W: usize = 40; // planes a wavelength, or 1/half range
const OFFSET_W: usize = 48;
const HALF_W: usize = 56; // half the support in w; 0: every sample reaches every plane
const TURN_U: usize = 64; // turns a wavelength of the phase that each sample is rotated by
const TURN_V: usize = 72;
const TURN_W: usize = 80;
const FLIP_BY: usize = 88; // 1: v, 2: w is made positive by conjugation
const TILE_SHIFT: usize = 96;
const TILES_U: usize = 104;
const TILES: usize = 112; // tiles a plane
const STRIDE: usize = 120; // bytes a grid row
const BORDER: usize = 128; // cells around the grid, for kernels that reach beyond its edges
const EMPTY: usize = 136; // 1: records start at zero, for prediction
// ... where the counting pass leaves the extent of the first cells (i32 each)
const MIN_U: usize = 144;
const MAX_U: usize = 148;
const MIN_V: usize = 152;
const MAX_V: usize = 156;

export const COUNT: i32 = 0;
export const PLACE: i32 = 1;

@inline
export function recordSize<T>(): usize {
  return sizeof<T>() == 4 ? 32 : 56;
}

@inline
export function visOffset<T>(): usize {
  return 8 + 3 * sizeof<T>();
}

@inline
export function indexOffset<T>(): usize {
  return 8 + 5 * sizeof<T>();
}

@inline
function conjugated(v: f64, w: f64, flipBy: f64): bool {
  return flipBy == 2 ? w < 0 : v < 0;
}

/// Walks `rows` x `chans` samples: uvw in metres, freq in 1/m (f/c), vis f32 pairs (weight times visibility).
/// COUNT: slots[plane, tile] += 1. PLACE: writes records, slots holding each cell's next free record number.
/// `sparse`: samples whose vis is zero are skipped; otherwise vis is not read, and none is.
@inline
function walk<T>(
  pass: i32, sparse: bool, uvw: usize, freq: usize, vis: usize, rows: i32, chans: i32, par: usize,
  slots: usize, records: usize, firstIndex: u32,
): void {
  const scaleU = load<f64>(par, SCALE_U);
  const scaleV = load<f64>(par, SCALE_V);
  const sizeU = load<f64>(par, SIZE_U);
  const sizeV = load<f64>(par, SIZE_V);
  const halfUV = load<f64>(par, HALF_UV);
  const scaleW = load<f64>(par, SCALE_W);
  const offsetW = load<f64>(par, OFFSET_W);
  const halfW = load<f64>(par, HALF_W);
  const turnU = load<f64>(par, TURN_U);
  const turnV = load<f64>(par, TURN_V);
  const turnW = load<f64>(par, TURN_W);
  const filling = sparse && load<f64>(par, EMPTY) == 0;
  const turning = turnU != 0 || turnV != 0 || turnW != 0;
  const flipBy = load<f64>(par, FLIP_BY);
  const shift = <i32>load<f64>(par, TILE_SHIFT);
  const tilesU = <i32>load<f64>(par, TILES_U);
  const tiles = <i32>load<f64>(par, TILES);
  const stride = <i32>load<f64>(par, STRIDE);
  const border = <i32>load<f64>(par, BORDER);
  let minU = load<i32>(par, MIN_U);
  let maxU = load<i32>(par, MAX_U);
  let minV = load<i32>(par, MIN_V);
  let maxV = load<i32>(par, MAX_V);
  let sample = vis;
  let index = firstIndex;
  for (let row = 0; row < rows; row++) {
    const at = uvw + <usize>row * 24;
    let u0 = load<f64>(at);
    let v0 = load<f64>(at, 8);
    let w0 = load<f64>(at, 16);
    const flip = conjugated(v0, w0, flipBy);
    if (flip) {
      u0 = -u0;
      v0 = -v0;
      w0 = -w0;
    }
    for (let chan = 0; chan < chans; chan++, index++, sample += 8) {
      let re: f32 = 0;
      let im: f32 = 0;
      if (sparse) {
        re = load<f32>(sample);
        im = load<f32>(sample, 4);
        if (re == 0 && im == 0) continue;
      }
      const perMetre = load<f64>(freq + ((<usize>chan) << 3));
      const u = u0 * perMetre;
      const v = v0 * perMetre;
      const w = w0 * perMetre;
      const au = u * scaleU;
      const av = v * scaleV;
      const ku = (au - nearest(au)) * sizeU + 0.5 * sizeU - halfUV;
      const kv = (av - nearest(av)) * sizeV + 0.5 * sizeV - halfUV;
      const iu = <i32>ceil(ku);
      const iv = <i32>ceil(kv);
      let plane = 0;
      let xw = w * scaleW + offsetW;
      if (halfW != 0) {
        const kw = xw - halfW;
        plane = <i32>ceil(kw);
        xw = 2 * (<f64>plane - kw) - 1;
      }
      const tile = ((iv + border) >> shift) * tilesU + ((iu + border) >> shift);
      const slot = slots + ((<usize>(plane * tiles + tile)) << 2);
      const place = load<u32>(slot);
      store<u32>(slot, place + 1);
      if (pass == COUNT) {
        minU = min(minU, iu);
        maxU = max(maxU, iu);
        minV = min(minV, iv);
        maxV = max(maxV, iv);
        continue;
      }
      const odd = (iu + iv) & 1;
      const record = records + <usize>place * recordSize<T>();
      store<u32>(record, iv * stride + iu * <i32>(2 * sizeof<T>()));
      store<i32>(record, plane, 4);
      store<T>(record, <T>(2 * (<f64>iu - ku) - 1), 8);
      store<T>(record + sizeof<T>(), <T>(2 * (<f64>iv - kv) - 1), 8);
      store<T>(record + 2 * sizeof<T>(), <T>xw, 8);
      store<u32>(record, 2 * index + odd, indexOffset<T>());
      if (!filling) {
        store<T>(record, <T>0, visOffset<T>());
        store<T>(record + sizeof<T>(), <T>0, visOffset<T>());
        continue;
      }
      let r = <f64>re;
      let i = flip ? -<f64>im : <f64>im;
      if (odd) {
        r = -r;
        i = -i;
      }
      if (turning) {
        const turns = u * turnU + v * turnV + w * turnW;
        const c = cosTurns(turns);
        const s = sinTurns(turns);
        const t = r * c - i * s;
        i = r * s + i * c;
        r = t;
      }
      store<T>(record, <T>r, visOffset<T>());
      store<T>(record + sizeof<T>(), <T>i, visOffset<T>());
    }
  }
  if (pass == COUNT) {
    store<i32>(par, minU, MIN_U);
    store<i32>(par, maxU, MAX_U);
    store<i32>(par, minV, MIN_V);
    store<i32>(par, maxV, MAX_V);
  }
}

export function locate<T>(
  pass: i32, sparse: bool, uvw: usize, freq: usize, vis: usize, rows: i32, chans: i32, par: usize,
  slots: usize, records: usize, firstIndex: u32,
): void {
  if (pass == COUNT) {
    if (sparse) walk<T>(COUNT, true, uvw, freq, vis, rows, chans, par, slots, records, firstIndex);
    else walk<T>(COUNT, false, uvw, freq, vis, rows, chans, par, slots, records, firstIndex);
  } else if (sparse) walk<T>(PLACE, true, uvw, freq, vis, rows, chans, par, slots, records, firstIndex);
  else walk<T>(PLACE, false, uvw, freq, vis, rows, chans, par, slots, records, firstIndex);
}

/// Turns slot counts into the number of each slot's first record; returns the total.
export function firstRecords(slots: usize, count: i32): u32 {
  let sum: u32 = 0;
  for (let k = 0; k < count; k++) {
    const at = slots + ((<usize>k) << 2);
    const n = load<u32>(at);
    store<u32>(at, sum);
    sum += n;
  }
  return sum;
}

/// Writes predicted visibilities from their records into `out`, f32 pairs in the order of the samples.
export function gather<T>(records: usize, count: i32, out: usize): void {
  let record = records;
  for (let k = 0; k < count; k++, record += recordSize<T>()) {
    const index = load<u32>(record, indexOffset<T>());
    const sign: T = (index & 1) != 0 ? <T>-1 : <T>1;
    const to = out + ((<usize>(index >> 1)) << 3);
    store<f32>(to, <f32>(sign * load<T>(record, visOffset<T>())));
    store<f32>(to, <f32>(sign * load<T>(record + sizeof<T>(), visOffset<T>())), 4);
  }
}

/// Undoes, on predicted visibilities, what `walk` does to measured ones: rotation and conjugation. What comes
/// in is A^T m, what goes out its adjoint: the conjugate, unless the sample was conjugated itself.
export function unturn(uvw: usize, freq: usize, out: usize, rows: i32, chans: i32, par: usize): void {
  const turnU = load<f64>(par, TURN_U);
  const turnV = load<f64>(par, TURN_V);
  const turnW = load<f64>(par, TURN_W);
  const turning = turnU != 0 || turnV != 0 || turnW != 0;
  const flipBy = load<f64>(par, FLIP_BY);
  let sample = out;
  for (let row = 0; row < rows; row++) {
    const at = uvw + <usize>row * 24;
    const flip = conjugated(load<f64>(at, 8), load<f64>(at, 16), flipBy);
    const sign: f64 = flip ? -1 : 1;
    const path =
      sign * (load<f64>(at) * turnU + load<f64>(at, 8) * turnV + load<f64>(at, 16) * turnW);
    for (let chan = 0; chan < chans; chan++, sample += 8) {
      let r = <f64>load<f32>(sample);
      let i = <f64>load<f32>(sample, 4);
      if (turning) {
        const turns = path * load<f64>(freq + ((<usize>chan) << 3));
        const c = cosTurns(turns);
        const s = sinTurns(turns);
        const t = r * c - i * s;
        i = r * s + i * c;
        r = t;
      }
      store<f32>(sample, <f32>r);
      store<f32>(sample, <f32>(flip ? i : -i), 4);
    }
  }
}
