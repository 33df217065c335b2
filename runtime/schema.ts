/**
 * Owns run-time checks of values that come from another process: a schema is a validator and, by inference, a
 * type. A value that fits is returned as it is (extra fields are dropped from objects); one that does not is
 * an `invalid-message` error naming the field. Must not know: sockets, or what any message means.
 */
import { AsperitasError } from './errors.ts';

/** A validator of values of type `T`; `path` names the place in the message for the error. */
export interface Schema<T> {
  readonly parse: (value: unknown, path: string) => T;
  /** Whether `parse` would give back the value itself: told without a copy, and without making up paths. Of
   * a value that does not fit, `parse` tells what is wrong with it, or leaves out what is too much. */
  readonly fits: (value: unknown) => boolean;
  readonly optional?: true;
}
export type Infer<S> = S extends Schema<infer T> ? T : never;

function mismatch(path: string, wanted: string): never {
  throw new AsperitasError('invalid-message', `invalid message: ${path} must be ${wanted}`, { path, wanted });
}

function primitive<T>(wanted: string, fits: (value: unknown) => value is T): Schema<T> {
  return { parse: (value, path) => (fits(value) ? value : mismatch(path, wanted)), fits };
}

export const text: Schema<string> = primitive('text', (v): v is string => typeof v === 'string');
export const flag: Schema<boolean> = primitive('true or false', (v): v is boolean => typeof v === 'boolean');
export const real: Schema<number> = primitive('a number', (v): v is number => typeof v === 'number');
/** A non-negative safe integer: counts, bytes, sequence numbers. */
export const count: Schema<number> = primitive(
  'a non-negative integer',
  (v): v is number => Number.isSafeInteger(v) && (v as number) >= 0,
);
export const bytes: Schema<Uint8Array> = primitive('bytes', (v): v is Uint8Array => v instanceof Uint8Array);
/** An object of a class, such as `instance(Float32Array)`. */
export function instance<T>(Class: { new (...args: never[]): T; readonly name: string }): Schema<T> {
  return primitive(`a ${Class.name}`, (v): v is T => v instanceof Class);
}
/** Anything: the receiver checks it by other means. */
export const anything: Schema<unknown> = { parse: (value) => value, fits: () => true };

/** The same check under a narrower static type, for branded ids. */
export function as<T>(schema: Schema<string> | Schema<number>): Schema<T> {
  return schema as unknown as Schema<T>;
}

/** One of a few fixed words. */
export function oneOf<const W extends readonly string[]>(...words: W): Schema<W[number]> {
  return primitive(`one of ${words.join(', ')}`, (v): v is W[number] => words.includes(v as string));
}

export function array<T>(item: Schema<T>): Schema<readonly T[]> {
  const fits = (value: unknown): boolean => Array.isArray(value) && value.every(item.fits);
  return {
    fits,
    parse: (value, path) => {
      if (fits(value)) return value as readonly T[];
      if (!Array.isArray(value)) return mismatch(path, 'a list');
      return value.map((entry, index) => item.parse(entry, `${path}[${index}]`));
    },
  };
}

/** A field that may be absent. */
export function maybe<T>(schema: Schema<T>): Schema<T | undefined> & { readonly optional: true } {
  return {
    parse: (value, path) => (value === undefined || value === null ? undefined : schema.parse(value, path)),
    fits: (value) => value === undefined || schema.fits(value),
    optional: true,
  };
}

type Shape = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<S extends Shape> = {
  [K in keyof S]: S[K] extends { readonly optional: true } ? K : never;
}[keyof S];
export type ObjectOf<S extends Shape> = { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]> } & {
  readonly [K in OptionalKeys<S>]?: Exclude<Infer<S[K]>, undefined>;
};

/** A record with exactly these fields; the result has a plain prototype whatever the sender wrote. */
export function object<S extends Shape>(shape: S): Schema<ObjectOf<S>> {
  const fields = Object.entries(shape);
  const fits = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null) return false;
    if (Object.getPrototypeOf(value) !== Object.prototype) return false;
    let known = 0;
    for (const [name, schema] of fields) {
      const field = (value as Record<string, unknown>)[name];
      if (!schema.fits(field)) return false;
      if (field !== undefined) known++;
    }
    return Object.keys(value).length === known;
  };
  return {
    fits,
    parse: (value, path) => {
      if (fits(value)) return value as ObjectOf<S>;
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return mismatch(path, 'a record');
      const result: Record<string, unknown> = {};
      for (const [name, schema] of fields) {
        const own = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
        const parsed = schema.parse(own, `${path}.${name}`);
        if (parsed !== undefined || schema.optional === undefined) result[name] = parsed;
      }
      return result as ObjectOf<S>;
    },
  };
}

/** A map with free keys, such as resources by name. */
export function dictionary<T>(item: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return {
    // Always copied, to a record without a prototype.
    fits: () => false,
    parse: (value, path) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return mismatch(path, 'a record');
      const entries = Object.entries(value).map(([key, entry]) => [key, item.parse(entry, `${path}.${key}`)]);
      return Object.assign(Object.create(null), Object.fromEntries(entries)) as Record<string, T>;
    },
  };
}
