/** Which code a cluster runs: what a node was given, in one version everywhere, unchanged since it said so;
 * and what of its environment that code gets to see. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { checkVersion, moduleDigest, versionsOf } from '../../nodes/module-digest.ts';
import { threadEnvironment } from '../../nodes/thread-environment.ts';
import { connect, startScheduler, task } from '../../scheduler/index.ts';
import { ModuleRegistry } from '../../scheduler/module-registry.ts';
import { startCli } from '../support/cli.ts';
import { temporaryFolder } from '../support/peers.ts';
import { projectRoot } from '../support/shared-data.ts';

const token = 'the secret of these tests';
const look = task('modules.look', (_, name: string): string => name);
const api = pathToFileURL(join(projectRoot, 'dist/scheduler/index.js')).href;

/** A module of tasks in a folder of its own, with a file that it imports. */
function moduleIn(t: TestContext, helper = 'process.env[name]'): string {
  const folder = join(temporaryFolder(t), 'pipeline');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'helper.js'), `export const look = (name) => String(${helper});\n`);
  const text = `import { task } from '${api}';\nimport { look } from './helper.js';\n`;
  writeFileSync(join(folder, 'tasks.js'), `${text}task('modules.look', (_, name) => look(name));\n`);
  return join(folder, 'tasks.js');
}

const urlOf = (path: string): string => pathToFileURL(path).href;

test('a digest covers the module and what it reaches, wherever the folder lies', async (t) => {
  const [one, same, other] = [moduleIn(t), moduleIn(t), moduleIn(t, '42')];
  assert.equal(await moduleDigest(urlOf(one)), await moduleDigest(urlOf(same)));
  assert.notEqual(await moduleDigest(urlOf(one)), await moduleDigest(urlOf(other)));
  assert.deepEqual(Object.keys((await versionsOf([urlOf(one)])).byName), ['tasks.js']);
  await assert.rejects(versionsOf([urlOf(one), urlOf(other)]), { code: 'usage', message: /named tasks\.js/ });
  rmSync(one);
  await assert.rejects(moduleDigest(urlOf(one)), { code: 'module-not-loaded' });
});

test('a module that has changed since its node announced it is not loaded any more', async (t) => {
  const path = moduleIn(t);
  const digest = await moduleDigest(urlOf(path));
  await checkVersion(urlOf(path), digest);
  writeFileSync(join(path, '..', 'helper.js'), 'export const look = () => "another";\n');
  const changed = { code: 'module-mismatch', message: /tasks\.js has changed .* restart the node/ };
  await assert.rejects(checkVersion(urlOf(path), digest), changed);
});

test('the first version counts while anyone has it; then another may come', () => {
  const registry = new ModuleRegistry();
  registry.admit('a1', { m: 'one' });
  registry.admit('a2', { m: 'one', own: 'x' });
  const mismatch = {
    code: 'module-mismatch',
    message: /b1 has another version of the module m \(two\) than a1/,
  };
  assert.throws(() => registry.admit('b1', { m: 'two' }), mismatch);
  registry.leave('a1');
  assert.throws(() => registry.admit('b1', { m: 'two' }), { code: 'module-mismatch' });
  // The same node again, alone in having it.
  registry.admit('a2', { m: 'two' });
  registry.admit('b1', { m: 'two' });
  registry.admit('old', undefined);
});

test('nodes and clients with other versions are refused, naming both', async (t) => {
  const scheduler = await startScheduler({ token });
  t.after(() => scheduler.close());
  const start = (name: string, path: string) =>
    startCli(
      [
        ...['node', '--scheduler', scheduler.url, '--site', 'a', '--name', name, '--threads', '1'],
        ...['--modules', path, '--env', 'FOR_TASKS'],
      ],
      { ASPERITAS_TOKEN: token, FOR_TASKS: 'seen', CLOUD_PASSWORD: 'not seen' },
    );
  const path = moduleIn(t);
  const first = start('a1', path);
  await first.said(/threads for/);
  const { status, stderr } = await start('a2', moduleIn(t, '1')).ended;
  assert.equal(status, 1);
  assert.match(
    stderr,
    /a2 has another version of the module tasks\.js \([0-9a-f]{12}\) than a1 \([0-9a-f]{12}\)/,
  );

  const { byName: modules } = await versionsOf([urlOf(path)]);
  const other = connect(scheduler.url, { token, modules: { 'tasks.js': 'f'.repeat(64) } });
  const mismatch = /another version of the module tasks\.js \(f{12}\) than a1/;
  await assert.rejects(other, { code: 'module-mismatch', message: mismatch });

  const cluster = await connect(scheduler.url, { token, modules });
  assert.equal(await cluster.compute(look('FOR_TASKS')), 'seen');
  for (const secret of ['ASPERITAS_TOKEN', 'CLOUD_PASSWORD']) {
    assert.equal(await cluster.compute(look(secret)), 'undefined');
  }
  await cluster.close();
  first.child.kill('SIGTERM');
  assert.equal((await first.ended).status, 0);
});

test('threads see what programs need, and no secrets', () => {
  const env = {
    PATH: '/bin',
    LC_ALL: 'C',
    OMP_NUM_THREADS: '2',
    ASPERITAS_TOKEN: 's',
    AWS_SECRET: 's',
    X: '1',
  };
  assert.deepEqual(threadEnvironment(['X'], env), {
    PATH: '/bin',
    LC_ALL: 'C',
    OMP_NUM_THREADS: '2',
    X: '1',
  });
});
