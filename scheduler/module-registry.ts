/**
 * Owns which version of each module of tasks the cluster runs: the first who states a digest decides, and
 * whoever states another is refused, since equal keys must mean equal tasks. Must not know: how a digest is
 * made, connections.
 */
import { AsperitasError } from '../runtime/index.ts';

/** Digests by the name of the module. */
export type ModuleDigests = Readonly<Record<string, string>>;

interface Statement {
  readonly digest: string;
  /** Who states it; the version counts while any of them is there. */
  readonly by: Set<string>;
}

export class ModuleRegistry {
  readonly #statements = new Map<string, Statement>();

  /** @throws AsperitasError `module-mismatch` */
  admit(id: string, modules: ModuleDigests = {}): void {
    this.leave(id);
    for (const [name, digest] of Object.entries(modules)) {
      const known = this.#statements.get(name);
      if (known === undefined || known.digest === digest) continue;
      const other = [...known.by][0]!;
      const message =
        `${id} has another version of the module ${name} (${short(digest)}) than ${other} ` +
        `(${short(known.digest)}): install the same on both, or let the others leave first`;
      throw new AsperitasError('module-mismatch', message, { id, other, module: name, digest });
    }
    for (const [name, digest] of Object.entries(modules)) {
      const known = this.#statements.get(name);
      if (known === undefined) this.#statements.set(name, { digest, by: new Set([id]) });
      else known.by.add(id);
    }
  }

  leave(id: string): void {
    for (const [name, { by }] of this.#statements) {
      if (by.delete(id) && by.size === 0) this.#statements.delete(name);
    }
  }
}

const short = (digest: string): string => digest.slice(0, 12);
