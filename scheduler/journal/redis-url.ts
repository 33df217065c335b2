/**
 * Owns the reading of the URL of a Redis server. Must not know: how it is reached.
 */
import { AsperitasError } from '../../runtime/index.ts';
import { journalLimits } from './limits.ts';
import type { RedisPlace } from './redis.ts';

const form = 'redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?leaseMs=N]';
const defaultPort = 6379;

/** The message does not quote the URL: it may hold a password. */
function bad(why: string): AsperitasError {
  return new AsperitasError('unknown-journal', `the URL of Redis ${why}: ${form} is wanted`, { why });
}

/** @throws AsperitasError `unknown-journal` */
export function parseRedisUrl(
  url: string,
  password: string | undefined,
): { readonly place: RedisPlace; readonly leaseMs: number } {
  if (!URL.canParse(url)) throw bad('makes no sense');
  const parts = new URL(url);
  const database = Number(parts.pathname.slice(1) || '0');
  if (!Number.isSafeInteger(database) || database < 0) throw bad('names a database that is no number');
  if (parts.hostname === '') throw bad('names no host');
  for (const name of parts.searchParams.keys()) if (name !== 'leaseMs') throw bad(`has an unknown ${name}`);
  const leaseMs = Number(parts.searchParams.get('leaseMs') ?? journalLimits.leaseMs);
  const { leastLeaseMs, mostLeaseMs } = journalLimits;
  if (!(Number.isInteger(leaseMs) && leaseMs >= leastLeaseMs && leaseMs <= mostLeaseMs))
    throw bad(`wants leaseMs from ${leastLeaseMs} to ${mostLeaseMs}`);
  const given = parts.password === '' ? password : decodeURIComponent(parts.password);
  return {
    place: {
      host: parts.hostname.replace(/^\[|\]$/g, ''),
      port: parts.port === '' ? defaultPort : Number(parts.port),
      database,
      encrypted: parts.protocol === 'rediss:',
      user: parts.username === '' ? undefined : decodeURIComponent(parts.username),
      password: given,
    },
    leaseMs,
  };
}
