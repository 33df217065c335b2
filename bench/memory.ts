/**
 * Measures what a node's process takes while it holds four times the data that its memory may hold: results
 * are made, spilled, read back and summed, and the sums checked. Medians of the rounds.
 *
 *     node dist/bench/memory.js [--repeats N]
 */
import { parseArgs } from 'node:util';
import { LocalCluster } from '../nodes/index.ts';
import { makeBlock, sumBlock, sumOf } from './support/memory-tasks.ts';

const MiB = 2 ** 20;
const limitBytes = 128 * MiB;
const blockBytes = 8 * MiB;
const blocks = 64;

interface Round {
  readonly makeSeconds: number;
  readonly sumSeconds: number;
  readonly baseBytes: number;
  readonly peakBytes: number;
}

async function measure(): Promise<Round> {
  const modules = [new URL('./support/memory-tasks.js', import.meta.url).href];
  const site = { nodes: 1, threads: 1, memoryBytes: limitBytes };
  const cluster = await LocalCluster.start({ sites: { local: site }, modules });
  try {
    const seeds = Array.from({ length: blocks }, (_, k) => k);
    const startMs = performance.now();
    const held = await cluster.persist(seeds.map((seed) => makeBlock(seed, blockBytes)));
    const madeMs = performance.now();
    const sums = await cluster.compute(held.map((one) => sumBlock(one)));
    const endMs = performance.now();
    const wrong = seeds.filter((seed, k) => sums[k] !== sumOf(seed, blockBytes));
    if (wrong.length > 0) throw new Error(`${wrong.length} sums are wrong`);
    const runs = await cluster.trace();
    const peakBytes = Math.max(...runs.map(({ rssPeakBytes }) => rssPeakBytes ?? 0));
    const baseBytes = Math.min(...runs.map(({ rssBeforeBytes }) => rssBeforeBytes ?? peakBytes));
    const [makeSeconds, sumSeconds] = [(madeMs - startMs) / 1000, (endMs - madeMs) / 1000];
    return { makeSeconds, sumSeconds, baseBytes, peakBytes };
  } finally {
    await cluster.close();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const { values } = parseArgs({ options: { repeats: { type: 'string', default: '3' } } });
const rounds: Round[] = [];
for (let k = 0; k < Number(values.repeats); k++) rounds.push(await measure());
const of = (pick: (round: Round) => number): number => median(rounds.map(pick));
const mib = (bytes: number): string => (bytes / MiB).toFixed(0);
const dataMiB = (blocks * blockBytes) / MiB;
const rate = (pick: (round: Round) => number): string => (dataMiB / of(pick)).toFixed(0);
const rows = [
  `| data (MiB) | limit (MiB) | process before (MiB) | at most (MiB) | made, MiB/s | read back, MiB/s |`,
  `| --- | --- | --- | --- | --- | --- |`,
  `| ${dataMiB} | ${mib(limitBytes)} | ${mib(of((r) => r.baseBytes))} | ${mib(of((r) => r.peakBytes))} ` +
    `| ${rate((r) => r.makeSeconds)} | ${rate((r) => r.sumSeconds)} |`,
];
process.stdout.write(`${rows.join('\n')}\n`);
