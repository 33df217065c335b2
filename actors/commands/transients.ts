/**
 * Owns the command `asperitas transients`: reads the command line, opens a cluster, runs the main job, says
 * what was found. Must not know: how transients are found.
 */
import { realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { AsperitasError, type Command, type CommandContext } from '../../runtime/index.ts';
import type { ClusterOpener, OpenedCluster } from '../../scheduler/index.ts';
import { type MaybeTerminal, ProgressLine } from '../pipelines/progress-line.ts';
import { runTransients, type TransientRun, type WantedSet } from '../pipelines/transients.ts';
import { searchDefaults } from '../pipelines/transients-request.ts';
import { catalogueText } from '../pipelines/transients-rows.ts';
import {
  type Asked,
  fieldOf,
  imagingOf,
  imagingOptions,
  number,
  required,
  text,
  whole,
} from './imaging-options.ts';
import { commandWords, roleOf } from './run-about.ts';

type Request = TransientRun['request'];

function requestOf(asked: Asked, sets: readonly WantedSet[]): Request {
  const field = fieldOf(required(asked, 'field'));
  const intervals = text(asked, 'intervals-out');
  const bands = text(asked, 'bands');
  const threshold = text(asked, 'threshold');
  return {
    ...searchDefaults,
    sets,
    field,
    ...imagingOf(asked),
    ...(intervals === undefined ? {} : { intervalsOut: whole('intervals-out', intervals, 1) }),
    ...(bands === undefined ? {} : { bands: whole('bands', bands, 1) }),
    ...(threshold === undefined ? {} : { threshold: number('threshold', threshold, 3) }),
  };
}

/** `site:path`, or a path alone. */
function wantedSet(argument: string): WantedSet {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*):(.+)$/.exec(argument);
  return match === null ? { site: undefined, path: argument } : { site: match[1], path: match[2]! };
}

/** The deepest folder that holds all paths. */
function commonFolder(paths: readonly string[]): string {
  const [first, ...rest] = paths.map((path) => dirname(path).split('/'));
  let length = first!.length;
  for (const parts of rest) {
    while (first!.slice(0, length).some((part, k) => part !== parts[k])) length--;
  }
  return first!.slice(0, length).join('/') || '/';
}

async function existing(path: string): Promise<string> {
  return realpath(path).catch((cause: unknown) => {
    const { site } = wantedSet(path);
    const advice = site === undefined ? 'check the path' : 'check the path; SITE:PATH needs --scheduler';
    const message = `${path}: no such file or directory; ${advice}`;
    throw new AsperitasError('no-such-file', message, { path }, { cause });
  });
}

/** Where the job runs: at a scheduler, or on this machine over the folder of the sets. */
async function open(context: CommandContext): Promise<{ opened: OpenedCluster; sets: WantedSet[] }> {
  const { args, options, services, signal } = context;
  const opener = services.openCluster as ClusterOpener;
  const asked = { command: 'transients', options };
  const scheduler = text(asked, 'scheduler');
  const tokenFile = text(asked, 'token-file');
  if (scheduler !== undefined) {
    if (options.local === true) {
      throw new AsperitasError('usage', 'give --local or --scheduler, not both', { command: 'transients' });
    }
    const opened = await opener({ scheduler, signal, ...(tokenFile === undefined ? {} : { tokenFile }) });
    return { opened, sets: args.map(wantedSet) };
  }
  const paths = await Promise.all(args.map(existing));
  const nodes = whole('nodes', text(asked, 'nodes') ?? '1', 1);
  const threads = text(asked, 'threads');
  const site = {
    data: commonFolder(paths),
    nodes,
    threads:
      threads === undefined
        ? Math.max(1, Math.floor(availableParallelism() / nodes))
        : whole('threads', threads, 1),
  };
  const opened = await opener({ sites: { local: site }, signal });
  return { opened, sets: paths.map((path) => ({ site: 'local', path })) };
}

async function run(context: CommandContext): Promise<number> {
  const { args, options, stdout, stderr, signal } = context;
  if (args.length === 0) {
    throw new AsperitasError('usage', 'name a Measurement Set; see asperitas transients --help', {
      command: 'transients',
    });
  }
  const asked = { command: 'transients', options };
  const out = resolve(required(asked, 'out'));
  // What is wrong with the options is said before anything is started.
  const { sets: _unused, ...request } = requestOf(asked, []);
  const about = { role: roleOf(options), command: commandWords('transients', context) };
  const { opened, sets } = await open(context);
  const line = new ProgressLine(stderr as MaybeTerminal);
  const stop = opened.cluster.onProgress((progress) => line.progress(progress));
  try {
    const outcome = await runTransients(
      { cluster: opened.cluster, request: { ...request, sets }, out, signal, ...about },
      {
        onPlan: (plan) => {
          line.clear();
          stderr.write(plan);
        },
        onStage: (stage) => line.stage(stage),
      },
    );
    line.clear();
    stdout.write(catalogueText(outcome.rows.map(({ source }) => source)));
    if (!outcome.result.complete) {
      stderr.write('the search stopped at its limit of rounds: brightenings may be left in the residuals\n');
    }
    stdout.write(`written to ${out}\n`);
    return 0;
  } finally {
    line.clear();
    stop();
    await opened.close();
  }
}

/** `asperitas transients OBS.ms` */
export const command: Command = {
  name: 'transients',
  summary: 'from Measurement Sets to a catalogue of transients with light curves, images and alerts',
  usage: 'transients OBS.ms [MORE.ms ...] --field F --size N [M] --scale S --out DIR [options]',
  options: {
    field: { type: 'string', value: 'F', help: 'the field, by id or name' },
    ...imagingOptions,
    out: { type: 'string', value: 'DIR', help: 'the folder for the results; made if it does not exist' },
    'intervals-out': { type: 'string', value: 'K', help: 'frames a set; one a time slot unless told' },
    bands: { type: 'string', value: 'B', help: 'parts that each spectral window is split into; 1' },
    threshold: { type: 'string', value: 'T', help: 'signal-to-noise ratio of a brightening; 6' },
    role: { type: 'string', value: 'ROLE', help: 'of the alerts: test (the default) or observation' },
    local: { type: 'boolean', help: 'run on this machine (the default without --scheduler)' },
    scheduler: { type: 'string', value: 'URL', help: 'run at this scheduler; sets are paths at its sites' },
    'token-file': { type: 'string', value: 'FILE', help: 'the secret of the scheduler' },
    nodes: { type: 'string', value: 'N', help: 'node processes of a local run; 1' },
    threads: { type: 'string', value: 'N', help: 'threads of each of them; all of the machine' },
  },
  details:
    'At a scheduler a set may be given as SITE:PATH; without a site each one is asked. A path with a colon ' +
    'of its own is written ./a:b.ms. Ctrl-C stops; the same command goes on from the finished frames.\n\n' +
    'example:\n  asperitas transients obs.ms --field 0 --size 512 --scale 3asec --out result',
  run,
};
