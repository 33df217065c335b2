/**
 * Owns how an error crosses the wire: name, message, code, fields, stack and cause, with what can't be sent
 * turned into text. Must not know: the codec, messages.
 */
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

/** Describes anything that was thrown. */
export function toWireError(thrown: unknown, depth = 0): PlainError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: cut(String(thrown)) };
  const { code, fields } = thrown as Error & { code?: unknown; fields?: unknown };
  const plainFields = fieldsOf(fields);
  return {
    name: cut(thrown.name),
    message: cut(thrown.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(plainFields === undefined ? {} : { fields: plainFields }),
    ...(thrown.stack === undefined ? {} : { stack: cut(thrown.stack) }),
    ...(thrown.cause === undefined || depth >= limits.causes
      ? {}
      : { cause: toWireError(thrown.cause, depth + 1) }),
  };
}

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
    error = new Error(message, options);
    if (typeof plain.name === 'string')
      Object.defineProperty(error, 'name', { value: plain.name, configurable: true });
    if (typeof plain.code === 'string') Object.assign(error, { code: plain.code });
  }
  if (typeof plain.stack === 'string') error.stack = plain.stack;
  return error;
}
