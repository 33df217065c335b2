/**
 * Owns the one error class of the project. An operating error (bad input, a lost peer, a full disk) carries a
 * stable `code`, by which programs recognise it, and named `fields`; its message is one line that names the
 * thing concerned and says what to do. Every code has an entry in docs/errors.md (checked by
 * test/tidy.test.ts). Must not know: what any code means to its thrower.
 */

/** Plain values that travel with an error, on the wire too. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** An error that its reader can act on; anything else that is thrown is a defect of the program. */
export class AsperitasError extends Error {
  override readonly name = 'AsperitasError';
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(
    code: string,
    message: string,
    fields: ErrorFields = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.fields = fields;
  }
}

/** True for an `AsperitasError`, with the given code if one is named; recognises errors of other copies
 * too. */
export function isAsperitasError(error: unknown, code?: string): error is AsperitasError {
  if (!(error instanceof Error) || error.name !== 'AsperitasError') return false;
  const candidate = error as Partial<AsperitasError>;
  return typeof candidate.code === 'string' && (code === undefined || candidate.code === code);
}

/** The exhaustiveness check at the end of a `switch` over a tagged union. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected variant: ${JSON.stringify(value)}`);
}

/** A defect of the program: stops the process rather than going on with a broken state. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TypeError(`assertion failed: ${message}`);
}
