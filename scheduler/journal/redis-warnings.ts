/**
 * Owns what is said of a Redis server that may lose or forget what it is given. Must not know: what is kept
 * there.
 */
import type { Persistence, RedisLink } from './redis.ts';

/** Fields of `INFO`, by name. */
function fieldsOf(info: string): Map<string, string> {
  return new Map(
    info.split('\r\n').flatMap((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
}

/** One line for each setting that a journal should not be kept with.
 * @throws as `RedisLink.send` does */
export async function warningsOf(link: RedisLink, until: Persistence): Promise<string[]> {
  const fields = fieldsOf(String(await link.send(['INFO'], until)));
  const warnings: string[] = [];
  const policy = fields.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction' && fields.get('maxmemory') !== '0') {
    warnings.push(
      `${link.url} may throw the journal away when memory is short: set maxmemory-policy noeviction`,
    );
  }
  if (fields.get('aof_enabled') === '0') {
    warnings.push(`${link.url} forgets the journal when it ends: set appendonly yes and appendfsync always`);
    return warnings;
  }
  // A server may forbid the question; then nothing is known.
  const answer = await link.send(['CONFIG', 'GET', 'appendfsync'], until).catch(() => []);
  const sync = String((answer as Buffer[])[1] ?? 'always');
  if (sync !== 'always') {
    warnings.push(
      `${link.url} may lose a second if its machine fails (appendfsync ${sync}): set appendfsync always`,
    );
  }
  return warnings;
}
