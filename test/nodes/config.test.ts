/** Tokens and sizes: where they are found, how they are written, what is refused. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseBytes, readOrMakeToken, readToken } from '../../nodes/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a token is made once, for its owner alone, and found again', async () => {
  const env = { XDG_STATE_HOME: join(folder, 'state') };
  const made = await readOrMakeToken(undefined, env);
  assert.match(made, /^[\w-]{43}$/);
  assert.equal(await readOrMakeToken(undefined, env), made);
  assert.equal(await readToken(undefined, env), made);
  const file = join(folder, 'state', 'asperitas', 'token');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(readFileSync(file, 'utf8').trim(), made);
});

test('the environment goes before the default file, a named file before the environment', async () => {
  const file = join(folder, 'named');
  writeFileSync(file, 'from the file\n', { mode: 0o600 });
  const env = { ASPERITAS_TOKEN: 'from the environment', XDG_STATE_HOME: folder };
  assert.equal(await readToken(undefined, env), 'from the environment');
  assert.equal(await readToken(file, env), 'from the file');
});

test('a missing or empty token file is named, with what to do', async () => {
  const missing = join(folder, 'none');
  await assert.rejects(readToken(missing, {}), { code: 'no-token', message: /none can't be read; copy/ });
  writeFileSync(missing, '\n', { mode: 0o600 });
  await assert.rejects(readToken(missing, {}), { code: 'no-token', message: /empty/ });
});

test('a token file that others can read is refused, with what to do, and never written over', async () => {
  const file = join(folder, 'open');
  writeFileSync(file, 'known to all\n');
  for (const mode of [0o640, 0o604, 0o666]) {
    chmodSync(file, mode);
    const refused = { code: 'insecure-file', message: new RegExp(`${file}.*chmod 600 ${file}`) };
    await assert.rejects(readToken(file, {}), refused);
    await assert.rejects(readOrMakeToken(file, {}), refused);
  }
  assert.equal(readFileSync(file, 'utf8'), 'known to all\n');
});

test('a token that cannot be kept is an error that names the file', async () => {
  writeFileSync(join(folder, 'file'), '');
  const inFile = join(folder, 'file', 'token');
  await assert.rejects(readOrMakeToken(inFile, {}), { code: 'cannot-write', message: /file\/token/ });
});

test('sizes are read as people write them', () => {
  assert.equal(parseBytes('memory', '4GiB'), 4 * 2 ** 30);
  assert.equal(parseBytes('memory', '1.5 MB'), 1.5e6);
  assert.equal(parseBytes('memory', '1000'), 1000);
  for (const wrong of ['', 'much', '4 parsecs', '-1GB', '0']) {
    assert.throws(() => parseBytes('memory', wrong), { code: 'bad-option', message: /--memory/ });
  }
});
