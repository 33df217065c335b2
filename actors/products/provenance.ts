/**
 * Owns the account of how the results of a run came about: software, parameters, inputs with hashes, graph,
 * outputs with hashes. Must not know: how any of it was computed.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';
import type { RunTrace } from '../../scheduler/index.ts';
import { isoFromMjd } from '../io/calendar.ts';
import { type WriteOptions, writeTextFile } from '../io/write-atomically.ts';

/** `metadata`: sha256 over the `table.dat` of the set and of its subtables and over names and sizes of all
 * files, which changes with any change of structure, keyword or size, but not with a change of values inside
 * a data file. A set that stays at its site is not read whole only to be named. */
export type InputHashKind = 'metadata';

/** One set that was read. */
export interface ProvenanceInput {
  readonly path: string;
  readonly site: string;
  readonly sizeBytes: number;
  readonly hashKind: InputHashKind;
  readonly sha256: string;
}

/** The task graph in figures. */
export interface GraphSummary {
  readonly tasks: number;
  /** Number of tasks by function name. */
  readonly byFunction: Readonly<Record<string, number>>;
  readonly sites: readonly string[];
  readonly nodes: number;
}

/** One file that was written. */
export interface ProvenanceOutput {
  /** Relative to the output folder. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** A parameter as a user would give it. */
export type ParameterValue = string | number | boolean | readonly (string | number)[];

/** The contents of provenance.json. Times are MJD UTC and are written as ISO 8601. */
export interface Provenance {
  /** Versions by name: asperitas itself, node, v8, packages. */
  readonly software: Readonly<Record<string, string>>;
  /** The command as given. */
  readonly command: readonly string[];
  readonly startedMjd: number;
  readonly endedMjd: number;
  /** By name, defaults included. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly inputs: readonly ProvenanceInput[];
  readonly graph: GraphSummary;
  readonly outputs: readonly ProvenanceOutput[];
}

/** The graph as it ran: runs that were repeated count again, frames of an earlier command do not. */
export function summariseGraph(runs: readonly RunTrace[]): GraphSummary {
  const byFunction = new Map<string, number>();
  for (const { fn } of runs) byFunction.set(fn, (byFunction.get(fn) ?? 0) + 1);
  return {
    tasks: runs.length,
    byFunction: Object.fromEntries([...byFunction].sort(([a], [b]) => (a < b ? -1 : 1))),
    sites: [...new Set(runs.map(({ site }) => site))].sort(),
    nodes: new Set(runs.map(({ site, node }) => `${site}/${node}`)).size,
  };
}

/** Reads a file that was written and gives its entry.
 * @param path relative to `folder`
 * @throws AsperitasError `unreadable-file`, `aborted` */
export async function outputOf(
  folder: string,
  path: string,
  { signal }: WriteOptions = {},
): Promise<ProvenanceOutput> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const piece of createReadStream(join(folder, path), { highWaterMark: 1 << 20 })) {
      if (signal?.aborted) {
        const cause: unknown = signal.reason;
        throw new AsperitasError('aborted', `the reading of ${path} was stopped`, { path }, { cause });
      }
      hash.update(piece as Buffer);
      sizeBytes += (piece as Buffer).byteLength;
    }
  } catch (error) {
    if (error instanceof AsperitasError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const message = `${join(folder, path)}: just written, and can't be read (${code})`;
    throw new AsperitasError('unreadable-file', message, { path, code }, { cause: error });
  }
  return { path, sizeBytes, sha256: hash.digest('hex') };
}

/** The text of provenance.json. */
function provenanceJson(provenance: Provenance): string {
  const { startedMjd, endedMjd, software, command, ...rest } = provenance;
  const [started, ended] = [startedMjd, endedMjd].map((mjd) => `${isoFromMjd(mjd)}Z`);
  return `${JSON.stringify({ software, command, started, ended, ...rest }, undefined, 2)}\n`;
}

/** Throws `disk-full`, `cannot-write`, `aborted`. */
export async function writeProvenance(
  path: string,
  provenance: Provenance,
  options: WriteOptions = {},
): Promise<void> {
  await writeTextFile(path, provenanceJson(provenance), options);
}
