/**
 * Owns the journal that several schedulers share on a Redis server: the holder of the lease writes it, and
 * every write is refused once another has begun an epoch. Must not know: what a record means, how a command
 * gets to the server (redis.ts).
 */
import { AsperitasError } from '../../runtime/index.ts';
import { GroupCommit, inBlocks } from './group-commit.ts';
import type { Journal } from './journal.ts';
import { Lease } from './lease.ts';
import { journalLimits } from './limits.ts';
import { decodeBlock, encodeBlock } from './record-block.ts';
import { RedisLink } from './redis.ts';
import { appendScript, type ClusterKeys, keysOf, removeScript, turnScript } from './redis-scripts.ts';
import { parseRedisUrl } from './redis-url.ts';
import { warningsOf } from './redis-warnings.ts';

export interface RedisJournalOptions {
  /** Gives up waiting for the lease. */
  readonly signal?: AbortSignal;
  /** Names the cluster: schedulers of one name share a journal and take over from one another. */
  readonly cluster: string;
  /** Where this scheduler will be found, for those who stand by. */
  readonly address?: string;
  /** In place of one in the URL, which other users of the machine could read. */
  readonly password?: string;
  /** Told of what an operator would want to know. */
  readonly log?: (line: string) => void;
}

class RedisJournal implements Journal {
  readonly epoch: number;
  readonly lost: Promise<AsperitasError>;
  readonly #link: RedisLink;
  readonly #lease: Lease;
  readonly #keys: ClusterKeys;
  readonly #commits = new GroupCommit((records) => this.#commit(records));
  #generation: number;
  #closed: Promise<void> | undefined;
  #blocks: number;
  /** Number of the last write in this epoch. */
  #writes = 0;

  constructor(link: RedisLink, lease: Lease, log: { readonly keys: ClusterKeys; readonly blocks: number }) {
    this.#link = link;
    this.#lease = lease;
    this.#keys = log.keys;
    this.#generation = lease.generation;
    this.#blocks = log.blocks;
    this.epoch = lease.epoch;
    this.lost = lease.lost;
    void this.lost.then((error) => this.#commits.fail(error));
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    const log = this.#keys.log(this.#generation);
    const blocks = this.#blocks;
    for (let start = 0; start < blocks; start += journalLimits.blocksRead) {
      const words = ['LRANGE', log, start, start + journalLimits.blocksRead - 1] as const;
      const found = (await this.#link.send(words, { signal: this.#lease.ended })) as Buffer[];
      const wanted = Math.min(journalLimits.blocksRead, blocks - start);
      for (let index = 0; index < wanted; index++) {
        const records = found[index] === undefined ? undefined : decodeBlock(start + index + 1, found[index]);
        if (records === undefined) throw this.#damaged(log, start + index + 1);
        yield* records;
      }
    }
  }

  append(records: readonly Uint8Array[]): Promise<void> {
    return records.length === 0 ? Promise.resolve() : this.#commits.append(records);
  }

  rewrite(records: Iterable<Uint8Array>): Promise<void> {
    return this.#commits.alone(async () => {
      const next = this.#generation + 1;
      await this.#write(removeScript, next, []);
      let blocks = 0;
      for (const list of inBlocks(records)) {
        await this.#write(appendScript, next, [encodeBlock(++blocks, list)]);
      }
      await this.#write(turnScript, this.#generation, [String(next)]);
      this.#generation = next;
      this.#blocks = blocks;
    });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#commits.close(new AsperitasError('journal-failed', 'the journal was closed'));
    await this.#lease.release();
    this.#link.close();
  }

  async #commit(records: readonly Uint8Array[]): Promise<void> {
    await this.#write(appendScript, this.#generation, [encodeBlock(this.#blocks + 1, records)]);
    this.#blocks++;
  }

  /** Makes one write, however often it must be sent. */
  async #write(script: string, generation: number, args: readonly (string | Buffer)[]): Promise<void> {
    const keys = [this.#keys.epoch, this.#keys.head, this.#keys.log(generation)];
    const what = { keys, args: [String(this.epoch), String(++this.#writes), ...args] };
    let word: string;
    try {
      word = String(await this.#link.run(script, what, { signal: this.#lease.ended }));
    } catch (error) {
      throw this.#lease.fail(error as AsperitasError);
    }
    if (word === 'done') return;
    if (word === 'fenced') throw this.#lease.lose('another scheduler has taken it over');
    const message =
      `${this.#link.url} has lost writes that it had confirmed: ` +
      'let it write every change to its disk (appendonly yes, appendfsync always)';
    throw this.#lease.fail(new AsperitasError('journal-failed', message, { url: this.#link.url }));
  }

  #damaged(log: string, block: number): AsperitasError {
    const message =
      `the journal at ${this.#link.url} is damaged (block ${block} of ${log}): restore it from a copy, ` +
      'or choose another --cluster-name, and what was unfinished is submitted anew by its clients';
    return new AsperitasError('journal-damaged', message, { url: this.#link.url, log, block });
  }
}

/** Waits until no other scheduler of the cluster leads, then opens the journal as its one writer.
 * @throws AsperitasError `journal-unreachable`, `journal-failed`, `unknown-journal`, `aborted` */
export async function openRedisJournal(url: string, options: RedisJournalOptions): Promise<Journal> {
  const { cluster, address, password, log = () => undefined } = options;
  const { place, leaseMs } = parseRedisUrl(url, password);
  const keys = keysOf(cluster);
  const link = new RedisLink(place);
  let lease: Lease | undefined;
  // A signal that never fires stands for none.
  const signal = options.signal ?? new AbortController().signal;
  try {
    for (const warning of await warningsOf(link, { signal, once: true })) log(warning);
    lease = await Lease.take({ link, keys, cluster, leaseMs, address }, { signal, log });
    const words = ['LLEN', keys.log(lease.generation)] as const;
    const blocks = (await link.send(words, { signal: lease.ended })) as number;
    return new RedisJournal(link, lease, { keys, blocks });
  } catch (error) {
    await lease?.release();
    link.close();
    if (!signal.aborted) throw error;
    const message = 'waiting to become the leader was aborted';
    throw new AsperitasError('aborted', message, {}, { cause: signal.reason });
  }
}
