/**
 * Measures how fast records become durable in each kind of journal: one append waited for after the other,
 * many at once, and records in large appends. Redis is measured where `--redis URL` names a server, or a
 * `redis-server` can be started: it then writes every change to its disk. Medians.
 *
 *     node dist/bench/journal.js [--repeats N] [--redis URL]
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Journal } from '../scheduler/journal/journal.ts';
import { MemoryLog } from '../scheduler/journal/memory.ts';
import { openJournal } from '../scheduler/journal/open-journal.ts';

/** About what a task takes in the scheduler's journal. */
const recordBytes = 200;
const roundMs = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'asperitas-bench-'));
const recordOf = (number: number): Uint8Array => new Uint8Array(recordBytes).fill(number);

/** Records a second, made durable by `step` again and again for a second. */
async function rate(step: () => Promise<number>): Promise<number> {
  const begin = performance.now();
  let records = 0;
  while (performance.now() - begin < roundMs) records += await step();
  return (records * 1000) / (performance.now() - begin);
}

const kinds = {
  'one append after the other': async (journal: Journal): Promise<number> => {
    await journal.append([recordOf(1)]);
    return 1;
  },
  '1,000 appends at once': async (journal: Journal): Promise<number> => {
    await Promise.all(Array.from({ length: 1000 }, (_, number) => journal.append([recordOf(number)])));
    return 1000;
  },
  'appends of 1,000 records': async (journal: Journal): Promise<number> => {
    await journal.append(Array.from({ length: 1000 }, (_, number) => recordOf(number)));
    return 1000;
  },
} as const;

/** Starts a server that is as durable as the journal wants it; undefined where there is none. */
async function startServer(): Promise<{ readonly url: string; readonly stop: () => void } | undefined> {
  if (spawnSync('redis-server', ['--version']).error !== undefined) return undefined;
  const port = 20_000 + (process.pid % 20_000);
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn('redis-server', [...place, '--appendonly', 'yes', '--appendfsync', 'always'], {
    stdio: 'ignore',
  });
  await sleep(500);
  return { url: `redis://127.0.0.1:${port}`, stop: () => void child.kill() };
}

async function measure(repeats: number, redis: string | undefined): Promise<void> {
  const server = redis === undefined ? await startServer() : { url: redis, stop: () => undefined };
  const places: [string, () => Promise<Journal>][] = [
    ['memory', async () => new MemoryLog().open()],
    ['lmdb', () => openJournal(`lmdb:${join(folder, 'lmdb')}`)],
  ];
  // Rewriting between the rounds may take longer than a lease of the usual length.
  const name = `bench-${process.pid}`;
  if (server === undefined) process.stdout.write('redis-server is not installed: Redis is not measured\n\n');
  else places.push(['redis', () => openJournal(`${server.url}?leaseMs=60000`, { name })]);
  process.stdout.write(
    `| records/s of ${recordBytes} bytes | ${Object.keys(kinds).join(' | ')} |\n|---|---|---|---|\n`,
  );
  for (const [place, open] of places) {
    const journal = await open();
    const cells: string[] = [];
    for (const step of Object.values(kinds)) {
      const rates: number[] = [];
      for (let round = 0; round < repeats; round++) {
        rates.push(await rate(() => step(journal)));
        await journal.rewrite([]);
      }
      cells.push(Math.round(rates.sort((a, b) => a - b)[repeats >> 1]!).toLocaleString('en'));
    }
    await journal.close();
    process.stdout.write(`| ${place} | ${cells.join(' | ')} |\n`);
  }
  server?.stop();
  rmSync(folder, { recursive: true, force: true });
}

const { values } = parseArgs({
  options: { repeats: { type: 'string', default: '3' }, redis: { type: 'string' } },
});
await measure(Number(values.repeats), values.redis);
