/** What monitors get of real daemons: health, metrics, and the structured log. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Cluster, connect } from '../../scheduler/index.ts';
import { type RunningCli, runCli, startCli } from '../support/cli.ts';
import { eventually } from '../support/small-cluster.ts';
import * as tasks from '../support/test-tasks.ts';

const token = 'a token for tests of monitoring';
const env = { ASPERITAS_TOKEN: token };
const modules = new URL('../support/test-tasks.js', import.meta.url).href;
let folder: string;
let scheduler: RunningCli;
let node: RunningCli;
let url: string;
let cluster: Cluster;
const pages = { scheduler: '', node: '' };

const logOf = (name: string): Record<string, unknown>[] =>
  readFileSync(join(folder, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  const words = ['scheduler', '--port', '0', '--http-port', '0', '--log-file', join(folder, 's.log')];
  scheduler = startCli(words, env);
  url = (await scheduler.said(/scheduler at (ws:\S+),/))[1]!;
  pages.scheduler = (await scheduler.said(/metrics at (http:\S+)/))[1]!;
  node = startCli(
    [
      ...['node', '--scheduler', url, '--site', 'here', '--name', 'n1', '--threads', '1'],
      ...['--http-port', '0', '--log-file', join(folder, 'n.log'), '--modules', modules],
    ],
    env,
  );
  pages.node = (await node.said(/metrics at (http:\S+)/))[1]!;
  cluster = await connect(url, { token });
});
after(async () => {
  await cluster.close();
  for (const { child, ended } of [node, scheduler]) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The samples of a scrape, by name and labels. */
async function scrape(base: string): Promise<Map<string, number>> {
  const response = await fetch(`${base}/metrics`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }),
  );
}

test('a healthy scheduler and node say so with status 200', async () => {
  const health = await fetch(`${pages.scheduler}/health`);
  assert.equal(health.status, 200);
  const report = (await health.json()) as Record<string, unknown>;
  assert.deepEqual([report.status, report.nodes], ['ok', 1]);
  const nodeHealth = await fetch(`${pages.node}/health`);
  assert.equal(nodeHealth.status, 200);
  assert.equal(((await nodeHealth.json()) as Record<string, unknown>).status, 'ok');
});

test('metrics count runs, results, nodes and the time that events take', async () => {
  assert.equal(await cluster.compute(tasks.add([1, 2, 3])), 6);
  await assert.rejects(cluster.compute(tasks.failPlainly()), /something of the machine/);
  const found = await scrape(pages.scheduler);
  const value = (name: string) => found.get(`asperitas_scheduler_${name}`);
  assert.equal(value('runs_total{function="test.add",outcome="done"}'), 1);
  assert.equal(value('runs_total{function="test.fail",outcome="failed"}'), 1);
  assert.equal(value('nodes{state="idle"}'), 1);
  assert.equal(value('nodes_joined_total'), 1);
  assert.equal(value('node_threads{node="n1",site="here"}'), 1);
  assert.ok(value('events_total')! > 4 && value('core_seconds_total')! > 0);
  assert.ok(found.has('nodejs_eventloop_lag_seconds') && found.get('process_cpu_seconds_total')! > 0);
  const ofNode = await scrape(pages.node);
  assert.equal(ofNode.get('asperitas_node_runs_done_total{node="n1",site="here"}'), 1);
  assert.equal(ofNode.get('asperitas_node_runs_failed_total{node="n1",site="here"}'), 1);
  assert.equal(ofNode.get('asperitas_node_connected{node="n1",site="here"}'), 1);
});

test('other paths, methods and names of this machine are turned away', async () => {
  assert.equal((await fetch(`${pages.scheduler}/nothing`)).status, 404);
  assert.equal((await fetch(`${pages.scheduler}/constructor`)).status, 404);
  assert.equal((await fetch(`${pages.scheduler}/metrics`, { method: 'POST' })).status, 405);
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${pages.scheduler}/metrics`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject).end();
  });
  assert.equal(status, 403);
});

test('a port that is taken ends the daemon with one line', async () => {
  const taken = new URL(pages.scheduler).port;
  const { status, stderr } = await runCli(['scheduler', '--port', '0', '--http-port', taken], env);
  assert.equal(status, 1);
  assert.match(stderr, /^asperitas: can't serve HTTP on port \d+: it is in use[^\n]*\n$/);
  const level = await runCli(['scheduler', '--port', '0', '--log-level', 'loud'], env);
  assert.equal(level.status, 2);
});

test('the log tells of starts, joins, refusals and losses, a JSON line each, and no secret', async () => {
  const words = ['node', '--scheduler', url, '--site', 'here', '--name', 'n1', '--threads', '1'];
  const refused = await runCli([...words, '--modules', modules], env);
  assert.match(refused.stderr, /a node named n1 is there already/);
  const wanted = ['scheduler-started', 'node-joined', 'client-joined', 'peer-refused'];
  await eventually(() => {
    const events = logOf('s.log').map(({ event }) => event);
    return wanted.every((event) => events.includes(event));
  }, 'all is logged');
  const joined = logOf('s.log').find(({ event }) => event === 'node-joined')!;
  assert.deepEqual(
    [joined.level, joined.node, joined.site, joined.role],
    ['info', 'n1', 'here', 'scheduler'],
  );
  assert.match(String(joined.time), /^\d{4}-\d\d-\d\dT/);
  const refusal = logOf('s.log').find(({ event }) => event === 'peer-refused')!;
  assert.deepEqual([refusal.level, refusal.code, refusal.peer], ['warn', 'name-taken', 'n1']);
  assert.ok(!readFileSync(join(folder, 's.log'), 'utf8').includes(token));
});

test('a scheduler logs its end, and a node without it is not well and logs that', async () => {
  scheduler.child.kill('SIGTERM');
  await scheduler.ended;
  assert.equal(logOf('s.log').at(-1)!.event, 'scheduler-ended');
  await eventually(async () => (await fetch(`${pages.node}/health`)).status === 503, 'the node says so');
  assert.equal((await scrape(pages.node)).get('asperitas_node_connected{node="n1",site="here"}'), 0);
  const lost = logOf('n.log').find(({ event }) => event === 'scheduler-lost')!;
  assert.deepEqual([lost.level, lost.node, lost.role], ['warn', 'n1', 'node']);
});
