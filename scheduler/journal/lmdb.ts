/**
 * Owns the journal in a folder of this machine, kept by LMDB: each append is one transaction, which is on
 * the disk before it counts, and which fails if another scheduler has begun a new epoch since. Must not know:
 * what a record means.
 *
 * Entries: `head` (generation, numbers of its first and last block), `epoch`, and a block of records by
 * generation and number. A rewrite fills the next generation, then changes `head`.
 */
import { chmod, mkdir, realpath, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { open, type RootDatabase } from 'lmdb';
import { AsperitasError } from '../../runtime/index.ts';
import { GroupCommit, inBlocks } from './group-commit.ts';
import { type Journal, nextEpoch } from './journal.ts';
import { journalLimits } from './limits.ts';
import { claimFolder, leaveFolder } from './owner-file.ts';
import { decodeBlock, encodeBlock } from './record-block.ts';
import { type TrialReading, tryReading } from './trial-reading.ts';

type Database = RootDatabase<Buffer>;

interface Head {
  readonly generation: number;
  readonly first: number;
  /** One less than `first` where there is no block. */
  readonly last: number;
}

export interface LmdbOptions {
  /** Told of what an operator would want to know. */
  readonly log?: (line: string) => void;
}

const dataFile = 'data.mdb';
const emptyHead: Head = { generation: 0, first: 1, last: 0 };

const blockKey = (generation: number, number: number) => ['block', generation, number];

function openDatabase(folder: string, readOnly: boolean): Database {
  return open<Buffer>({
    path: folder,
    // Else a folder with a dot in its name would be taken for a file.
    noSubdir: false,
    encoding: 'binary',
    useVersions: true,
    cache: false,
    // A commit is durable when it is over, not some time later.
    overlappingSync: false,
    readOnly,
  });
}

const encodeHead = (head: Head): Buffer => Buffer.from(JSON.stringify(head));

function readHead(database: Database): Head {
  const bytes = database.get('head');
  return bytes === undefined ? emptyHead : (JSON.parse(bytes.toString()) as Head);
}

function readBlock(database: Database, generation: number, number: number): Uint8Array[] | undefined {
  const bytes = database.get(blockKey(generation, number));
  return bytes === undefined ? undefined : decodeBlock(number, bytes);
}

/** Reads everything: the numbers of the first block that is missing or damaged, if one is, and of the last.
 * To be called in a process of its own: LMDB trusts its file, and reading a damaged one may end the
 * process. */
export function inspectFolder(folder: string): TrialReading {
  const database = openDatabase(folder, true);
  const { generation, first, last } = readHead(database);
  for (let number = first; number <= last; number++) {
    if (readBlock(database, generation, number) === undefined) return { flaw: number, last };
  }
  return { last };
}

function failed(folder: string, cause: unknown): AsperitasError {
  const why = cause instanceof Error ? cause.message.split(':')[0]! : String(cause);
  const message = `the journal in ${folder} can't be written: ${why}`;
  return new AsperitasError('journal-failed', message, { folder, why }, { cause });
}

function damaged(folder: string, why: string): AsperitasError {
  const message =
    `the journal in ${folder} is damaged (${why}): ` +
    'restore it from a copy, or move it away, and what was unfinished is submitted anew by its clients';
  return new AsperitasError('journal-damaged', message, { folder, why });
}

class LmdbJournal implements Journal {
  readonly epoch: number;
  readonly lost: Promise<AsperitasError>;
  readonly #folder: string;
  readonly #database: Database;
  readonly #commits = new GroupCommit((records) => this.#commit(records));
  #head: Head;
  #closed: Promise<void> | undefined;
  #settleLost!: (error: AsperitasError) => void;

  constructor(folder: string, database: Database, begun: { readonly epoch: number; readonly head: Head }) {
    this.#folder = folder;
    this.#database = database;
    this.epoch = begun.epoch;
    this.#head = begun.head;
    this.lost = new Promise((resolve) => {
      this.#settleLost = resolve;
    });
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    const { generation, first, last } = this.#head;
    for (let number = first; number <= last; number++) {
      const records = readBlock(this.#database, generation, number);
      if (records === undefined) throw damaged(this.#folder, `block ${number} of ${last} can't be read`);
      yield* records;
      await nextTurn();
    }
  }

  append(records: readonly Uint8Array[]): Promise<void> {
    return records.length === 0 ? Promise.resolve() : this.#commits.append(records);
  }

  rewrite(records: Iterable<Uint8Array>): Promise<void> {
    return this.#commits.alone(async () => {
      const former = this.#head;
      const generation = former.generation + 1;
      let last = 0;
      for (const list of inBlocks(records)) {
        const number = ++last;
        await this.#guarded(() => this.#put(blockKey(generation, number), encodeBlock(number, list)));
        await nextTurn();
      }
      const head = { generation, first: 1, last };
      await this.#guarded(() => this.#put('head', encodeHead(head)));
      this.#head = head;
      await this.#remove(former);
    });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const message = `the journal in ${this.#folder} was closed`;
    await this.#commits.close(new AsperitasError('journal-failed', message, { folder: this.#folder }));
    await this.#database.close();
    await leaveFolder(this.#folder);
  }

  async #commit(records: readonly Uint8Array[]): Promise<void> {
    const { generation, first, last } = this.#head;
    const head = { generation, first, last: last + 1 };
    const block = encodeBlock(head.last, records);
    await this.#guarded(() => {
      this.#put(blockKey(generation, head.last), block);
      this.#put('head', encodeHead(head));
    });
    this.#head = head;
  }

  async #remove({ generation, first, last }: Head): Promise<void> {
    for (let start = first; start <= last; start += journalLimits.removedAtOnce) {
      const end = Math.min(start + journalLimits.removedAtOnce, last + 1);
      await this.#guarded(() => {
        for (let number = start; number < end; number++) {
          this.#database.remove(blockKey(generation, number)).catch(() => undefined);
        }
      });
    }
  }

  #put(key: string | (string | number)[], value: Buffer): void {
    // What goes wrong rejects the transaction.
    this.#database.put(key, value, 0).catch(() => undefined);
  }

  /** Makes changes in one durable transaction, provided that the epoch is still ours. */
  async #guarded(change: () => void): Promise<void> {
    let ours: boolean;
    try {
      ours = await this.#database.ifVersion('epoch', this.epoch, change);
    } catch (error) {
      const { commitError } = error as { readonly commitError?: Promise<never> };
      const cause: unknown = await Promise.resolve(commitError).catch((inner: unknown) => inner);
      throw this.#lose(failed(this.#folder, cause ?? error));
    }
    if (ours) return;
    const message = `another scheduler writes the journal in ${this.#folder} now: this one must end`;
    throw this.#lose(new AsperitasError('journal-fenced', message, { folder: this.#folder }));
  }

  #lose(error: AsperitasError): AsperitasError {
    this.#settleLost(error);
    return error;
  }
}

/** Makes the folder, or takes one that is there; nobody else may read what users compute. */
async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const folder = await realpath(path);
    await chmod(folder, 0o700);
    return folder;
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const message = `the folder ${path} of the journal can't be made (${why}): choose another --journal`;
    throw new AsperitasError('journal-failed', message, { folder: path, why }, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** File systems of other machines, by their numbers in Linux. */
const remoteSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x00c36400, 'CephFS'],
  [0x19830326, 'BeeGFS'],
]);

/** A warning where a folder is of no use for LMDB, whose locks and maps want a disk of this machine.
 * @param type of the file system, as the system numbers it */
export function warningOf(folder: string, type: number): string | undefined {
  const system = remoteSystems.get(type >>> 0);
  if (system === undefined) return undefined;
  return `${folder} is on ${system}, where a journal can be damaged: name a local folder by --journal`;
}

/** Begins a new epoch in one transaction; what an earlier one left half done goes.
 * @param flaw number of the first block that can't be read */
function beginEpoch(database: Database, flaw: number | undefined): { epoch: number; head: Head } {
  return database.transactionSync(() => {
    const former = database.get('epoch');
    const epoch = nextEpoch(former === undefined ? undefined : Number(former.toString()));
    const found = readHead(database);
    const head = flaw === undefined ? found : { ...found, last: flaw - 1 };
    database.putSync('epoch', Buffer.from(String(epoch)), epoch);
    database.putSync('head', encodeHead(head), 0);
    for (const key of database.getKeys({ start: ['block'], end: ['block', Number.MAX_SAFE_INTEGER] })) {
      const [, generation, number] = key as [string, number, number];
      if (generation !== head.generation || number > head.last) database.removeSync(key);
    }
    return { epoch, head };
  });
}

/** Opens the journal in a folder as its one writer.
 * @throws AsperitasError `journal-in-use`, `journal-damaged`, `journal-failed` */
export async function openLmdbJournal(path: string, { log }: LmdbOptions = {}): Promise<Journal> {
  const folder = await makeFolder(path);
  await claimFolder(folder);
  try {
    const warning = warningOf(folder, (await statfs(folder)).type);
    if (warning !== undefined) log?.(warning);
    const flaw = (await exists(join(folder, dataFile))) ? await flawOf(folder, log) : undefined;
    const database = openDatabase(folder, false);
    for (const file of [dataFile, 'lock.mdb']) await chmod(join(folder, file), 0o600);
    return new LmdbJournal(folder, database, beginEpoch(database, flaw));
  } catch (error) {
    await leaveFolder(folder);
    throw error instanceof AsperitasError ? error : failed(folder, error);
  }
}

/** A last block that can't be read is cut off, since the one before is a state that was; any other is not. */
async function flawOf(folder: string, log: LmdbOptions['log']): Promise<number | undefined> {
  const { flaw, last, why } = await tryReading(folder);
  if (why !== undefined) throw damaged(folder, why);
  if (flaw === undefined) return undefined;
  if (flaw < last) throw damaged(folder, `block ${flaw} of ${last} can't be read`);
  log?.(`the last block of the journal in ${folder} was damaged and is left out`);
  return flaw;
}
