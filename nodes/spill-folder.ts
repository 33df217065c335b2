/**
 * Owns the folder in which one process keeps its spilled data: made when it is needed, removed at the end,
 * and those that killed processes of this machine left beside it removed too. Must not know: what the files
 * hold.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AsperitasError } from '../runtime/index.ts';

const prefix = `asperitas-spill-${hostname().replaceAll(/[^\w]/g, '_')}-`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is alive too.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Removes the folders of processes that ended without a chance to do so themselves. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

export class SpillFolder {
  readonly #parent: string;
  readonly #path: string;
  #made: Promise<string> | undefined;

  constructor(parent: string) {
    this.#parent = parent;
    this.#path = join(parent, `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`);
  }

  /** The folder's path, once it is there.
   * @throws AsperitasError `cannot-write` */
  make(): Promise<string> {
    this.#made ??= this.#create().catch((error: unknown) => {
      this.#made = undefined;
      throw error;
    });
    return this.#made;
  }

  async #create(): Promise<string> {
    try {
      // Data may be confidential: other users of the machine must not read them.
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      const fields = { path: this.#parent, code };
      const message = `can't make a folder for spilled data in ${this.#parent} (${code}); choose another one`;
      throw new AsperitasError('cannot-write', message, fields, { cause: error });
    }
    await removeLeftovers(this.#parent).catch(() => undefined);
    return this.#path;
  }

  /** What can't be removed now is removed by the next process that spills here. */
  async remove(): Promise<void> {
    await this.#made?.catch(() => undefined);
    if (this.#made === undefined) return;
    await rm(this.#path, { recursive: true, force: true }).catch(() => undefined);
  }
}
