/**
 * The demonstration (`npm run demo`): an observation in two bands, one at each of two sites, is searched for
 * transients by four node processes; then what was put in is compared with what was found.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fluxDensity, type RunOutcome, runTransients, searchDefaults } from '../actors/index.ts';
import { LocalCluster } from '../nodes/index.ts';
import { matchSources, type TrueSource } from './found-sources.ts';
import { makeTwoSites, type TwoSites } from './two-sites.ts';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../.demo');

/** A sky of 0.22 degrees in radius, seen for eight minutes by the VLA in its compact configuration. */
const plan = {
  layout: 'vla-d',
  integrations: 48,
  channels: 4,
  noiseJy: 0.25,
  radiusRad: 0.0038,
  seed: 20,
} as const;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function truthOf(made: TwoSites, outcome: RunOutcome): TrueSource[] {
  return made.sources.map((source) => ({
    ...source,
    flux: (band, frame) =>
      fluxDensity(source, frame * made.integrationSeconds, outcome.plan.bands[band]!.freqHz),
  }));
}

function columns(rows: readonly (readonly string[])[]): string {
  const width = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(width[column]!)).join('  ')).join('\n');
}

/** Prints what was injected beside what was found; returns whether all of it was, and nothing else. */
function compare(made: TwoSites, outcome: RunOutcome): boolean {
  const truth = truthOf(made, outcome);
  const { matches, missed, extra } = matchSources(outcome, truth);
  const peak = (source: TrueSource): string => {
    const fluxes = outcome.plan.bands.flatMap((_, band) =>
      Array.from({ length: plan.integrations }, (_, frame) => source.flux!(band, frame)),
    );
    return Math.max(...fluxes).toFixed(3);
  };
  const rows = truth.map((source) => {
    const match = matches.find(({ truth: one }) => one === source);
    if (match === undefined) return [source.name, peak(source), 'NOT FOUND', '', '', '', ''];
    const { source: found } = match.rows;
    return [
      source.name,
      peak(source),
      found.id,
      found.kind,
      found.peakFluxJy.toFixed(3),
      match.offsetBeams.toFixed(3),
      match.chiSquare.toFixed(2),
    ];
  });
  const head = ['injected', 'peak Jy', 'found', 'kind', 'peak Jy', 'off, beams', 'chi2/point'];
  say(columns([head, ...rows]));
  for (const id of extra) say(`found, but not injected: ${id}`);
  return missed.length === 0 && extra.length === 0;
}

async function search(made: TwoSites, signal: AbortSignal): Promise<RunOutcome> {
  const { nancay, paris } = made.sites;
  const cluster = await LocalCluster.start({
    sites: {
      nancay: { nodes: 2, threads: 1, data: nancay.data },
      paris: { nodes: 2, threads: 1, data: paris.data },
    },
    signal,
  });
  const names = cluster.nodes.map(({ name, pid }) => `${name} (process ${pid})`);
  say(`scheduler at ${cluster.url}; nodes ${names.join(', ')}\n`);
  try {
    const request = {
      sets: [
        { site: 'nancay', path: nancay.set },
        { site: 'paris', path: paris.set },
      ],
      field: 'DEMO',
      npixX: 256,
      npixY: 256,
      pixsize: (2.3 * plan.radiusRad) / 256,
      ...searchDefaults,
    } as const;
    const out = join(folder, 'result');
    const outcome = await runTransients(
      { cluster, request, out, signal },
      { onPlan: (text) => say(text), onStage: (stage) => say(`  ${stage}`) },
    );
    const { crossSiteBytes } = await cluster.status();
    say(`\n${(crossSiteBytes / 1e6).toFixed(1)} MB went from site to site; the visibilities stayed\n`);
    return outcome;
  } finally {
    await cluster.close();
  }
}

async function main(): Promise<number> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const startedMs = performance.now();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  say('simulating an observation in two bands, one at each site ...');
  const made = await makeTwoSites(folder, plan);
  const outcome = await search(made, stop.signal);
  const good = compare(made, outcome);
  const seconds = (performance.now() - startedMs) / 1000;
  const report = relative(process.cwd(), join(folder, 'result', 'report.html'));
  say(`\n${good ? 'all found, nothing else' : 'not as injected'}, in ${seconds.toFixed(0)} s`);
  say(`open ${report} in a browser; the files beside it are described in docs/formats.md`);
  return good ? 0 : 1;
}

process.exitCode = await main();
