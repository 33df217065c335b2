/**
 * Measures gridding and degridding on one thread, beside the direct sum and, if a Python interpreter with
 * ducc0 is named, beside ducc0 on the same visibilities:
 * `node dist/bench/gridding.js [--peer PYTHON] [--samples N]`. Must not know: tasks, files of the project.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { directImage } from '../actors/imaging/kernels/direct.ts';
import { fft2d } from '../actors/imaging/kernels/fft.ts';
import { planGrid } from '../actors/imaging/kernels/grid-plan.ts';
import { gridImage, predictVisibilities } from '../actors/imaging/kernels/gridder.ts';
import { kernelsAreRelaxed } from '../actors/imaging/kernels/load-kernels.ts';
import { sampleExtent } from '../actors/imaging/kernels/sorted-samples.ts';
import { randomStream } from '../actors/simulation/random.ts';
import type { ImageGeometry, StokesVisibilities } from '../actors/visibility.ts';

const { values: options } = parseArgs({
  options: { peer: { type: 'string' }, samples: { type: 'string', default: '2000000' } },
});
const channels = 32;
const rows = Math.round(Number(options.samples) / channels);
const sizes = [512, 2048];
const epsilons = [1e-2, 1e-4, 1e-6];
const pixsize = (2 / 3600 / 180) * Math.PI;
const rounds = 3;

/** Baselines as an array has them: dense in the middle, w a few thousand wavelengths, 1.3 to 1.4 GHz. */
function makeVisibilities(geometry: ImageGeometry): StokesVisibilities {
  const random = randomStream(1);
  const freq = Float64Array.from({ length: channels }, (_, k) => 1.3e9 + (1e8 * k) / channels);
  const metres = 0.45 / geometry.pixsizeX / (1.4e9 / 299_792_458);
  const uvw = new Float64Array(3 * rows);
  for (let row = 0; row < rows; row++) {
    const radius = metres * random.uniform() ** 1.5;
    const angle = 2 * Math.PI * random.uniform();
    uvw.set([radius * Math.cos(angle), radius * Math.sin(angle), radius * 0.3 * random.normal()], 3 * row);
  }
  const vis = Float32Array.from({ length: 2 * rows * channels }, () => random.normal());
  const samples = rows * channels;
  return { uvw, freq, vis, weight: new Float32Array(samples).fill(1), mask: new Uint8Array(samples).fill(1) };
}

/** The least processor time of a few runs, seconds: other work on the machine counts little. */
function secondsOf(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}

interface PeerRates {
  readonly size: number;
  readonly epsilon: number;
  readonly grid: number;
  readonly degrid: number;
}

const peerProgram = `
import json, sys, time, numpy as np, ducc0
folder, spec = sys.argv[1], json.loads(sys.argv[2])
out = []
for size in spec["sizes"]:
    uvw = np.fromfile(f"{folder}/{size}.uvw").reshape(-1, 3)
    freq = np.fromfile(f"{folder}/{size}.freq")
    vis = np.fromfile(f"{folder}/{size}.vis", dtype=np.complex64).reshape(len(uvw), len(freq))
    for eps in spec["epsilons"]:
        single = eps > 5e-6
        v = vis if single else vis.astype(np.complex128)
        common = dict(uvw=uvw, freq=freq, pixsize_x=spec["pixsize"], pixsize_y=spec["pixsize"], nu=0, nv=0,
                      epsilon=eps, do_wstacking=True, nthreads=1)
        best = [1e9, 1e9]
        for _ in range(spec["rounds"]):
            t = time.process_time()
            image = ducc0.wgridder.ms2dirty(ms=v, npix_x=size, npix_y=size, **common)
            best[0] = min(best[0], time.process_time() - t)
            t = time.process_time()
            ducc0.wgridder.dirty2ms(dirty=image, **common)
            best[1] = min(best[1], time.process_time() - t)
        grid, degrid = (vis.size / seconds / 1e6 for seconds in best)
        out.append(dict(size=size, epsilon=eps, grid=grid, degrid=degrid))
print(json.dumps(out))
`;

/** Million visibilities a second of ducc0, or why there are none. */
function peerRates(sets: ReadonlyMap<number, StokesVisibilities>): readonly PeerRates[] | string {
  if (options.peer === undefined) return 'ducc0 skipped: name a Python interpreter that has it by --peer';
  const folder = mkdtempSync(join(tmpdir(), 'asperitas-bench-'));
  try {
    for (const [size, { uvw, freq, vis }] of sets) {
      writeFileSync(join(folder, `${size}.uvw`), uvw);
      writeFileSync(join(folder, `${size}.freq`), freq);
      writeFileSync(join(folder, `${size}.vis`), vis);
    }
    const spec = JSON.stringify({ sizes, epsilons, pixsize, rounds });
    const run = spawnSync(options.peer, ['-c', peerProgram, folder, spec], { encoding: 'utf8' });
    if (run.status === 0) return JSON.parse(run.stdout) as PeerRates[];
    return `ducc0 skipped: ${(run.error?.message ?? run.stderr.trim().split('\n').at(-1)) || 'it failed'}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function directRate(visibilities: StokesVisibilities, geometry: ImageGeometry): number {
  const pixels = Float64Array.from({ length: 8 }, (_, k) => 31 * (k + 1));
  const seconds = secondsOf(() => directImage(visibilities, geometry, { pixels }));
  const samples = visibilities.weight.length;
  return samples / ((seconds / 4) * geometry.npixX * geometry.npixY) / 1e6;
}

const column = (cell: string | number): string =>
  (typeof cell === 'number' ? String(Number(cell.toPrecision(2))) : cell).padStart(10);

const sets = new Map<number, StokesVisibilities>();
for (const size of sizes) {
  sets.set(size, makeVisibilities({ npixX: size, npixY: size, pixsizeX: pixsize, pixsizeY: pixsize }));
}
const peers = peerRates(sets);
const cpu = cpus()[0]?.model ?? 'unknown processor';
console.log(`${cpu}, ${availableParallelism()} cores, Node ${process.versions.node}, one thread`);
console.log(`${kernelsAreRelaxed() ? 'relaxed' : 'plain'} SIMD; ${rows} rows x ${channels} channels`);
console.log(
  'Million visibilities a second of processor time; taps along u and along w; FFT: one padded transform',
);
if (typeof peers === 'string') console.log(peers);
const heads = ['pixels', 'epsilon', 'padded', 'planes', 'taps', 'bits', 'grid', 'degrid', 'FFT ms'];
console.log([...heads, 'direct', 'ducc grid', 'degrid'].map((head) => column(head)).join(''));
for (const [size, visibilities] of sets) {
  const geometry = { npixX: size, npixY: size, pixsizeX: pixsize, pixsizeY: pixsize };
  const samples = visibilities.weight.length;
  const direct = directRate(visibilities, geometry);
  for (const epsilon of epsilons) {
    const plan = planGrid(geometry, epsilon, sampleExtent({ ...visibilities, used: () => true }));
    const grid = secondsOf(() => gridImage(visibilities, geometry, epsilon));
    const model = gridImage(visibilities, geometry, epsilon).values;
    const degrid = secondsOf(() => predictVisibilities(model, geometry, visibilities, epsilon));
    const cells = 2 * plan.sizeU * plan.sizeV;
    const data = plan.precision === 32 ? new Float32Array(cells) : new Float64Array(cells);
    const fft = secondsOf(() => fft2d(data, plan.sizeU, plan.sizeV));
    const peer =
      typeof peers === 'string' ? undefined : peers.find((p) => p.size === size && p.epsilon === epsilon);
    const shape = [
      plan.sizeU,
      plan.planes.planes,
      `${plan.taps.count}x${plan.planes.taps.count}`,
      plan.precision,
    ];
    const rates = [samples / grid / 1e6, samples / degrid / 1e6, 1000 * fft, direct];
    const cellsOf = [
      String(size),
      epsilon,
      ...shape.map(String),
      ...rates,
      peer?.grid ?? '-',
      peer?.degrid ?? '-',
    ];
    console.log(cellsOf.map((value) => column(value)).join(''));
  }
}
