/**
 * Owns the way in which every result file comes into being: under a temporary name in its own folder, renamed
 * when it is whole, removed when it is not. A reader never sees half a file, and a failed run leaves the old
 * one. Must not know: any format.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';

/** Small writes are gathered up to this size; more would not make them faster. */
const gatheredBytes = 256 * 1024;

/** A file that is being written. Its methods must be awaited one after the other. */
export interface AtomicFile {
  /** Adds to the end. Nothing of `data` is kept once the promise is fulfilled. */
  append(data: string | Uint8Array): Promise<void>;
  /** Writes at a byte offset, which may lie past the end; the end stays where `append` left it. */
  writeAt(data: Uint8Array, offset: number): Promise<void>;
}

export interface WriteOptions {
  /** Stops the writing with `aborted` and removes what was written. */
  readonly signal?: AbortSignal | undefined;
}

/** The code of what really went wrong: a folder that can't be made in a read-only one is reported as one that
 * does not exist. */
function codeOf(path: string, error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (code !== 'ENOENT') return code;
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
  } catch (refused) {
    return (refused as NodeJS.ErrnoException).code ?? code;
  }
  // A folder that exists and takes no files, such as /proc.
  return folder === dirname(path) ? 'EPERM' : code;
}

/** Turns a failure of the file system into one line that says which file and what to do: `disk-full` or
 * `cannot-write`. */
export function writeFailure(path: string, error: unknown): AsperitasError {
  const code = codeOf(path, error);
  const fields = { path, code };
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const what = `there is no space left to write ${path}; free some, or choose another folder`;
    return new AsperitasError('disk-full', what, fields, { cause: error });
  }
  const reasons: Record<string, string> = {
    EACCES: 'permission denied; choose a folder that you may write to',
    EPERM: 'the file system forbids it; choose another folder',
    EROFS: 'its file system is read-only; choose another folder',
    ENOENT: `there is no folder ${dirname(path)}; create it first`,
    ENOTDIR: `${dirname(path)} is not a folder; choose another one`,
    EEXIST: 'there is a file of that name; remove it or choose another name',
    EISDIR: 'there is a folder of that name; remove it or choose another name',
    ENOTEMPTY: 'there is a folder of that name; remove it or choose another name',
    ENAMETOOLONG: 'the name is too long; choose a shorter one',
    EFBIG: 'it would be larger than the file system or the shell (ulimit -f) allows; raise the limit',
    EMFILE: 'this process has too many files open; raise the limit (ulimit -n)',
  };
  const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new AsperitasError('cannot-write', `cannot write ${path}: ${reason}`, fields, { cause: error });
}

/**
 * The write-through with gathering of small pieces; every failure of the disk leaves here as `writeFailure`.
 */
class OpenFile implements AtomicFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  #end = 0;
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(handle: FileHandle, path: string, signal: AbortSignal | undefined) {
    this.#handle = handle;
    this.#path = path;
    this.#signal = signal;
  }

  async append(data: string | Uint8Array): Promise<void> {
    if (typeof data === 'string') {
      this.#pending.push(data);
      this.#pendingLength += data.length;
      if (this.#pendingLength >= gatheredBytes) await this.flush();
      return;
    }
    await this.flush();
    await this.writeAt(data, this.#end);
    this.#end += data.byteLength;
  }

  async writeAt(data: Uint8Array, offset: number): Promise<void> {
    throwIfAborted(this.#path, this.#signal);
    try {
      let done = 0;
      while (done < data.byteLength) {
        const left = data.byteLength - done;
        done += (await this.#handle.write(data, done, left, offset + done)).bytesWritten;
      }
    } catch (error) {
      throw writeFailure(this.#path, error);
    }
  }

  async flush(): Promise<void> {
    if (this.#pendingLength === 0) return;
    const bytes = Buffer.from(this.#pending.join(''), 'utf8');
    this.#pending = [];
    this.#pendingLength = 0;
    await this.writeAt(bytes, this.#end);
    this.#end += bytes.byteLength;
  }
}

function throwIfAborted(path: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  const cause: unknown = signal.reason;
  throw new AsperitasError('aborted', `the writing of ${path} was stopped`, { path }, { cause });
}

/** Gives `write` an empty file beside `path`; when it is done the file takes the name `path`, replacing what
 * was there. If it fails or is aborted nothing of it stays, and an older `path` stays as it was.
 * @throws AsperitasError `disk-full`, `cannot-write`, `aborted`, and whatever `write` throws. */
export async function writeAtomically(
  path: string,
  write: (file: AtomicFile) => Promise<void>,
  options: WriteOptions = {},
): Promise<void> {
  throwIfAborted(path, options.signal);
  const temporary = `${path}.${randomBytes(4).toString('hex')}.partial`;
  const handle = await open(temporary, 'wx').catch((error: unknown) => {
    throw writeFailure(path, error);
  });
  try {
    try {
      const file = new OpenFile(handle, path, options.signal);
      await write(file);
      await file.flush();
      // Without it a crash of the machine after the rename could leave an empty file of the final name.
      await handle.sync().catch((error: unknown) => {
        throw writeFailure(path, error);
      });
    } finally {
      await handle.close().catch((error: unknown) => {
        throw writeFailure(path, error);
      });
    }
    throwIfAborted(path, options.signal);
    await rename(temporary, path).catch((error: unknown) => {
      throw writeFailure(path, error);
    });
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** `writeAtomically` for a whole text. */
export async function writeTextFile(path: string, text: string, options: WriteOptions = {}): Promise<void> {
  await writeAtomically(path, (file) => file.append(text), options);
}
