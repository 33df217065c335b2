/**
 * The journal in a folder: what was acknowledged is there after any end of its writer, and a file that was
 * damaged is recognised. Writers are real processes, really killed.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { warningOf } from '../../../scheduler/journal/lmdb.ts';
import { openJournal } from '../../../scheduler/journal/open-journal.ts';
import { contentsOf, lastOfChild, record } from '../../support/journal-contents.ts';
import { JournalWriter } from '../../support/journal-writer.ts';
import { until } from '../../support/until.ts';

const root = mkdtempSync(join(tmpdir(), 'asperitas-lmdb-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const newFolder = (): string => join(root, `v0.${++folders}`);

test('records are found again in order, the epoch grows', async () => {
  const folder = newFolder();
  const first = await openJournal(`lmdb:${folder}`);
  assert.deepEqual(await contentsOf(first), []);
  await Promise.all([first.append([record('a'), record('')]), first.append([record('b')]), first.append([])]);
  await first.close();
  const second = await openJournal(`lmdb:${folder}`);
  assert.ok(second.epoch > first.epoch);
  assert.deepEqual(await contentsOf(second), ['a', '', 'b']);
  await second.append([record('c')]);
  await second.close();
  const third = await openJournal(`lmdb:${folder}`);
  assert.deepEqual(await contentsOf(third), ['a', '', 'b', 'c']);
  await Promise.all([third.close(), third.close()]);
  await assert.rejects(third.append([record('d')]), { code: 'journal-failed' });
});

test('a rewrite takes the place of all that was before it, appends made meanwhile follow it', async () => {
  const folder = newFolder();
  const journal = await openJournal(`lmdb:${folder}`);
  for (let number = 0; number < 20; number++) await journal.append([record(`old ${number}`)]);
  const large = 'y'.repeat(600_000);
  await Promise.all([
    journal.append([record('old too')]),
    journal.rewrite([record(large), record(large), record('new')]),
    journal.append([record('later')]),
  ]);
  await journal.close();
  const again = await openJournal(`lmdb:${folder}`);
  assert.deepEqual(await contentsOf(again), [large, large, 'new', 'later']);
  await again.rewrite([]);
  await again.close();
  const empty = await openJournal(`lmdb:${folder}`);
  assert.deepEqual(await contentsOf(empty), []);
  await empty.close();
});

test('other users of the machine can read neither the folder nor its files', async () => {
  const folder = newFolder();
  const journal = await openJournal(`lmdb:${folder}`);
  await journal.append([record('secret')]);
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  assert.equal(mode(folder), '700');
  assert.deepEqual(
    readdirSync(folder)
      .sort()
      .map((name) => [name, mode(join(folder, name))]),
    [
      ['data.mdb', '600'],
      ['lock.mdb', '600'],
      ['owner', '600'],
    ],
  );
  await journal.close();
});

test('after kill -9 at any moment all that was acknowledged is there, and nothing by halves', async () => {
  const folder = newFolder();
  let acknowledged = 0;
  for (let round = 0; round < 6; round++) {
    const writer = new JournalWriter(`lmdb:${folder}`, 'x', round % 2 === 0 ? 'plain' : 'rewriting');
    const goal = acknowledged + 3 + 11 * round;
    await until(`append ${goal}`, () => writer.done >= goal);
    await writer.kill();
    acknowledged = writer.done;
    const journal = await openJournal(`lmdb:${folder}`);
    const last = lastOfChild(await contentsOf(journal));
    // The last append may have become durable just before it could be said.
    assert.ok(last === acknowledged || last === acknowledged + 1, `${last} of ${acknowledged}`);
    acknowledged = last;
    await journal.close();
  }
});

test('a second scheduler is refused while the first lives, in this process and in another', async () => {
  const folder = newFolder();
  const writer = new JournalWriter(`lmdb:${folder}`, 'x', 'slow');
  await writer.said('open');
  const inUse = { code: 'journal-in-use', message: new RegExp(`in use by process ${writer.pid}`) };
  await assert.rejects(openJournal(`lmdb:${folder}`), inUse);
  // Stopped is not dead.
  writer.signal('SIGSTOP');
  await assert.rejects(openJournal(`lmdb:${folder}`), inUse);
  await writer.kill();
  const journal = await openJournal(`lmdb:${folder}`);
  await assert.rejects(openJournal(`lmdb:${folder}`), { code: 'journal-in-use' });
  await journal.close();
});

test('a writer whose life could not be seen is fenced: it ends and writes no more', async () => {
  const folder = newFolder();
  const writer = new JournalWriter(`lmdb:${folder}`, 'x', 'slow');
  await until('some appends', () => writer.done > 3);
  // As if it ran on another machine, whose processes nobody here can ask.
  rmSync(join(folder, 'owner'));
  const journal = await openJournal(`lmdb:${folder}`);
  await writer.ended();
  assert.ok(writer.lines.includes('lost journal-fenced') || writer.lines.includes('refused journal-fenced'));
  assert.equal(lastOfChild(await contentsOf(journal)) >= writer.done, true);
  await journal.append([record('after')]);
  await journal.close();
  const again = await openJournal(`lmdb:${folder}`);
  const contents = await contentsOf(again);
  assert.equal(contents.at(-1), 'after');
  assert.ok(lastOfChild(contents.slice(0, -1)) >= writer.done);
  await again.close();
});

test('a full disk is said, what was acknowledged before is kept', async () => {
  const folder = newFolder();
  // The limit on the size of a file, in KiB, stands for the end of the disk.
  const limited = ['bash', '-c', 'trap "" XFSZ; ulimit -f 1000; exec "$0" "$@"'];
  const writer = new JournalWriter(`lmdb:${folder}`, 'x', 'plain', limited);
  await writer.ended();
  const last = writer.lines.at(-1);
  assert.ok(last === 'refused journal-failed' || last === 'lost journal-failed', last);
  const journal = await openJournal(`lmdb:${folder}`);
  assert.equal(lastOfChild(await contentsOf(journal)), writer.done);
  await journal.close();
});

test('a folder that can not be made is said in one line', async () => {
  const file = newFolder();
  writeFileSync(file, '');
  await assert.rejects(openJournal(`lmdb:${file}/journal`), {
    code: 'journal-failed',
    message: /can't be made \(ENOTDIR\)/,
  });
});

test('a folder on the disks of another machine is warned of, one of this machine is not', async () => {
  const said: string[] = [];
  await (await openJournal(`lmdb:${newFolder()}`, { log: (line) => said.push(line) })).close();
  assert.deepEqual(said, []);
  assert.match(
    warningOf('/home/me', 0x6969)!,
    /^\/home\/me is on NFS, where a journal can be damaged: name a/,
  );
  // Some systems give the number with its sign.
  assert.match(warningOf('/home/me', 0xff534d42 | 0)!, /is on CIFS/);
  assert.equal(warningOf('/tmp', 0xef53), undefined);
});

/** A folder with appends of distinct, recognisable bytes, and its data file. */
async function written(appends: number): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = newFolder();
  const journal = await openJournal(`lmdb:${folder}`);
  for (let number = 1; number <= appends; number++) {
    await journal.append([record(`<record ${number}>${'z'.repeat(3000)}`)]);
  }
  await journal.close();
  return { folder, file: join(folder, 'data.mdb') };
}

/** Changes a byte of each copy of a text in a file: LMDB leaves earlier pages in it. */
function garble(file: string, text: string): void {
  const bytes = readFileSync(file);
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes[at + 1]! ^= 0x20;
  writeFileSync(file, bytes);
}

test('a damaged last append is left out and said; the journal goes on', async () => {
  const { folder, file } = await written(5);
  garble(file, '<record 5>');
  const said: string[] = [];
  const journal = await openJournal(`lmdb:${folder}`, { log: (line) => said.push(line) });
  assert.deepEqual(
    (await contentsOf(journal)).map((text) => text.slice(0, 10)),
    ['<record 1>', '<record 2>', '<record 3>', '<record 4>'],
  );
  assert.match(said.join('\n'), /^the last block of the journal in .* was damaged and is left out$/);
  await journal.append([record('six')]);
  await journal.close();
  const again = await openJournal(`lmdb:${folder}`);
  assert.equal((await contentsOf(again)).at(-1), 'six');
  await again.close();
});

test('damage before the end is an error that names the folder and says what to do', async () => {
  const { folder, file } = await written(5);
  garble(file, '<record 2>');
  const before = readFileSync(file);
  await assert.rejects(openJournal(`lmdb:${folder}`), {
    code: 'journal-damaged',
    message: new RegExp(`${folder} is damaged \\(block 2 of 5 can't be read\\): restore it`),
  });
  assert.deepEqual(readFileSync(file), before, 'the evidence is left as it was');
});

test('a file that was cut or overwritten at any place never ends the process', async () => {
  const { folder } = await written(60);
  const bytes = readFileSync(join(folder, 'data.mdb'));
  for (let part = 0; part < 10; part++) {
    const copy = newFolder();
    cpSync(folder, copy, { recursive: true });
    const file = join(copy, 'data.mdb');
    const at = Math.floor((part * bytes.length) / 10);
    if (part % 2 === 0) truncateSync(file, at);
    else
      writeFileSync(
        file,
        Buffer.concat([bytes.subarray(0, at), Buffer.alloc(8192, part), bytes.subarray(at + 8192)]),
      );
    try {
      const journal = await openJournal(`lmdb:${copy}`);
      const found = (await contentsOf(journal)).map((text) => /^<record (\d+)>z{3000}$/.exec(text)?.[1]);
      // Damage to pages that are not in use, or to the last append, costs no more than that.
      assert.deepEqual(
        found,
        Array.from({ length: found.length }, (_, index) => String(index + 1)),
      );
      assert.ok(found.length === 0 || found.length >= 59, `${found.length} records at ${at}`);
      assert.ok(found.length > 0 || part === 0, `an empty journal at ${at}`);
      await journal.close();
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'journal-damaged', String(error));
    }
  }
});
