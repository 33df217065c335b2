/**
 * Owns dialling one of several addresses, as they stand in a list with commas between them: those of the
 * schedulers that take over from one another, of which one at a time listens. Must not know: how one address
 * is dialled.
 */
import { AsperitasError, isAsperitasError } from '../errors.ts';
import type { Connection } from './transport.ts';

/** Dials each address in turn until one answers.
 * @throws AsperitasError what the first one that is more than out of reach has against it; else `timeout`
 *   where one of them did not answer, or `unreachable`, naming them all */
export async function dialAny(urls: string, dial: (url: string) => Promise<Connection>): Promise<Connection> {
  const list = urls.split(',').map((url) => url.trim());
  if (list.length === 1) return await dial(list[0]!);
  let telling: unknown;
  let silent: unknown;
  for (const url of list) {
    try {
      return await dial(url);
    } catch (error) {
      if (isAsperitasError(error, 'aborted')) throw error;
      if (isAsperitasError(error, 'timeout')) silent ??= error;
      else if (!isAsperitasError(error, 'unreachable')) telling ??= error;
    }
  }
  const message = `none of ${list.join(', ')} can be reached: check that a scheduler runs at one of them`;
  throw telling ?? silent ?? new AsperitasError('unreachable', message, { url: urls });
}
