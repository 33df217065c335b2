/**
 * Owns the file in which a scheduler writes down who did what: one JSON line an entry, each with the digest
 * of the line before, so that nothing can be taken out or changed without a trace. Must not know: what is
 * worth an entry.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { AsperitasError } from '../runtime/index.ts';

/** Plain values of an entry, beside its number, time, kind and the digest of the line before. */
export type AuditFields = Readonly<Record<string, unknown>>;

/** What an unbroken file holds. */
export interface AuditChain {
  readonly entries: number;
  /** The digest of the last line: whoever has noted it elsewhere knows that no later file was made up. */
  readonly head: string;
  /** Bytes after the last whole line: a write that was cut off. */
  readonly tornBytes: number;
}

const limits = {
  pieceBytes: 2 ** 20,
  /** A line of a submission names its functions: longer ones are none of ours. */
  lineBytes: 2 ** 20,
  /** Lines that wait while the disk refuses them; later ones are counted instead. */
  waiting: 10_000,
} as const;

const start = 'asperitas audit';
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

function broken(path: string, line: number, why: string): AsperitasError {
  const message = `${path}: the chain is broken at line ${line}: ${why}`;
  return new AsperitasError('audit-broken', message, { path, line });
}

/** Why a line does not follow the ones before, if so. */
function flawOf(line: string, entries: number, head: string): string | undefined {
  let entry: { readonly seq?: unknown; readonly before?: unknown };
  try {
    entry = JSON.parse(line) as typeof entry;
  } catch {
    return 'it is no JSON';
  }
  if (entry.before !== head) return 'it does not follow the line before';
  return entry.seq === entries + 1 ? undefined : `its number is not ${entries + 1}`;
}

/** Reads a file from its first line to its last.
 * @throws AsperitasError `audit-broken`, `no-such-file` */
export function verifyAudit(path: string): AuditChain {
  const file = openAudit(path, 'r');
  try {
    return follow(file, path);
  } finally {
    closeSync(file);
  }
}

function openAudit(path: string, flags: 'r' | 'a+'): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const [kind, message] =
      flags === 'r'
        ? ['no-such-file', `${path} can't be read (${code}); check the path`]
        : ['cannot-write', `the audit log ${path} can't be written (${code}); choose another file`];
    throw new AsperitasError(kind!, message!, { path }, { cause });
  }
}

function follow(file: number, path: string): AuditChain {
  const piece = Buffer.alloc(limits.pieceBytes);
  let rest: Buffer = Buffer.alloc(0);
  let entries = 0;
  let head = digestOf(start);
  for (let at = 0, read = 0; ; at += read) {
    read = readSync(file, piece, 0, piece.byteLength, at);
    if (read === 0) return { entries, head, tornBytes: rest.byteLength };
    let data = Buffer.concat([rest, piece.subarray(0, read)]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      const line = data.toString('utf8', 0, end);
      const flaw = flawOf(line, entries, head);
      if (flaw !== undefined) throw broken(path, entries + 1, flaw);
      entries++;
      head = digestOf(line);
      data = data.subarray(end + 1);
    }
    if (data.byteLength > limits.lineBytes) throw broken(path, entries + 1, 'it has no end');
    rest = Buffer.from(data);
  }
}

export class AuditLog {
  readonly #file: number;
  readonly #onTrouble: (why: string) => void;
  #entries: number;
  #head: string;
  #waiting: string[] = [];
  #missing = 0;
  #flushing = false;
  #troubled = false;

  private constructor(file: number, chain: AuditChain, onTrouble: (why: string) => void) {
    this.#file = file;
    this.#entries = chain.entries;
    this.#head = chain.head;
    this.#onTrouble = onTrouble;
  }

  /** Goes on with a file, or begins one that only its owner may read. `onTrouble` hears of a full disk.
   * @throws AsperitasError `cannot-write`, `insecure-file`, `audit-broken` */
  static open(path: string, onTrouble: (why: string) => void): AuditLog {
    const file = openAudit(path, 'a+');
    try {
      const { mode, size } = fstatSync(file);
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
        const message = `the audit log ${path} can be read by others: chmod 600 ${path}`;
        throw new AsperitasError('insecure-file', message, { path });
      }
      const chain = follow(file, path);
      if (chain.tornBytes > 0) ftruncateSync(file, size - chain.tornBytes);
      const log = new AuditLog(file, chain, onTrouble);
      if (chain.tornBytes > 0) log.write('torn', { bytes: chain.tornBytes });
      return log;
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  write(event: string, fields: AuditFields): void {
    if (this.#waiting.length >= limits.waiting) {
      this.#missing++;
      return;
    }
    const missing = this.#missing > 0 ? { missing: this.#missing } : {};
    this.#missing = 0;
    const seq = this.#entries + 1;
    const time = new Date().toISOString();
    const line = JSON.stringify({ seq, time, event, ...fields, ...missing, before: this.#head });
    this.#entries = seq;
    this.#head = digestOf(line);
    this.#waiting.push(line);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.flush());
  }

  /** Writes what waits. What a full disk refuses is tried again with the next entry. */
  flush(): void {
    this.#flushing = false;
    if (this.#waiting.length === 0) return;
    const data = Buffer.from(`${this.#waiting.join('\n')}\n`);
    const { size } = fstatSync(this.#file);
    try {
      for (let done = 0; done < data.byteLength; ) done += writeSync(this.#file, data, done);
      this.#waiting = [];
      this.#troubled = false;
    } catch (error) {
      ftruncateSync(this.#file, size);
      if (!this.#troubled) this.#onTrouble(error instanceof Error ? error.message : String(error));
      this.#troubled = true;
    }
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }
}
