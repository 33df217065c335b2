// Owns the vector operations that the kernels are written in, for T = f32 (4 lanes) and T = f64 (2 lanes).
// The relaxed build fuses multiply and add; the plain build rounds twice.
// Must not know: what the kernels compute.

@inline
export function madd<T>(a: v128, b: v128, c: v128): v128 {
  if (isDefined(RELAXED)) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(c, v128.mul<T>(a, b));
}

@inline
export function nmadd<T>(a: v128, b: v128, c: v128): v128 {
  if (isDefined(RELAXED)) return v128.relaxed_nmadd<T>(a, b, c);
  return v128.sub<T>(c, v128.mul<T>(a, b));
}

@inline
export function loadSplat<T>(address: usize): v128 {
  return sizeof<T>() == 4 ? v128.load32_splat(address) : v128.load64_splat(address);
}
