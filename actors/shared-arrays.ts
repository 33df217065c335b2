/**
 * Owns the allocation of arrays that executor threads of one node read without a copy: typed arrays, each
 * alone at the start of its own SharedArrayBuffer, so that a whole buffer can be handed over or sent as one
 * frame. Must not know: what the arrays hold.
 */

/** `length` zeros, readable by every thread of the process. */
export function sharedFloat32(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}

/** `length` zeros, readable by every thread of the process. */
export function sharedFloat64(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

/** `length` zeros, readable by every thread of the process. */
export function sharedInt32(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

/** `length` zeros, readable by every thread of the process. */
export function sharedUint8(length: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(length));
}
