/**
 * Owns the shape of an error in a message. Must not know: which messages carry errors, or why.
 */
import { anything, dictionary, type Infer, maybe, object, text } from '../runtime/index.ts';

/** An error as it crosses the wire; `cause` is nested to a limited depth. */
export const wireError = object({
  name: text,
  message: text,
  code: maybe(text),
  fields: maybe(dictionary(anything)),
  stack: maybe(text),
  cause: maybe(anything),
});
export type WireError = Infer<typeof wireError>;
