/** Result files appear whole or not at all, and what goes wrong is said in one line. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeAtomically, writeFailure, writeTextFile } from '../../../actors/io/write-atomically.ts';
import { isAsperitasError } from '../../../runtime/index.ts';
import { temporaryFolder } from '../../support/peers.ts';

test('the file has its name only when it is whole', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'a.txt');
  await writeAtomically(path, async (file) => {
    await file.append('one ');
    assert.equal(readdirSync(folder).length, 1);
    assert.match(readdirSync(folder)[0]!, /^a\.txt\.[0-9a-f]{8}\.partial$/);
    await file.append(new TextEncoder().encode('two '));
    await file.append('three');
    await file.writeAt(new TextEncoder().encode('ONE'), 0);
  });
  assert.equal(readFileSync(path, 'utf8'), 'ONE two three');
  assert.deepEqual(readdirSync(folder), ['a.txt']);
});

test('many small pieces arrive in order', async (t) => {
  const path = join(temporaryFolder(t), 'many.txt');
  const lines = Array.from({ length: 60_000 }, (_, index) => `line ${index} µJy\n`);
  await writeAtomically(path, async (file) => {
    for (const line of lines) await file.append(line);
  });
  assert.equal(readFileSync(path, 'utf8'), lines.join(''));
});

test('a failure leaves the older file and nothing else', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'kept.txt');
  await writeTextFile(path, 'old');
  const failing = writeAtomically(path, async (file) => {
    await file.append('new');
    throw new RangeError('no more');
  });
  await assert.rejects(failing, RangeError);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  assert.deepEqual(readdirSync(folder), ['kept.txt']);
});

test('an abort stops the writing and removes what was written', async (t) => {
  const folder = temporaryFolder(t);
  const controller = new AbortController();
  const aborted = writeAtomically(
    join(folder, 'b.txt'),
    async (file) => {
      await file.append(new Uint8Array(1000));
      controller.abort();
      await file.append(new Uint8Array(1000));
    },
    { signal: controller.signal },
  );
  await assert.rejects(aborted, (error) => isAsperitasError(error, 'aborted'));
  assert.deepEqual(readdirSync(folder), []);
});

test('a missing folder, a file for a folder and a folder for a file are named', async (t) => {
  const folder = temporaryFolder(t);
  const refused = async (path: string, words: RegExp): Promise<void> => {
    await assert.rejects(writeTextFile(path, 'x'), (error) => {
      assert.ok(isAsperitasError(error, 'cannot-write'));
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  };
  await refused(join(folder, 'none/a.csv'), /there is no folder .*none; create it first/);
  writeFileSync(join(folder, 'plain'), '');
  await refused(join(folder, 'plain/a.csv'), /is not a folder/);
  mkdirSync(join(folder, 'taken'));
  await refused(join(folder, 'taken'), /there is a folder of that name/);
  assert.deepEqual(readdirSync(folder).sort(), ['plain', 'taken']);
});

test('a folder that may not be written to is named', {
  skip: process.getuid?.() === 0 ? 'root may write anywhere' : false,
}, async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o500);
  t.after(() => chmodSync(folder, 0o700));
  await assert.rejects(writeTextFile(join(folder, 'x'), 'x'), (error) =>
    isAsperitasError(error, 'cannot-write'),
  );
});

test('every refusal of the system has its code', () => {
  const codes = ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENOENT', 'EIO'].map(
    (code) => writeFailure('/out/x.csv', Object.assign(new Error(`${code}: it failed`), { code })).code,
  );
  assert.deepEqual(codes, [
    'disk-full',
    'disk-full',
    'cannot-write',
    'cannot-write',
    'cannot-write',
    'cannot-write',
  ]);
});

/** A file system of 64 KiB, where this process may mount one. */
function canMount(): false | string {
  const { status } = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    stdio: 'ignore',
  });
  return status === 0 ? false : 'this process may not mount a small file system';
}

test('a full disk is said so and nothing is left on it', { skip: canMount() }, () => {
  const script = `
    import { readdirSync } from 'node:fs';
    import { writeAtomically } from '${new URL('../../../actors/io/write-atomically.js', import.meta.url)}';
    try {
      await writeAtomically('/mnt/cube.fits', (file) => file.append(new Uint8Array(1 << 20)));
    } catch (error) {
      console.log(JSON.stringify([error.code, error.message, readdirSync('/mnt')]));
    }`;
  const mounted = 'mount -t tmpfs -o size=64k none /mnt && exec "$@"';
  const args = ['-rm', 'sh', '-c', mounted, 'sh', process.execPath, '--input-type=module', '-e', script];
  const [code, message, left] = JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' })) as unknown[];
  assert.equal(code, 'disk-full');
  assert.match(String(message), /no space left to write \/mnt\/cube\.fits/);
  assert.deepEqual(left, []);
});
