/** The performance report: its figures add up, and a real browser draws it under the page's own policy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LocalCluster } from '../../nodes/index.ts';
import { reportPage } from '../../nodes/performance-report.ts';
import { criticalPath, lanesOf, memoryOf, sumsOf } from '../../nodes/report-figures.ts';
import type { RunTrace } from '../../scheduler/index.ts';
import { runCli } from '../support/cli.ts';
import { programMissing, runProgram, temporaryFolder } from '../support/peers.ts';
import * as tasks from '../support/test-tasks.ts';

function run(key: string, startMs: number, endMs: number, more: Partial<RunTrace> = {}): RunTrace {
  const where = { fn: 'f', node: 'n1', site: 'a', thread: 0, localBytes: 0, remoteBytes: 0, outcome: 'done' };
  return { key, startMs, endMs, ...where, ...more } as RunTrace;
}

const key = (text: string) => text as RunTrace['key'];

test('the critical path goes from the last run back through the inputs that came last', () => {
  const runs = [
    run('read', 0, 10),
    run('slow', 0, 50),
    run('grid', 50, 60, { after: key('slow') }),
    run('image', 60, 90, { after: key('grid') }),
    run('other', 10, 20, { after: key('read') }),
    run('failed', 90, 95, { outcome: 'failed' }),
  ];
  assert.deepEqual(
    criticalPath(runs).map((one) => one.key),
    ['slow', 'grid', 'image'],
  );
  assert.deepEqual(criticalPath([]), []);
  // Names that go round in a circle, as from a damaged trace, end it.
  assert.equal(
    criticalPath([run('a', 0, 1, { after: key('b') }), run('b', 1, 2, { after: key('a') })]).length,
    2,
  );
});

test('sums, lanes and memory come from the runs', () => {
  const runs = [
    run('a', 0, 10, { fetchMs: 3, queueMs: 4, localBytes: 5, rssBeforeBytes: 100, rssPeakBytes: 700 }),
    run('b', 10, 40, { fn: 'g', outcome: 'failed', thread: 10, rssAfterBytes: 50 }),
    run('c', 5, 20, { thread: 2, remoteBytes: 6, rssAfterBytes: 40, rssPeakBytes: 90 }),
  ];
  const zero = { failed: 0, fetchMs: 0, queueMs: 0, fetchedBytes: 0, growthBytes: 0 };
  assert.deepEqual(sumsOf(runs), [
    { ...zero, fn: 'g', runs: 1, failed: 1, computeMs: 30, longestMs: 30 },
    {
      ...{ fn: 'f', runs: 2, failed: 0, computeMs: 25, longestMs: 15 },
      ...{ fetchMs: 3, queueMs: 4, fetchedBytes: 11, growthBytes: 600 },
    },
  ]);
  assert.deepEqual(lanesOf(runs), { names: ['a/n1 0', 'a/n1 2', 'a/n1 10'], of: [0, 2, 1] });
  assert.deepEqual(memoryOf(runs, 10), [
    {
      node: 'a/n1',
      points: [
        [20, 90],
        [40, 50],
      ],
    },
  ]);
  assert.deepEqual(memoryOf(runs, 1), [{ node: 'a/n1', points: [[40, 90]] }]);
});

const quiet = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--virtual-time-budget=5000'],
];

test('the report of a real cluster is drawn by a real browser', {
  skip: programMissing('chromium'),
}, async (t) => {
  const modules = [new URL('../support/test-tasks.js', import.meta.url).href];
  const local = await LocalCluster.start({ sites: { here: { threads: 2 } }, modules });
  t.after(() => local.close());
  const inner = [tasks.add([1, 2]), tasks.add([3, 4])];
  assert.equal(await local.compute(tasks.add(inner)), 10);
  const folder = temporaryFolder(t);
  const [out, trace] = [join(folder, 'report.html'), join(folder, 'trace.json')];
  const words = ['report', '--out', out, '--trace', trace, '--scheduler', local.url];
  const { status, stderr } = await runCli(words, { ASPERITAS_TOKEN: local.token });
  assert.equal(status, 0, stderr);
  const profile = `--user-data-dir=${join(folder, 'profile')}`;
  const shown = runProgram('chromium', [...quiet, profile, '--dump-dom', pathToFileURL(out).href]);
  assert.equal(shown.status, 0);
  // Set by the script when all is drawn.
  assert.match(shown.stdout, /<body data-drawn="3">/);
  assert.match(shown.stdout, /<td class="key">test\.add<\/td><td class="n">3<\/td>/);
  assert.match(shown.stdout, /back through the inputs that came last: 2 runs/);
  const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { ph: string }[] };
  assert.equal(traceEvents.filter(({ ph }) => ph === 'X').length, 3);
});

test('a hostile name stays text, in the tables and in the figures of the script', () => {
  const hostile = '</script><script>alert(1)</script>';
  const overview = { nowMs: 0, sinceMs: 0, tasks: {}, clients: 0, stopping: false, nodes: [], functions: [] };
  const page = reportPage([run('x', 0, 1, { fn: hostile })], { ...overview, links: [] });
  assert.ok(!page.includes('<script>alert'));
  assert.equal((page.match(/<script/g) ?? []).length, 2);
  assert.match(page, /default-src 'none'/);
});

test('the report names nodes whose memory only grows', () => {
  const node = { node: 'leaky', site: 'a', threads: 1, running: 0, assigned: 0, parked: 0, held: 0 };
  const bytes = { storedBytes: 0, rssBytes: 0, memoryBytes: 1, retiring: false, silentMs: 0 };
  const overview = { nowMs: 0, sinceMs: 0, tasks: {}, clients: 0, stopping: false, functions: [], links: [] };
  const pageOf = (ratchets: boolean) =>
    reportPage([run('x', 0, 1)], { ...overview, nodes: [{ ...node, ...bytes, ratchets }] });
  assert.match(pageOf(true), /Memory only grows on leaky/);
  assert.doesNotMatch(pageOf(false), /Memory only grows/);
});
