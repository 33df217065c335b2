/**
 * What the death of the scheduler costs: a graph of short tasks on two nodes of two threads, while the
 * scheduler is killed (SIGKILL) and started again with its journal. For each death: until the new one
 * listens, and until a task that was asked for at the moment of the death is answered. Then what was lost and
 * what was done over.
 *
 *     node dist/bench/recovery.js [--deaths N] [--size N]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../scheduler/index.ts';
import { MortalScheduler } from './support/mortal-scheduler.ts';
import { noted } from './support/recovery-tasks.ts';

const { values: options } = parseArgs({
  options: {
    deaths: { type: 'string', default: '3' },
    size: { type: 'string', default: '1000' },
    // Taken so that one command line fits all benchmarks.
    peer: { type: 'string' },
    core: { type: 'boolean' },
  },
});
const deaths = Math.max(1, Number(options.deaths));
const size = Math.max(1, Number(options.size));
const taskMs = 20;

const folder = mkdtempSync(join(tmpdir(), 'asperitas-recovery-'));
const file = join(folder, 'runs');
writeFileSync(file, '');
const cluster = await MortalScheduler.start(folder, ['n1', 'n2']);
const client = await connect(cluster.url, { token: cluster.token, fuse: false });
try {
  const run = (name: string, inputs: readonly unknown[] = []) =>
    noted({ file, name, ms: taskMs }, inputs as never);
  const roots = await client.persist(Array.from({ length: 20 }, (_, k) => run(`root-${k}`)));
  const work = client.compute(Array.from({ length: size }, (_, k) => run(`leaf-${k}`, [roots[k % 20]])));
  process.stdout.write('| death | the new scheduler listens | a task asked for meanwhile is answered |\n');
  process.stdout.write('| ----: | ------------------------: | -------------------------------------: |\n');
  for (let death = 1; death <= deaths; death++) {
    await sleep(500);
    await cluster.killScheduler();
    const killedMs = performance.now();
    const probe = client.compute(noted.with({ priority: 1 })({ file, name: `probe-${death}`, ms: 1 }, []));
    await cluster.startScheduler();
    const listensMs = performance.now() - killedMs;
    await probe;
    const answeredMs = performance.now() - killedMs;
    process.stdout.write(`| ${death} | ${listensMs.toFixed(0)} ms | ${answeredMs.toFixed(0)} ms |\n`);
  }
  const wrong = (await work).filter((value) => value !== 2).length;
  const runs = new Map<string, number>();
  for (const name of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    runs.set(name, (runs.get(name) ?? 0) + 1);
  }
  const expected = size + 20 + deaths;
  const over = [...runs.values()].filter((count) => count > 1).length;
  process.stdout.write(
    `\n${expected} tasks of ${taskMs} ms: ${expected - runs.size} lost, ${wrong} with a wrong result, ` +
      `${over} run more than once\n`,
  );
  if (wrong + over + expected - runs.size > 0) process.exitCode = 1;
} finally {
  await client.close();
  await cluster.end();
  rmSync(folder, { recursive: true, force: true });
}
