/** What every journal promises, kept by the one in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Journal } from '../../../scheduler/journal/journal.ts';
import { MemoryLog } from '../../../scheduler/journal/memory.ts';
import { openJournal } from '../../../scheduler/journal/open-journal.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

async function all(journal: Journal): Promise<number[][]> {
  const found: number[][] = [];
  for await (const record of journal.read()) found.push([...record]);
  return found;
}

test('what was appended is read by the next writer, in order, as it was when it was appended', async () => {
  const log = new MemoryLog();
  const first = log.open();
  const reused = bytes(1, 2);
  await first.append([reused, bytes()]);
  reused.fill(9);
  await first.append([bytes(3)]);
  await first.close();
  assert.deepEqual(await all(log.open()), [[1, 2], [], [3]]);
});

test('a rewrite stands in the place of everything before it', async () => {
  const log = new MemoryLog();
  const journal = log.open();
  await journal.append([bytes(1), bytes(2)]);
  await journal.rewrite([bytes(7)]);
  await journal.append([bytes(8)]);
  assert.deepEqual(await all(log.open()), [[7], [8]]);
});

test('epochs grow, and a writer that was replaced can write no more', async () => {
  const log = new MemoryLog();
  const first = log.open();
  const second = log.open();
  assert.ok(second.epoch > first.epoch);
  assert.equal((await first.lost).code, 'journal-fenced');
  await assert.rejects(first.append([bytes(1)]), { code: 'journal-fenced' });
  await assert.rejects(first.rewrite([bytes(1)]), { code: 'journal-fenced' });
  await second.append([bytes(2)]);
  assert.deepEqual(await all(log.open()), [[2]]);
});

test('a journal is chosen by its URL; memory: keeps nothing', async () => {
  const journal = await openJournal('memory:');
  await journal.append([bytes(1)]);
  await journal.close();
  assert.deepEqual(await all(await openJournal('memory:')), []);
  await assert.rejects(openJournal('floppy:a'), { code: 'unknown-journal' });
});
