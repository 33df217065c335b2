/**
 * What whole commands take, as a user meets them: `imaging.js [SET --field F --size N --scale S]
 * [--repeats N]` runs `asperitas image` on one thread and, where it is installed, `wsclean` with the same
 * options, in turns, and prints the shortest wall time, the processor time and the most memory of each.
 * Without a set one is simulated. Linux only: memory and processor time are read from /proc. Must not
 * know: how images are made.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  arrayLayouts,
  evenBand,
  simulateObservation,
  transitTime,
  writeMeasurementSet,
} from '../actors/index.ts';

interface Target {
  readonly set: string;
  readonly field: string;
  readonly size: string;
  readonly scale: string;
}

/** What one run of a program took. */
interface Cost {
  readonly wallS: number;
  readonly cpuS: number;
  readonly peakMiB: number;
}

const cli = join(dirname(fileURLToPath(import.meta.url)), '../nodes/cli.js');
const clockTicks = 100;

function readProc(pid: number): { cpuS: number; peakMiB: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
    return { cpuS: (Number(fields[11]) + Number(fields[12])) / clockTicks, peakMiB: peakKiB / 1024 };
  } catch {
    return undefined;
  }
}

/**
 * Runs a program to its end. Processor time and memory are sampled, so that their last few ms are missing.
 */
async function cost(program: string, words: readonly string[], folder: string): Promise<Cost> {
  const startedMs = performance.now();
  const child = spawn(program, words, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
  }
  let last = { cpuS: 0, peakMiB: 0 };
  const sampler = setInterval(() => {
    const sample = readProc(child.pid!);
    if (sample !== undefined && sample.peakMiB > 0) last = sample;
  }, 5);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(sampler);
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${status}: ${said}`);
  return { wallS: (performance.now() - startedMs) / 1000, ...last };
}

/** An hour of the VLA in its compact configuration: 351 baselines, 360 integrations, 16 channels. */
async function simulate(folder: string): Promise<Target> {
  const centre = { raRad: 2.1, decRad: 0.4 };
  const stations = arrayLayouts['vla-d'];
  const set = join(folder, 'bench.ms');
  const observation = simulateObservation({
    telescope: 'SIMULATED',
    stations,
    field: { name: 'BENCH', phaseCentre: centre },
    bands: [
      evenBand({ name: 'L', firstHz: 1.3e9, channelWidthHz: 4e6, channels: 16, correlations: ['RR', 'LL'] }),
    ],
    sources: [
      {
        name: 'S',
        ...centre,
        fluxJy: 1,
        referenceHz: 1.3e9,
        spectralIndex: 0,
        lightCurve: { kind: 'steady' },
      },
    ],
    startMjdSeconds: Math.round(transitTime(stations[0]!.position, centre, 59800 * 86_400) - 1800),
    integrationSeconds: 10,
    integrations: 360,
    noiseJy: 0.3,
    seed: 1,
  });
  await writeMeasurementSet(set, observation);
  return { set, field: '0', size: '1024', scale: '4asec' };
}

interface Case {
  readonly what: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

const accuracy = '1e-4';
const cases: readonly Case[] = [
  { what: 'dirty image, natural', ours: ['--weight', 'natural'], theirs: ['-weight', 'natural'] },
  {
    what: 'dirty image and psf, Briggs 0',
    ours: ['--weight', 'briggs', '0', '--make-psf'],
    theirs: ['-weight', 'briggs', '0', '-make-psf'],
  },
  {
    what: '20 intervals, natural',
    ours: ['--weight', 'natural', '--intervals-out', '20'],
    theirs: ['-weight', 'natural', '-intervals-out', '20'],
  },
];

function commands({ set, field, size, scale }: Target, { ours, theirs }: Case): [string, string, string[]][] {
  const own = [cli, 'image', set, '--field', field, '--size', size, '--scale', scale, ...ours];
  // Sets of several spectral windows are only read in another order.
  const reorder = ['-reorder', '-temp-dir', '.'];
  const peer = [
    '-j',
    '1',
    ...reorder,
    '-field',
    field,
    '-size',
    size,
    size,
    '-scale',
    scale,
    '-pol',
    'I',
    ...theirs,
  ];
  const fixed = ['-niter', '0', '-use-wgridder', '-wgridder-accuracy', accuracy, '-no-update-model-required'];
  return [
    ['asperitas', process.execPath, [...own, '--epsilon', accuracy, '--name', 'ours']],
    ['wsclean', 'wsclean', [...peer, ...fixed, '-no-small-inversion', '-name', 'theirs', set]],
  ];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      field: { type: 'string', default: '0' },
      size: { type: 'string', default: '512' },
      scale: { type: 'string', default: '3asec' },
      repeats: { type: 'string', default: '3' },
      peer: { type: 'string' },
    },
  });
  const env = { ...process.env, OPENBLAS_NUM_THREADS: '1' };
  const hasPeer = spawnSync('wsclean', ['--version'], { env }).error === undefined;
  const folder = mkdtempSync(join(tmpdir(), 'asperitas-bench-'));
  try {
    const [set] = positionals;
    const target = set === undefined ? await simulate(folder) : { set, ...values };
    console.log(
      `${target.size} x ${target.size} pixels of ${target.scale}, one thread, accuracy ${accuracy}`,
    );
    if (!hasPeer) console.log('wsclean is not installed: no peer');
    console.log(
      'what'.padEnd(32),
      'program'.padEnd(10),
      'wall s'.padStart(8),
      'cpu s'.padStart(8),
      'MiB'.padStart(7),
    );
    for (const one of cases) {
      const programs = commands(target, one).filter(([name]) => hasPeer || name !== 'wsclean');
      const best = new Map<string, Cost>();
      for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
        for (const [name, program, words] of programs) {
          const taken = await cost(program, words, folder);
          if (taken.wallS < (best.get(name)?.wallS ?? Number.POSITIVE_INFINITY)) best.set(name, taken);
        }
      }
      for (const [name, { wallS, cpuS, peakMiB }] of best) {
        const figures = [
          wallS.toFixed(2).padStart(8),
          cpuS.toFixed(2).padStart(8),
          peakMiB.toFixed(0).padStart(7),
        ];
        console.log(one.what.padEnd(32), name.padEnd(10), ...figures);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
