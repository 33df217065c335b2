/**
 * Owns the declaration of messages: written once, a protocol gives the static type, the validator and the
 * wire tag of each of its messages. Must not know: how messages travel.
 */
import { AsperitasError } from './errors.ts';
import { type ObjectOf, object, oneOf, type Schema } from './schema.ts';

type Shapes = Readonly<Record<string, Readonly<Record<string, Schema<unknown>>>>>;

/** A closed set of messages between two kinds of peer, in one direction. */
export interface Protocol<S extends Shapes> {
  readonly name: string;
  /** Checks a decoded message; throws `invalid-message` naming protocol, message and field. */
  parse(value: unknown): MessageOfShapes<S>;
}
type MessageOfShapes<S extends Shapes> = {
  [K in keyof S & string]: { readonly type: K } & ObjectOf<S[K]>;
}[keyof S & string];

/** The tagged union of a protocol's messages. */
export type MessageOf<P> = P extends Protocol<infer S> ? MessageOfShapes<S> : never;

/** Declares a protocol: field schemas by message type. */
export function protocol<const S extends Shapes>(name: string, shapes: S): Protocol<S> {
  const parsers = new Map(
    Object.entries(shapes).map(([type, shape]) => [type, object({ type: oneOf(type), ...shape })]),
  );
  return {
    name,
    parse(value) {
      const type =
        typeof value === 'object' && value !== null && Object.hasOwn(value, 'type')
          ? (value as { type: unknown }).type
          : undefined;
      const parser = typeof type === 'string' ? parsers.get(type) : undefined;
      if (parser === undefined) {
        const said = typeof type === 'string' ? type.slice(0, 40) : `of type ${typeof type}`;
        const fields = { protocol: name, type: said };
        throw new AsperitasError(
          'invalid-message',
          `invalid message: ${name} has no message ${fields.type}`,
          fields,
        );
      }
      return parser.parse(value, `${name}.${type}`) as unknown as MessageOfShapes<S>;
    },
  };
}
