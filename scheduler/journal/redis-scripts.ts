/**
 * Owns what is done in Redis in one step. Each script bears to be run twice, since its answer may be lost:
 * the second run changes nothing and answers alike. Must not know: how scripts get there.
 *
 * Keys of a cluster (the braces keep them together): `epoch` the last one that began; `lease` who leads, with
 * an expiry; `head` the generation of the log and the number of the last write in this epoch; `log:N` the
 * blocks of generation N.
 */

export interface ClusterKeys {
  readonly epoch: string;
  readonly lease: string;
  readonly head: string;
  readonly log: (generation: number) => string;
}

export function keysOf(cluster: string): ClusterKeys {
  const prefix = `asperitas:{${cluster}}`;
  return {
    epoch: `${prefix}:epoch`,
    lease: `${prefix}:lease`,
    head: `${prefix}:head`,
    log: (generation) => `${prefix}:log:${generation}`,
  };
}

/** KEYS epoch, lease, head; ARGV who asks, milliseconds, least epoch, holder that is known to be dead.
 * Answers 0 and the holder, or the new epoch and the generation. */
export const acquireScript = `
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] and holder ~= ARGV[4] then return {0, holder} end
local epoch = tonumber(redis.call('GET', KEYS[1]) or '0')
if holder ~= ARGV[1] then
  epoch = math.max(epoch + 1, tonumber(ARGV[3]))
  redis.call('SET', KEYS[1], string.format('%.0f', epoch))
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[3], 'done', '0')
return {epoch, redis.call('HGET', KEYS[3], 'generation') or '0'}
`;

/** KEYS epoch, lease; ARGV holder, milliseconds, epoch. A lease that ran out and that nobody took is taken
 * again. Answers 1 when it is held. */
export const renewScript = `
local holder = redis.call('GET', KEYS[2])
if holder == ARGV[1] then return redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
if holder or redis.call('GET', KEYS[1]) ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
`;

/** KEYS lease; ARGV holder. */
export const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`;

/** What every write begins with. KEYS epoch, head; ARGV epoch, number of this write in it. */
const guard = `
local epoch = redis.call('GET', KEYS[1])
if epoch ~= ARGV[1] then return epoch and 'fenced' or 'lost' end
local done = tonumber(redis.call('HGET', KEYS[2], 'done') or '-1')
if done >= tonumber(ARGV[2]) then return 'done' end
if done ~= tonumber(ARGV[2]) - 1 then return 'lost' end
`;
const finish = `
redis.call('HSET', KEYS[2], 'done', ARGV[2])
return 'done'
`;

/** KEYS … log; ARGV … block. */
export const appendScript = `${guard}
redis.call('RPUSH', KEYS[3], ARGV[3])
${finish}`;

/** Removes a log that is not, or no longer, in use. KEYS … log. */
export const removeScript = `${guard}
redis.call('UNLINK', KEYS[3])
${finish}`;

/** Puts another generation in the place of the former. KEYS … log of the former; ARGV … generation. */
export const turnScript = `${guard}
redis.call('HSET', KEYS[2], 'generation', ARGV[3])
redis.call('UNLINK', KEYS[3])
${finish}`;
