/**
 * Owns the columnar form of a list: the fields of records travel as lists of their own, so that what many
 * small messages have in common (names of fields, words, shapes) is said once a batch, not once each. Pure.
 * Must not know: msgpack, messages, what a value becomes that is no plain record, list, text or number.
 */
import { AsperitasError } from './errors.ts';

/** Bounds on what a peer may claim, and on what is worth looking at. */
const limits = {
  /** Levels of lists and records that become columns; what is deeper is left to the codec. */
  depth: 12,
  /** Shorter lists are not worth it, unless there is a longer one in them. */
  few: 4,
  /** Shapes of records told apart in one list. */
  shapes: 32,
  /** Longer byte strings travel by themselves, where they may become frames. */
  bytes: 1024,
  /** Of a list, the share of different words up to which they are numbered. */
  words: 0.25,
  /** Records and lists that a header may unfold to: for each of its bytes, and at least. Real messages have
   * ten bytes and more for each; the largest, a million keys at once, have fewer than the last. */
  rowsPerByte: 16,
  leastRows: 4096,
  mostRows: 2 ** 22,
} as const;

type Plain = Record<string, unknown>;
type Column = readonly unknown[];

interface Shape {
  readonly names: readonly string[];
  readonly members: Plain[];
}

/** Names that reach an object's prototype where they are looked up or set carelessly. */
export function isReserved(name: string): boolean {
  // Most names are shorter: they are not compared.
  if (name.length < 9 || name.length > 11) return false;
  return name === '__proto__' || name === 'constructor' || name === 'prototype';
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isShort(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.byteLength <= limits.bytes;
}

function hasLongList(value: unknown): boolean {
  if (Array.isArray(value)) return value.length >= limits.few;
  return isPlain(value) && Object.values(value).some((entry) => Array.isArray(entry) && hasLongList(entry));
}

/** The columnar form of a list. `leaf` makes anything else fit for msgpack. */
export function toColumns(values: readonly unknown[], leaf: (value: unknown) => unknown): Column {
  return [values.length, columnOf(values, leaf, 0)];
}

function columnOf(values: readonly unknown[], leaf: (value: unknown) => unknown, depth: number): Column {
  if (values.length === 0) return ['list', []];
  const [first] = values;
  if (typeof first !== 'object' || first === null) {
    if (values.every((value) => Object.is(value, first))) return ['same', leaf(first)];
    return (typeof first === 'string' ? wordsOf(values) : undefined) ?? ['list', values.map(leaf)];
  }
  if (depth < limits.depth && (values.length >= limits.few || values.some(hasLongList))) {
    if (values.every(isShort)) return bytesColumn(values);
    if (values.every(Array.isArray)) {
      const lists = values as readonly (readonly unknown[])[];
      const lengths = lists.map(({ length }) => length);
      return ['lists', columnOf(lengths, leaf, depth + 1), columnOf(joined(lists), leaf, depth + 1)];
    }
    const shapes = shapesOf(values);
    if (shapes !== undefined) return rowsColumn(shapes, leaf, depth);
  }
  return ['list', values.map(leaf)];
}

/** All items of all lists; `flat` would leave out holes. */
function joined(lists: readonly (readonly unknown[])[]): unknown[] {
  const items: unknown[] = [];
  for (const list of lists) for (let index = 0; index < list.length; index++) items.push(list[index]);
  return items;
}

/** The different words, and for each entry which it is; undefined where they are too many. */
function wordsOf(values: readonly unknown[]): Column | undefined {
  const most = values.length * limits.words;
  const places = new Map<string, number>();
  const which: number[] = [];
  for (const value of values) {
    if (typeof value !== 'string') return undefined;
    let place = places.get(value);
    if (place === undefined) {
      place = places.size;
      if (place >= most) return undefined;
      places.set(value, place);
    }
    which.push(place);
  }
  return ['words', [...places.keys()], which];
}

function bytesColumn(values: readonly Uint8Array[]): Column {
  const lengths = values.map(({ byteLength }) => byteLength);
  const joined = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const value of values) {
    joined.set(value, offset);
    offset += value.byteLength;
  }
  return ['bytes', columnOf(lengths, (length) => length, limits.depth), joined];
}

/** The records grouped by the names of their fields, and for each entry its group; undefined where not all
 * are plain records of a few shapes. */
function shapesOf(
  values: readonly unknown[],
): { readonly shapes: readonly Shape[]; readonly which: readonly number[] } | undefined {
  const shapes: Shape[] = [];
  const which: number[] = [];
  for (const value of values) {
    if (!isPlain(value)) return undefined;
    const names = Object.keys(value);
    let place = shapes.findIndex((shape) => sameNames(shape.names, names));
    if (place < 0) {
      place = shapes.length;
      if (place === limits.shapes || names.some(isReserved)) return undefined;
      shapes.push({ names, members: [] });
    }
    shapes[place]!.members.push(value);
    which.push(place);
  }
  return { shapes, which };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

function rowsColumn(
  { shapes, which }: { readonly shapes: readonly Shape[]; readonly which: readonly number[] },
  leaf: (value: unknown) => unknown,
  depth: number,
): Column {
  const columns = shapes.map(({ names, members }): Column => {
    const fields = names.map((name) => {
      return columnOf(
        members.map((member) => member[name]),
        leaf,
        depth + 1,
      );
    });
    return ['rows', names, fields];
  });
  return columns.length === 1 ? columns[0]! : ['mixed', columns, which];
}

/** For what a peer can't have meant. */
export function damaged(why: string): never {
  throw new AsperitasError('invalid-message', `invalid message: ${why}`, { why });
}

/** The inverse of `toColumns`, which trusts no claim. `raise` is the inverse of `leaf`; `bytes` is the size
 * of what was decoded, which bounds what it may unfold to. */
export function fromColumns(
  packed: unknown,
  { raise, bytes }: { readonly raise: (value: unknown) => unknown; readonly bytes: number },
): unknown[] {
  if (!Array.isArray(packed) || packed.length !== 2) return damaged('a batch is no list');
  return new Unfolding(
    raise,
    Math.min(limits.leastRows + limits.rowsPerByte * bytes, limits.mostRows),
  ).values(packed[1], sizeOf(packed[0]), 0);
}

function sizeOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : damaged('a broken size');
}

class Unfolding {
  readonly #raise: (value: unknown) => unknown;
  #rowsLeft: number;

  constructor(raise: (value: unknown) => unknown, rows: number) {
    this.#raise = raise;
    this.#rowsLeft = rows;
  }

  /** The `size` values of a column. */
  values(column: unknown, size: number, depth: number): unknown[] {
    if (!Array.isArray(column) || depth > 2 * limits.depth) return damaged('a column is missing');
    const [kind, first, second] = column as readonly unknown[];
    switch (kind) {
      case 'same':
        return this.#same(first, size);
      case 'list':
        return listOf(first, size).map(this.#raise);
      case 'words':
        return wordsFrom(first, listOf(second, size));
      case 'bytes':
        return this.#byteStrings(this.values(first, size, depth + 1), second);
      case 'lists':
        return this.#lists(this.values(first, size, depth + 1), second, depth);
      case 'rows':
        return this.#rows(column, size, depth);
      case 'mixed':
        return this.#mixed(first, listOf(second, size), depth);
      default:
        return damaged('an unknown kind of column');
    }
  }

  #claim(rows: number): void {
    this.#rowsLeft -= rows;
    if (!(this.#rowsLeft >= 0)) damaged('a batch unfolds to more than its size allows');
  }

  #same(packed: unknown, size: number): unknown[] {
    this.#claim(size);
    const value = this.#raise(packed);
    if (typeof value === 'object' && value !== null) damaged('one object in several places');
    return new Array<unknown>(size).fill(value);
  }

  #byteStrings(lengths: readonly unknown[], joined: unknown): Uint8Array[] {
    if (!(joined instanceof Uint8Array)) return damaged('bytes are missing');
    let offset = 0;
    const found = lengths.map((length) => {
      const start = offset;
      offset += sizeOf(length);
      return joined.subarray(start, offset);
    });
    return offset === joined.byteLength ? found : damaged('bytes of a wrong length');
  }

  #lists(lengths: readonly unknown[], packed: unknown, depth: number): unknown[][] {
    const total = lengths.reduce((sum: number, length) => sum + sizeOf(length), 0);
    this.#claim(total);
    const items = this.values(packed, total, depth + 1);
    let offset = 0;
    return lengths.map((length) => {
      const start = offset;
      offset += length as number;
      return items.slice(start, offset);
    });
  }

  #rows(column: readonly unknown[], size: number, depth: number): Plain[] {
    const [, names, packed] = column;
    if (!Array.isArray(names) || !Array.isArray(packed)) return damaged('fields are missing');
    this.#claim(size);
    const fields = packed.map((field) => this.values(field, size, depth + 1));
    const rows = Array.from({ length: size }, (): Plain => ({}));
    for (const [place, name] of names.entries()) {
      const field = fields[place];
      if (typeof name !== 'string' || isReserved(name) || field === undefined) damaged('a broken field');
      for (let index = 0; index < size; index++) rows[index]![name as string] = field![index];
    }
    return rows;
  }

  #mixed(packed: unknown, which: readonly unknown[], depth: number): unknown[] {
    if (!Array.isArray(packed) || packed.length > limits.shapes) return damaged('shapes are missing');
    const sizes = packed.map(() => 0);
    const places = which.map((place) => {
      const known = Number.isInteger(place) && Object.hasOwn(sizes, place as number);
      if (!known) damaged('an unknown shape');
      sizes[place as number]!++;
      return place as number;
    });
    const columns = packed.map((column, place) => this.values(column, sizes[place]!, depth + 1));
    const next = packed.map(() => 0);
    return places.map((place) => columns[place]![next[place]!++]);
  }
}

function listOf(value: unknown, size: number): readonly unknown[] {
  return Array.isArray(value) && value.length === size ? value : damaged('a list of a wrong length');
}

function wordsFrom(words: unknown, which: readonly unknown[]): unknown[] {
  if (!Array.isArray(words)) return damaged('words are missing');
  return which.map((place) => {
    const word: unknown = typeof place === 'number' ? words[place] : undefined;
    return typeof word === 'string' ? word : damaged('an unknown word');
  });
}
