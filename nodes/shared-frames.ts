/**
 * Owns where the bulk bytes of a node lie: each frame alone at the start of a SharedArrayBuffer of its size,
 * so that threads read it without a copy and nothing else is shown with it. Must not know: whose frames they
 * are.
 */
import type { DatumParts } from '../runtime/index.ts';

/** Zeros that every thread of the process can read. */
export function allocateShared(sizeBytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(sizeBytes));
}

/** True for a view of the whole of a shared buffer. The buffer of a WebAssembly memory, which is frozen, and
 * one that can grow do not count: their owner goes on using them. */
function isWholeShared({ buffer, byteLength }: Uint8Array): boolean {
  return (
    buffer instanceof SharedArrayBuffer &&
    buffer.byteLength === byteLength &&
    (buffer as { readonly growable?: boolean }).growable !== true &&
    !Object.isFrozen(buffer)
  );
}

/** The frame itself where it is a shared buffer of its own, else a copy that is one. */
function toSharedFrame(frame: Uint8Array): Uint8Array {
  if (isWholeShared(frame)) return frame;
  const copy = allocateShared(frame.byteLength);
  copy.set(frame);
  return copy;
}

/** Bytes of which a message to a thread clones no more than themselves: structured clone copies the whole
 * buffer behind a view, unless it is shared. */
export function toOwnBytes(data: Uint8Array): Uint8Array {
  const { buffer, byteLength } = data;
  const own = buffer.byteLength === byteLength || buffer instanceof SharedArrayBuffer;
  return own ? data : new Uint8Array(data);
}

/** The parts with every frame in shared memory of its own. */
export function toSharedParts(parts: DatumParts): DatumParts {
  return { header: toOwnBytes(parts.header), frames: parts.frames.map(toSharedFrame) };
}
