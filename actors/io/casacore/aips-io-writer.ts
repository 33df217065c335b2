/**
 * Owns the writing of AipsIO, casacore's framing of objects, strings and numbers, and of its records of
 * keywords, into memory. Must not know: what the objects are for, files.
 */

/** A keyword to be written; numbers carry their type, arrays are of one dimension. */
export type KeywordToWrite =
  | boolean
  | string
  | { readonly int: number }
  | { readonly float: number }
  | { readonly double: number }
  /** The name of a subtable in the table's own directory. */
  | { readonly subtable: string }
  | readonly string[]
  | Int32Array
  | Uint32Array
  | Float64Array
  | RecordToWrite;
export interface RecordToWrite {
  readonly [name: string]: KeywordToWrite;
}

const magic = 0xbebebebe;

/** casacore's numbers for the types of keywords. */
const typeCodes = {
  bool: 0,
  int: 5,
  float: 7,
  double: 8,
  string: 11,
  table: 12,
  arrayInt: 18,
  arrayUint: 19,
  arrayDouble: 21,
  arrayString: 24,
  record: 25,
} as const;

type Kind = keyof typeof typeCodes;

function kindOf(value: KeywordToWrite): Kind {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (Array.isArray(value)) return 'arrayString';
  if (value instanceof Int32Array) return 'arrayInt';
  if (value instanceof Uint32Array) return 'arrayUint';
  if (value instanceof Float64Array) return 'arrayDouble';
  if ('int' in value && typeof value.int === 'number') return 'int';
  if ('float' in value && typeof value.float === 'number') return 'float';
  if ('double' in value && typeof value.double === 'number') return 'double';
  if ('subtable' in value && typeof value.subtable === 'string') return 'table';
  return 'record';
}

const encoder = new TextEncoder();

/** Grows as it is written to; big-endian ("canonical") unless told otherwise. */
export class AipsWriter {
  readonly #littleEndian: boolean;
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(littleEndian = false) {
    this.#littleEndian = littleEndian;
  }

  /** What was written so far. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  bool(value: boolean): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value ? 1 : 0);
  }

  int(value: number): void {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value, this.#littleEndian);
  }

  uint(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, this.#littleEndian);
  }

  float(value: number): void {
    const at = this.#reserve(4);
    this.#view.setFloat32(at, value, this.#littleEndian);
  }

  double(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, this.#littleEndian);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  string(text: string): void {
    const bytes = encoder.encode(text);
    this.uint(bytes.length);
    this.raw(bytes);
  }

  /** An object: its length counts everything from itself to the end of what `write` writes. */
  object(type: string, version: number, write: () => void, topLevel = false): void {
    if (topLevel) this.uint(magic);
    const at = this.#length;
    this.uint(0);
    this.string(type);
    this.uint(version);
    write();
    this.#view.setUint32(at, this.#length - at, this.#littleEndian);
  }

  /** A shape or position, fastest axis first. */
  position(values: readonly number[]): void {
    this.object('IPosition', 1, () => {
      this.uint(values.length);
      for (const value of values) this.int(value);
    });
  }

  block(values: ArrayLike<number>): void {
    this.object('Block', 1, () => {
      this.uint(values.length);
      for (let k = 0; k < values.length; k++) this.uint(values[k]!);
    });
  }

  /** A record of keywords, its description first. `Record` in tiled managers, `TableRecord` elsewhere. */
  record(record: RecordToWrite, type: 'TableRecord' | 'Record' = 'TableRecord'): void {
    this.object(type, 1, () => {
      this.#recordDescription(record);
      this.int(1);
      for (const value of Object.values(record)) this.#keyword(value);
    });
  }

  #recordDescription(record: RecordToWrite): void {
    this.object('RecordDesc', 2, () => {
      const entries = Object.entries(record);
      this.uint(entries.length);
      for (const [name, value] of entries) {
        const kind = kindOf(value);
        this.string(name);
        this.int(typeCodes[kind]);
        // A nested record describes itself where its value is, so its description here is empty.
        if (kind === 'record') this.#recordDescription({});
        else if (kind === 'table') this.string('');
        else if (kind.startsWith('array')) this.position([-1]);
        this.string('');
      }
    });
  }

  #keyword(value: KeywordToWrite): void {
    if (typeof value === 'boolean') this.bool(value);
    else if (typeof value === 'string') this.string(value);
    else if (Array.isArray(value)) this.#array('String', value, (text: string) => this.string(text));
    else if (value instanceof Int32Array) this.#array('Int', [...value], (n) => this.int(n));
    else if (value instanceof Uint32Array) this.#array('uInt', [...value], (n) => this.uint(n));
    else if (value instanceof Float64Array) this.#array('double', [...value], (n) => this.double(n));
    else this.#namedKeyword(value as RecordToWrite);
  }

  #namedKeyword(value: RecordToWrite): void {
    const kind = kindOf(value);
    if (kind === 'int') this.int(Number(value.int));
    else if (kind === 'float') this.float(Number(value.float));
    else if (kind === 'double') this.double(Number(value.double));
    // "././" is how casacore writes "inside this table's directory".
    else if (kind === 'table') this.string(`././${String(value.subtable)}`);
    else this.record(value);
  }

  #array<T>(type: string, values: readonly T[], write: (value: T) => void): void {
    this.object(`Array<${type}>`, 3, () => {
      this.uint(1);
      this.uint(values.length);
      this.uint(values.length);
      values.forEach(write);
    });
  }
}
