/**
 * Owns the main job from end to end: look at the sets, plan, image every frame, search, write the products.
 * Must not know: command lines, terminals, how the cluster came to be.
 */
import { mkdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { AsperitasError } from '../../runtime/index.ts';
import type { GraphCluster, RunTrace, WaitOptions } from '../../scheduler/index.ts';
import type { SetAddress } from '../imaging/block.ts';
import { mjdFromUnixMs } from '../io/calendar.ts';
import { writeFailure } from '../io/write-atomically.ts';
import { ResumeStore } from './resume-store.ts';
import { softwareVersions } from './software.ts';
import { checkRoom, costOf, planText, type SearchCost } from './transients-cost.ts';
import { describeSetForSearch, hasSet, rowRunsOf, type SetSummary } from './transients-describe.ts';
import { type FirstLight, firstLight } from './transients-first-light.ts';
import { writeImages } from './transients-images.ts';
import { countDensity, type Stand } from './transients-pass.ts';
import { planTransients, type TransientPlan } from './transients-plan.ts';
import { type AlertRole, removeLeftovers, writeProducts } from './transients-products.ts';
import type { TransientRequest } from './transients-request.ts';
import { rowsOf, type SourceRows } from './transients-rows.ts';
import { type SearchResult, type SearchState, search } from './transients-search.ts';

/** A set as a user names it: without a site, the sites are asked. */
export interface WantedSet {
  readonly site: string | undefined;
  readonly path: string;
}

/** What to run, where to. */
export interface TransientRun {
  readonly cluster: GraphCluster;
  readonly request: Omit<TransientRequest, 'sets'> & { readonly sets: readonly WantedSet[] };
  readonly out: string;
  readonly signal: AbortSignal;
  /** Of the alerts; `test` unless told. */
  readonly role?: AlertRole;
  /** The command as given, for the record. */
  readonly command?: readonly string[];
  /** Versions by name, for the record; found out unless told. */
  readonly software?: Readonly<Record<string, string>>;
}

/** What the caller is told on the way. */
export interface RunHooks {
  onPlan?(text: string): void;
  onStage?(stage: string): void;
}

/** What a run has found and written. */
export interface RunOutcome {
  readonly plan: TransientPlan;
  readonly cost: SearchCost;
  readonly light: FirstLight;
  readonly result: SearchResult;
  readonly rows: readonly SourceRows[];
  /** Names of the files, relative to the output folder. */
  readonly names: readonly string[];
}

const nameOf = ({ key, node, startMs }: RunTrace): string => `${key} ${node} ${startMs}`;

/** Runs the main job. Throws what the sets, the plan, the tasks and the files throw; `aborted` on the
 * signal. */
export async function runTransients(run: TransientRun, hooks: RunHooks = {}): Promise<RunOutcome> {
  const { cluster, request, out, signal } = run;
  const wait = { signal };
  const startedMjd = mjdFromUnixMs(Date.now());
  // What the cluster ran before belongs to others.
  const earlier = new Set((await cluster.trace(wait)).map(nameOf));
  const { nodes } = await cluster.status(wait);
  hooks.onStage?.('looking at the sets');
  const sets = await locate(cluster, request.sets, wait);
  const about = { field: request.field, dataColumn: request.dataColumn };
  const summaries: readonly SetSummary[] = await cluster.compute(
    sets.map((set) => describeSetForSearch.with({ site: set.site })(set, about)),
    wait,
  );
  const used = nodes.filter(({ site }) => sets.some((set) => set.site === site));
  const threads = used.reduce((sum, node) => sum + node.threads, 0);
  const planned = planTransients({ ...request, sets }, withOwnAddress(summaries, sets), threads);
  const cost = costOf(planned);
  hooks.onPlan?.(planText(planned, cost, used));
  checkRoom(planned, cost, used);
  const plan = await withRowRuns(cluster, planned, wait);
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    throw writeFailure(out, error);
  });
  await removeLeftovers(out);
  const store = await ResumeStore.open(out, identityOf(plan));
  const stand: Stand = { cluster, plan, wait, density: await countDensity({ cluster, plan, wait }) };
  hooks.onStage?.('imaging');
  const light = await firstLight(stand, store);
  const state = (await store.loadState()) as SearchState | undefined;
  const result = await search(
    stand,
    { ...light, state },
    {
      onRound: ({ phase, sources }) => hooks.onStage?.(stageName(phase, sources)),
      onState: (next) => store.saveState(next),
    },
  );
  hooks.onStage?.('writing');
  const rows = rowsOf(plan, result.sources);
  const { names: written, bands: images } = await writeImages(stand, { light, result, store }, out);
  const runs = (await cluster.trace(wait)).filter((one) => !earlier.has(nameOf(one)));
  const software = run.software ?? (await softwareVersions());
  const told = { role: run.role ?? 'test', command: run.command ?? [], software, startedMjd } as const;
  const more = await writeProducts(stand, { result, rows, images, runs, written }, told, out);
  for (const fit of result.fits) fit.release();
  for (const held of [...light.heldPsfs, ...stand.density]) held?.release();
  await store.remove();
  return { plan, cost, light, result, rows, names: [...written, ...more] };
}

const stageName = (phase: string, sources: number): string =>
  phase === 'frames' ? `searching (${sources} sources)` : `fitting ${sources} sources`;

/** Results come as copies: the plan tells sets apart by identity. */
function withOwnAddress(summaries: readonly SetSummary[], sets: readonly SetAddress[]): SetSummary[] {
  return summaries.map((summary, k) => ({ ...summary, set: sets[k]! }));
}

/** What frames and search depend on. */
function identityOf({ request, sets, blocks }: TransientPlan): unknown {
  return {
    request,
    sets: sets.map(({ sizeBytes, changedMs, dataColumn, fieldId }) => [
      sizeBytes,
      changedMs,
      dataColumn,
      fieldId,
    ]),
    blocks: blocks.map(({ id }) => id),
  };
}

/** Finds the sites of sets that were named without one. Throws `usage`, `no-such-file`, `no-such-site`,
 * `ambiguous-site`. */
async function locate(
  cluster: GraphCluster,
  sets: readonly WantedSet[],
  wait: WaitOptions,
): Promise<readonly SetAddress[]> {
  const { nodes } = await cluster.status(wait);
  const sites = [...new Set(nodes.flatMap(({ site, data }) => (data === undefined ? [] : [site])))];
  const found: SetAddress[] = [];
  for (const { site, path } of sets) {
    if (site !== undefined) {
      if (!sites.some((one) => one === site)) throw noSuchSite(site, sites);
      found.push({ site, path });
      continue;
    }
    const answers = await cluster.compute(
      sites.map((one) => hasSet.with({ site: one })(path)),
      wait,
    );
    const having = sites.filter((_, k) => answers[k]);
    if (having.length === 1) found.push({ site: having[0]!, path });
    else throw having.length === 0 ? noSuchFile(path, sites) : ambiguousSite(path, having);
  }
  refuseRepeated(found);
  return found;
}

/** A set that counts twice would make noise look like half as much. Throws `usage`. */
function refuseRepeated(sets: readonly SetAddress[]): void {
  const seen = new Set<string>();
  for (const { site, path } of sets) {
    const name = `${site}:${posix.normalize(path)}`;
    if (seen.has(name)) throw new AsperitasError('usage', `${path} is given twice`, { path });
    seen.add(name);
  }
}

function noSuchSite(site: string, sites: readonly string[]): AsperitasError {
  const known = sites.length === 0 ? 'no node was started with --data' : `there are ${sites.join(', ')}`;
  return new AsperitasError('no-such-site', `no node with a data folder at site ${site}: ${known}`, { site });
}

function noSuchFile(path: string, sites: readonly string[]): AsperitasError {
  const where =
    sites.length === 0 ? 'no node has a --data folder' : `not below --data at ${sites.join(', ')}`;
  return new AsperitasError('no-such-file', `${path}: ${where}; check the path`, { path });
}

function ambiguousSite(path: string, sites: readonly string[]): AsperitasError {
  const message = `${path} is at ${sites.join(' and ')}: name the site, as in ${sites[0]}:${path}`;
  return new AsperitasError('ambiguous-site', message, { path, sites });
}

/** The plan with the rows of each block found, so that tasks need not index the whole set. */
async function withRowRuns(
  cluster: GraphCluster,
  plan: TransientPlan,
  wait: WaitOptions,
): Promise<TransientPlan> {
  const runs: readonly (readonly Uint32Array[])[] = await cluster.compute(
    plan.sets.map(({ set }) =>
      rowRunsOf.with({ site: set.site })(
        set.path,
        plan.blocks.filter((block) => block.set === set).map(({ selection }) => selection),
      ),
    ),
    wait,
  );
  const next = plan.sets.map(() => 0);
  const blocks = plan.blocks.map((block) => {
    const at = plan.sets.findIndex(({ set }) => set === block.set);
    const rowRuns = runs[at]![next[at]!++]!;
    return { ...block, selection: { ...block.selection, rowRuns } };
  });
  return { ...plan, blocks };
}
