/**
 * Owns how values become bytes: a msgpack header for the structure, and one aligned raw frame for each
 * numeric array, so that bulk data are never copied through msgpack. Any value of structured clone travels.
 * The only importer of msgpackr. Must not know: messages, sockets.
 */
import { addExtension, Packr } from 'msgpackr';
import { damaged, fromColumns, isReserved, toColumns } from './columns.ts';
import { AsperitasError } from './errors.ts';
import { checkPacked, type PackedBounds, standIn } from './packed-check.ts';
import { fromWireError, toWireError } from './wire-error.ts';

/** A value as it lies in a store and crosses the wire. Frames may be views of the caller's arrays. */
export interface EncodedValue {
  readonly header: Uint8Array;
  readonly frames: readonly Uint8Array[];
}

/** Limits on what a peer may make this side decode. */
const limits = {
  // Deeper than any honest argument; a recursion of this depth is far from the end of the stack.
  depth: 200,
  // A message between parts of the system is flatter: what users send is inside it, as bytes.
  messageDepth: 64,
  // Text of a regular expression: compiling it takes time.
  regExpCharacters: 65_536,
  // Arrays smaller than this cost less inside the header than as a frame of their own, which is a WebSocket
  // message: tasks' arguments are mostly of this size.
  inlineBytes: 1024,
  // Longer integers take a time to read that grows with the square of their length.
  digits: 4000,
};

/** The same in levels of msgpack: a level of a value is up to four of them, as in a map of pairs. */
const valueBounds: PackedBounds = { depth: 4 * limits.depth, items: 2 ** 28 };
// Columns take levels of their own. The largest messages, a thousand at once or a million keys, have fewer
// items.
const batchBounds: PackedBounds = { depth: 2 * limits.messageDepth, items: 2 ** 23 };

const kinds = {
  i8: Int8Array,
  u8: Uint8Array,
  c8: Uint8ClampedArray,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
} as const;
type Kind = keyof typeof kinds;
const kindOf = new Map(Object.entries(kinds).map(([kind, arrayType]) => [arrayType, kind as Kind]));

/** What stands in the header for something msgpack can't hold; `parts` is plain msgpack. */
class Special {
  readonly parts: readonly unknown[];
  constructor(parts: readonly unknown[]) {
    this.parts = parts;
  }
}
addExtension({
  Class: Special,
  type: standIn,
  write: (special: Special) => special.parts,
  read: (parts: readonly unknown[]) => new Special(Array.isArray(parts) ? parts : []),
});

// useRecords off: each header stands alone, so it can be stored, and decoded by any connection.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: false });

type Plain = Record<string, unknown>;

function lowerInteger(value: bigint): Special {
  const digits = value.toString();
  if (digits.length <= limits.digits) return new Special(['bigint', digits]);
  const message = `an integer of ${digits.length} digits can't be sent: at most ${limits.digits}`;
  throw new AsperitasError('not-serialisable', message, { limit: limits.digits });
}

/** Half a surrogate pair has no place in UTF-8. */
function lowerText(value: string): string | Special {
  const { isWellFormed } = value as string & { readonly isWellFormed: () => boolean };
  return isWellFormed.call(value) ? value : new Special(['utf16', Buffer.from(value, 'utf16le')]);
}

/** Replaces what msgpack can't hold, copying only lists and records in which something changes. */
class Lowering {
  readonly frames: Uint8Array[] = [];
  readonly #lift: boolean;

  constructor(lift: boolean) {
    this.#lift = lift;
  }

  lower(value: unknown, depth: number): unknown {
    if (value === undefined) return new Special(['undefined']);
    if (typeof value === 'bigint') return lowerInteger(value);
    if (typeof value === 'string') return lowerText(value);
    if (typeof value === 'number') return Object.is(value, -0) ? new Special(['-0']) : value;
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new AsperitasError('not-serialisable', `a ${typeof value} can't be sent: pass plain data`);
    }
    if (typeof value !== 'object' || value === null) return value;
    if (depth > limits.depth) {
      const message = `a value is nested deeper than ${limits.depth} levels (a cycle?): flatten it`;
      throw new AsperitasError('not-serialisable', message, { limit: limits.depth });
    }
    if (Array.isArray(value)) return this.#list(value, depth);
    if (ArrayBuffer.isView(value)) return this.#view(value);
    return this.#object(value, depth);
  }

  #list(value: readonly unknown[], depth: number): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const lowered = this.lower(value[index], depth + 1);
      if (lowered !== value[index]) (copy ??= [...value])[index] = lowered;
    }
    return copy ?? value;
  }

  #view(value: ArrayBufferView): Special {
    const data = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
    if (value instanceof DataView) return new Special(['view', this.#place(data)]);
    const kind = kindOf.get(value.constructor as typeof Uint8Array) ?? 'u8';
    return new Special(['array', kind, this.#place(data)]);
  }

  /** The number of a frame, or the bytes themselves where they are few. */
  #place(data: Uint8Array): number | Uint8Array {
    // A copy, because msgpackr reads a shared buffer's bytes through Buffer methods that refuse it.
    if (!this.#lift || data.byteLength <= limits.inlineBytes) return new Uint8Array(data);
    return this.frames.push(data) - 1;
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Date) return new Special(['date', value.getTime()]);
    if (value instanceof Map) {
      const entries = [...value].map(([key, entry]) => [
        this.lower(key, depth + 1),
        this.lower(entry, depth + 1),
      ]);
      return new Special(['map', entries]);
    }
    if (value instanceof Set)
      return new Special(['set', [...value].map((entry) => this.lower(entry, depth + 1))]);
    if (value instanceof Error) return new Special(['error', this.lower(toWireError(value), depth + 1)]);
    if (value instanceof RegExp) return new Special(['regexp', value.source, value.flags]);
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      return new Special(['buffer', this.#place(new Uint8Array(value as ArrayBuffer))]);
    }
    const keys = Object.keys(value);
    // Entries keep `__proto__` and its like ordinary names.
    if (keys.some(isReserved)) {
      return new Special(['record', keys.map((key) => [key, this.lower((value as Plain)[key], depth + 1)])]);
    }
    // Instances of classes and the like become plain records.
    let copy = Object.getPrototypeOf(value) === Object.prototype ? undefined : { ...(value as Plain) };
    for (const key of keys) {
      const entry = (value as Plain)[key];
      const lowered = this.lower(entry, depth + 1);
      if (lowered !== entry) (copy ??= { ...(value as Plain) })[key] = lowered;
    }
    return copy ?? value;
  }
}

/** Puts the values back in place of their stand-ins, checking every claim of the header. */
class Raising {
  readonly #frames: readonly Uint8Array[];
  readonly #depth: number;

  constructor(frames: readonly Uint8Array[], depth: number = limits.depth) {
    this.#frames = frames;
    this.#depth = depth;
  }

  raise(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (depth > this.#depth) damaged(`a value is nested deeper than ${this.#depth} levels`);
    if (value instanceof Special) return this.#special(value.parts, depth);
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) value[index] = this.raise(value[index], depth + 1);
      return value;
    }
    if (ArrayBuffer.isView(value) || value instanceof Date) return value;
    const record = value as Plain;
    for (const key of Object.keys(record)) {
      if (isReserved(key)) damaged(`a field named ${key}`);
      record[key] = this.raise(record[key], depth + 1);
    }
    return record;
  }

  #special(parts: readonly unknown[], depth: number): unknown {
    const [tag, first, second] = parts;
    switch (tag) {
      case 'undefined':
        return undefined;
      case '-0':
        return -0;
      case 'bigint':
        return typeof first === 'string' && first.length <= limits.digits && /^-?\d+$/.test(first)
          ? BigInt(first)
          : damaged('no integer');
      case 'utf16':
        return first instanceof Uint8Array ? Buffer.from(first).toString('utf16le') : damaged('no text');
      case 'date':
        return new Date(typeof first === 'number' ? first : Number.NaN);
      case 'regexp':
        return regExpOf(first, second);
      case 'array':
        return this.#array(first, second);
      case 'view': {
        // Out of the header, of which it would otherwise show all.
        const bytes = this.#bytes(first);
        const data = bytes === first ? new Uint8Array(bytes) : bytes;
        return new DataView(data.buffer, data.byteOffset, data.byteLength);
      }
      case 'buffer':
        return new Uint8Array(this.#bytes(first)).buffer;
      case 'error':
        return fromWireError(this.raise(first, depth + 1));
      case 'set':
        return new Set(this.#list(first, depth));
      case 'map':
        return new Map(this.#pairs(first, depth));
      case 'record':
        return Object.fromEntries(
          this.#pairs(first, depth).map(([key, entry]) =>
            typeof key === 'string' ? [key, entry] : damaged('a name that is no text'),
          ),
        );
      default:
        return damaged('an unknown kind of value');
    }
  }

  #list(value: unknown, depth: number): unknown[] {
    return Array.isArray(value) ? (this.raise(value, depth + 1) as unknown[]) : damaged('a list is missing');
  }

  #pairs(value: unknown, depth: number): [unknown, unknown][] {
    return this.#list(value, depth).map((pair) =>
      Array.isArray(pair) && pair.length === 2 ? [pair[0], pair[1]] : damaged('a pair is missing'),
    );
  }

  #bytes(place: unknown): Uint8Array {
    if (place instanceof Uint8Array) return place;
    const frame = typeof place === 'number' ? this.#frames[place] : undefined;
    return frame ?? damaged('a frame is missing');
  }

  #array(kind: unknown, place: unknown): unknown {
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return damaged('an unknown kind of array');
    const ArrayType = kinds[kind as Kind];
    const data = this.#bytes(place);
    const width = ArrayType.BYTES_PER_ELEMENT;
    if (data.byteLength % width !== 0) damaged('an array of a broken length');
    // Small arrays lie unaligned inside the header: they are copied out.
    const whole = data.byteOffset % width === 0 && place !== data ? data : new Uint8Array(data);
    return new ArrayType(whole.buffer as ArrayBuffer, whole.byteOffset, whole.byteLength / width);
  }
}

function regExpOf(source: unknown, flags: unknown): RegExp {
  if (typeof source !== 'string' || typeof flags !== 'string') return damaged('a broken regular expression');
  if (source.length > limits.regExpCharacters) return damaged('a regular expression of that length');
  try {
    return new RegExp(source, flags);
  } catch {
    return damaged('a broken regular expression');
  }
}

function unpackHeader(header: Uint8Array, bounds = valueBounds): unknown {
  // Before msgpackr sees them: it would follow any depth, and make functions for records that a peer defines.
  checkPacked(header, bounds);
  try {
    return packr.unpack(header);
  } catch (error) {
    const why = `its header is no msgpack (${error instanceof Error ? error.message : 'unknown'})`;
    throw new AsperitasError('invalid-message', `invalid message: ${why}`, { why }, { cause: error });
  }
}

/** Encodes any value of structured clone. Throws `not-serialisable` for functions, symbols and cycles. */
export function encodeValue(value: unknown): EncodedValue {
  const lowering = new Lowering(true);
  const lowered = lowering.lower(value, 0);
  // The packer reuses its buffer: the copy is the header's own.
  return { header: new Uint8Array(packr.pack(lowered)), frames: lowering.frames };
}

/** The inverse of `encodeValue`. Arrays are views of `frames`, in whatever memory those lie; frames must be
 * aligned to 8 bytes. Throws `invalid-message` for anything that `encodeValue` would not write. */
export function decodeValue(header: Uint8Array, frames: readonly Uint8Array[]): unknown {
  return new Raising(frames).raise(unpackHeader(header), 0);
}

/** Encodes a list of messages, many of which have the same fields: by columns. */
export function encodeBatch(messages: readonly unknown[]): EncodedValue {
  const lowering = new Lowering(true);
  const columns = toColumns(messages, (value) => lowering.lower(value, 0));
  return { header: new Uint8Array(packr.pack(columns)), frames: lowering.frames };
}

/** The inverse of `encodeBatch`, on the same terms as `decodeValue`. */
export function decodeBatch(header: Uint8Array, frames: readonly Uint8Array[]): unknown[] {
  const raising = new Raising(frames, limits.messageDepth);
  const raise = (value: unknown): unknown => raising.raise(value, 0);
  return fromColumns(unpackHeader(header, batchBounds), { raise, bytes: header.byteLength });
}

/** One self-contained byte string, for values that travel inside a control message. */
export function encodePacked(value: unknown): Uint8Array {
  return new Uint8Array(packr.pack(new Lowering(false).lower(value, 0)));
}

export function decodePacked(packed: Uint8Array): unknown {
  return new Raising([]).raise(unpackHeader(packed), 0);
}

/** The size of an encoded value. */
export function encodedBytes(encoded: EncodedValue): number {
  return encoded.frames.reduce((sum, frame) => sum + frame.byteLength, encoded.header.byteLength);
}
