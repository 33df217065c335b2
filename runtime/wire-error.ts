/**
 * Owns how an error crosses the wire: name, message, code, fields, stack and cause, with what can't be sent
 * turned into text. Must not know: the codec, messages.
 */
import { inspect } from 'node:util';
import { AsperitasError, type ErrorFields } from './errors.ts';

/** An error as plain data. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly fields?: ErrorFields;
  readonly stack?: string;
  readonly cause?: unknown;
}

/** Causes are followed so deep, and texts cut at so many characters: errors must never be the bulk of a
 * message. */
const limits = { causes: 4, characters: 16_384 };

const cut = (text: string): string => text.slice(0, limits.characters);

function fieldsOf(value: unknown): ErrorFields | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const plain = Object.entries(value).filter(
    ([, entry]) =>
      ['string', 'number', 'boolean'].includes(typeof entry) ||
      (Array.isArray(entry) && entry.every((item) => typeof item === 'string')),
  );
  return plain.length === 0 ? undefined : (Object.fromEntries(plain) as ErrorFields);
}

/** What is no error, as text: its words if it is one, else as a programmer would print it. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? inspect(value, { depth: 2 }) : String(value);
}

/** Describes anything that was thrown, or says that it can't be described. */
export function toWireError(thrown: unknown, depth = 0): PlainError {
  try {
    if (!(thrown instanceof Error)) return { name: 'Error', message: cut(textOf(thrown)) };
    return describe(thrown, depth);
  } catch (error) {
    const why = error instanceof Error ? `: ${String(error.message)}` : '';
    return { name: 'Error', message: cut(`something was thrown that can't be described${why}`) };
  }
}

function describe(thrown: Error, depth: number): PlainError {
  const { code, fields } = thrown as Error & { code?: unknown; fields?: unknown };
  const plainFields = fieldsOf(fields);
  return {
    name: cut(String(thrown.name)),
    message: cut(String(thrown.message)),
    ...(typeof code === 'string' ? { code } : {}),
    ...(plainFields === undefined ? {} : { fields: plainFields }),
    ...(typeof thrown.stack === 'string' ? { stack: cut(thrown.stack) } : {}),
    ...(thrown.cause === undefined || depth >= limits.causes
      ? {}
      : { cause: toWireError(thrown.cause, depth + 1) }),
  };
}

/** The language's own kinds of error. */
const natives = new Map<string, ErrorConstructor>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((kind) => [
    kind.name,
    kind as ErrorConstructor,
  ]),
);

/** Makes an error again; whatever is missing or of a wrong type is left out, since the data come from a
 * peer. */
export function fromWireError(wire: unknown, depth = 0): Error {
  const plain: Partial<Record<keyof PlainError, unknown>> =
    typeof wire === 'object' && wire !== null ? wire : { message: String(wire) };
  const message = typeof plain.message === 'string' ? plain.message : 'unknown error';
  const cause =
    plain.cause === undefined || depth >= limits.causes ? undefined : fromWireError(plain.cause, depth + 1);
  const options = cause === undefined ? {} : { cause };
  let error: Error;
  if (plain.name === 'AsperitasError' && typeof plain.code === 'string') {
    error = new AsperitasError(plain.code, message, fieldsOf(plain.fields) ?? {}, options);
  } else {
    const Native = natives.get(String(plain.name)) ?? Error;
    error = new Native(message, options);
    if (typeof plain.name === 'string' && plain.name !== error.name)
      Object.defineProperty(error, 'name', { value: plain.name, configurable: true });
    if (typeof plain.code === 'string') Object.assign(error, { code: plain.code });
  }
  if (typeof plain.stack === 'string') error.stack = plain.stack;
  return error;
}
