/**
 * Owns the writing of what a search leaves beside its images: catalogue, light curves, alerts, trace, report,
 * and last the record of how all of it came about. Must not know: how each file looks.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTrace } from '../../scheduler/index.ts';
import { mjdFromUnixMs } from '../io/calendar.ts';
import { type WriteOptions, writeFailure } from '../io/write-atomically.ts';
import { writeCatalogueCsv } from '../products/catalogue.ts';
import { writeLightCurves } from '../products/light-curves.ts';
import { outputOf, summariseGraph, writeProvenance } from '../products/provenance.ts';
import { writeReport } from '../products/report.ts';
import { writeTrace } from '../products/trace-events.ts';
import { writeVoevent } from '../products/voevent.ts';
import { writeCatalogueVotable } from '../products/votable.ts';
import type { BandImages } from './transients-images.ts';
import type { Stand } from './transients-pass.ts';
import type { TransientPlan } from './transients-plan.ts';
import { inputsOf, parametersOf, reportInputOf } from './transients-report.ts';
import { alertOf, type SourceRows } from './transients-rows.ts';
import type { SearchResult } from './transients-search.ts';

/** What alerts are: `test` unless the sky was really observed. */
export type AlertRole = 'test' | 'observation';

/** What the products say of the run itself. */
export interface RunAbout {
  readonly role: AlertRole;
  /** The command as given. */
  readonly command: readonly string[];
  /** Versions by name. */
  readonly software: Readonly<Record<string, string>>;
  /** MJD UTC */
  readonly startedMjd: number;
}

/** What a search has found. */
export interface FoundProducts {
  readonly result: SearchResult;
  readonly rows: readonly SourceRows[];
  readonly images: readonly BandImages[];
  readonly runs: readonly RunTrace[];
  /** Names of the images, which are written already. */
  readonly written: readonly string[];
}

/** First part of the identifiers of alerts: no registered authority of the IVOA. */
const authority = 'asperitas.local';
const alertFolder = 'alerts';
const recordName = 'provenance.json';
/** Names that alerts of ours have, so that nothing else is ever removed. */
const alertName = /^J\d{6}\.\d[+-]\d{6}(-\d+)?\.xml$/;
/** What a killed run leaves of a file that it was writing. */
const leftover = /\.[0-9a-f]{8}\.partial$/;

/** Names a run by what it was made of: the same whenever it is repeated. */
function runIdOf(plan: TransientPlan): string {
  const text = JSON.stringify([inputsOf(plan).map(({ sha256 }) => sha256), parametersOf(plan)]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Removes from a folder the files whose names say so; a folder that does not exist has none. */
async function removeFiles(folder: string, isOld: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw writeFailure(folder, error);
  });
  for (const name of names.filter(isOld)) {
    await rm(join(folder, name), { force: true }).catch((error: unknown) => {
      throw writeFailure(join(folder, name), error);
    });
  }
}

/** Removes what a run that was killed has left half-written in the output folder. */
export async function removeLeftovers(out: string): Promise<void> {
  for (const folder of [out, join(out, alertFolder)]) {
    await removeFiles(folder, (name) => leftover.test(name));
  }
}

/** Files that an earlier run wrote into the folder, by its own record; none without one. */
async function earlierProducts(out: string): Promise<readonly string[]> {
  try {
    const record = JSON.parse(await readFile(join(out, recordName), 'utf8')) as {
      outputs: { path: string }[];
    };
    // Of the folder itself: alerts have their own rule, and a record may have been tampered with.
    return record.outputs.map(({ path }) => path).filter((path) => /^[^/\\]+$/.test(path) && path !== '..');
  } catch {
    return [];
  }
}

/** One alert a transient; those of an earlier run that no longer hold are removed. */
async function writeAlerts(
  out: string,
  { plan, rows }: { readonly plan: TransientPlan; readonly rows: readonly SourceRows[] },
  about: Parameters<typeof alertOf>[2],
  options: WriteOptions,
): Promise<string[]> {
  const folder = join(out, alertFolder);
  const transients = rows.filter(({ source }) => source.kind === 'transient');
  if (transients.length > 0) {
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw writeFailure(folder, error);
    });
  }
  const names: string[] = [];
  for (const one of transients) {
    names.push(`${one.source.id}.xml`);
    await writeVoevent(join(folder, names.at(-1)!), alertOf(plan, one, about), options);
  }
  await removeFiles(folder, (name) => alertName.test(name) && !names.includes(name));
  return names.map((name) => `${alertFolder}/${name}`);
}

/** All points, source after source. */
function* pointsOf(rows: readonly SourceRows[]) {
  for (const { points } of rows) yield* points;
}

/** Writes all products but the images into a folder.
 * @returns names of the files, relative to the folder
 * @throws AsperitasError `disk-full`, `cannot-write`, `aborted`, `unreadable-file` */
export async function writeProducts(
  stand: Stand,
  found: FoundProducts,
  about: RunAbout,
  out: string,
): Promise<readonly string[]> {
  const { plan, wait } = stand;
  const options: WriteOptions = { signal: wait.signal };
  const { rows, runs } = found;
  const sources = rows.map(({ source }) => source);
  const software = `asperitas ${about.software.asperitas ?? 'unknown'}`;
  const [first] = plan.sets;
  const now = (): number => mjdFromUnixMs(Date.now());
  const names: string[] = [];
  const at = (name: string): string => {
    names.push(name);
    return join(out, name);
  };
  const named = { software, writtenMjd: now() };
  const table = { ...named, telescope: first!.telescope, field: first!.fieldName };
  await writeCatalogueCsv(at('catalogue.csv'), sources, options);
  await writeCatalogueVotable(at('catalogue.vot'), { sources, about: table }, options);
  await writeLightCurves(at('lightcurves.csv'), pointsOf(rows), options);
  const alert = { ...named, role: about.role, authority, runId: runIdOf(plan) };
  names.push(...(await writeAlerts(out, { plan, rows }, alert, options)));
  await writeTrace(at('trace.json'), runs, options);
  const report = await reportInputOf(stand, found, { software, madeMjd: now() });
  await writeReport(at('report.html'), report, options);
  const outputs = [];
  for (const name of [...found.written, ...names]) outputs.push(await outputOf(out, name, options));
  const provenance = {
    software: about.software,
    command: about.command,
    startedMjd: about.startedMjd,
    endedMjd: now(),
    parameters: { ...parametersOf(plan), role: about.role },
    inputs: inputsOf(plan),
    graph: summariseGraph(runs),
    outputs,
  };
  const earlier = new Set(await earlierProducts(out));
  await writeProvenance(at(recordName), provenance, options);
  // Such as images of other bands: nobody should take them for this run's.
  await removeFiles(
    out,
    (name) => earlier.has(name) && !found.written.includes(name) && !names.includes(name),
  );
  return names;
}
