/**
 * The operator's commands as their users meet them: real scheduler, nodes and command line, a real terminal.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LocalCluster } from '../../nodes/index.ts';
import type { Cluster, Overview } from '../../scheduler/index.ts';
import { type Ended, runCli } from '../support/cli.ts';
import { projectRoot } from '../support/shared-data.ts';
import { eventually } from '../support/small-cluster.ts';
import * as tasks from '../support/test-tasks.ts';

const modules = [new URL('../support/test-tasks.js', import.meta.url).href];
let local: LocalCluster;

before(async () => {
  local = await LocalCluster.start({ sites: { here: { nodes: 2, threads: 1 } }, modules });
});
after(() => local.close());

function asperitas(...words: string[]): Promise<Ended> {
  return runCli([...words, '--scheduler', local.url], { ASPERITAS_TOKEN: local.token });
}

/** Waits until a task of this function runs and returns its key. */
async function keyOfRunning(cluster: Cluster, fn: string): Promise<string> {
  await eventually(async () => {
    const { functions } = await cluster.inspect.overview();
    return functions.some((row) => row.fn === fn && row.running > 0);
  }, `${fn} runs`);
  return fn;
}

test('status shows nodes, functions and tasks, for people and for programs', async () => {
  assert.equal(await local.compute(tasks.add([1, 2])), 3);
  const { status, stdout } = await asperitas('status');
  assert.equal(status, 0);
  assert.match(stdout, /^2 nodes with 2 threads at 1 sites, 2 clients, up /);
  assert.match(stdout, /^ {2}here-1 +here +0\/1/m);
  assert.match(stdout, /^ {2}test\.add +0 +1 +0 /m);
  const json = await asperitas('status', '--json');
  const overview = JSON.parse(json.stdout) as Overview;
  assert.deepEqual(
    overview.nodes.map(({ node }) => node),
    ['here-1', 'here-2'],
  );
  assert.equal((await asperitas('top', '--once')).status, 0);
});

test('a running task is explained, its story told, and it is cancelled for who waits for it', async () => {
  const waiting = local.compute(tasks.waitUntilAborted());
  const failed = assert.rejects(waiting, { code: 'cancelled' });
  const beginning = await keyOfRunning(local, 'test.wait-until-aborted');
  const explained = await asperitas('explain', beginning);
  assert.match(explained.stdout, /runs on here-\d since/, explained.stderr);
  assert.match(explained.stdout, /1 clients want it/);
  const story = await asperitas('story', beginning);
  assert.match(story.stdout, /ready -> assigned/);
  const cancelled = await asperitas('cancel', beginning);
  assert.match(cancelled.stdout, /^test\.wait-until-aborted\S* is cancelled\n$/);
  await failed;
  // The thread is free again.
  assert.equal(await local.compute(tasks.echo('again')), 'again');
});

test('what is not known is said in one line, with status 1; wrong words with status 2', async () => {
  const unknown = await asperitas('explain', 'nothing-like-it');
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /^asperitas: no task nothing-like-it is known[^\n]*\n$/);
  const stranger = await asperitas('drain', 'nobody');
  assert.match(stranger.stderr, /^asperitas: no node nobody is there; the nodes are here-1, here-2\n$/);
  assert.equal(stranger.status, 1);
  for (const words of [['explain'], ['story', 'a', 'b'], ['cancel'], ['drain']]) {
    const { status, stderr } = await asperitas(...words);
    assert.equal(status, 2);
    assert.match(stderr, /^asperitas: [^\n]*--help\n$/);
  }
  const deaf = await runCli(['status', '--scheduler', 'ws://127.0.0.1:9'], { ASPERITAS_TOKEN: local.token });
  assert.equal(deaf.status, 1);
  assert.match(deaf.stderr, /^asperitas: [^\n]*127\.0\.0\.1:9[^\n]*\n$/);
});

test('top draws on a terminal and leaves it as it was when q is pressed', async () => {
  const words = [process.execPath, join(projectRoot, 'dist/nodes/cli.js'), 'top', '--scheduler', local.url];
  const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
    env: { ...process.env, ASPERITAS_TOKEN: local.token, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let drawn = '';
  let pressed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    drawn += text;
    if (pressed || drawn.split('q ends it').length < 3) return;
    pressed = true;
    child.stdin.write('q');
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(status, 0);
  assert.ok(drawn.startsWith('\x1b[?1049h\x1b[?25l'), 'the alternate screen is entered');
  const left = drawn.indexOf('\x1b[?25h\x1b[?1049l');
  assert.ok(left > drawn.lastIndexOf('q ends it'), 'and left');
  assert.match(drawn, /here-1 +here/);
  assert.match(drawn, /tasks\/s/);
});

test('draining a node names what hinders it and waits until it has left; the cluster goes on', async () => {
  const busy = local.compute([tasks.waitUntilAborted.with({ near: 'here-1' })(), 1]);
  const ended = assert.rejects(busy, { code: 'cancelled' });
  const beginning = await keyOfRunning(local, 'test.wait-until-aborted');
  const draining = asperitas('drain', 'here-1');
  await eventually(async () => {
    const { nodes } = await local.inspect.overview();
    return nodes.some(({ node, retiring }) => node === 'here-1' && retiring);
  }, 'the node is leaving');
  await local.inspect.cancel(beginning);
  await ended;
  const { status, stdout } = await draining;
  assert.equal(status, 0);
  assert.match(stdout, /here-1 stays for now: test\.wait-until-aborted\S* runs there/);
  assert.match(stdout, /here-1 has left\n$/);
  assert.equal(await local.compute(tasks.echo('on here-2')), 'on here-2');
});
