/** A trace opens in trace viewers, and its figures add up. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { summariseGraph } from '../../../actors/products/provenance.ts';
import { writeTrace } from '../../../actors/products/trace-events.ts';
import { summariseTrace } from '../../../actors/products/trace-summary.ts';
import type { RunTrace, TraceEvent } from '../../../scheduler/index.ts';
import { temporaryFolder } from '../../support/peers.ts';

const epoch = 1_700_000_000_000;

function run(key: string, about: Partial<Record<keyof RunTrace, string | number>>): RunTrace {
  const base = { fn: 'f', node: 'n1', site: 'nancay', thread: 0, localBytes: 0, remoteBytes: 0 };
  return { key, ...base, outcome: 'done', ...about } as RunTrace;
}

const runs = [
  run('c', {
    fn: 'image',
    node: 'n2',
    site: 'paris',
    startMs: epoch + 10,
    endMs: epoch + 40,
    remoteBytes: 7,
  }),
  run('a', { startMs: epoch, endMs: epoch + 20.5, localBytes: 5 }),
  // Overlaps with a on the same thread, as runs that wait for a file do.
  run('b', { startMs: epoch + 10, endMs: epoch + 30, outcome: 'failed' }),
  run('d', { startMs: epoch + 30, endMs: epoch + 35, thread: 1 }),
  run('e', { startMs: epoch + 21, endMs: epoch + 22 }),
];

async function written(t: Parameters<typeof temporaryFolder>[0], list: readonly RunTrace[]) {
  const path = join(temporaryFolder(t), 'trace.json');
  await writeTrace(path, list);
  return JSON.parse(readFileSync(path, 'utf8')) as {
    readonly traceEvents: readonly TraceEvent[];
    readonly otherData: Record<string, string>;
  };
}

test('each run is a complete event in the process of its node', async (t) => {
  const { traceEvents, otherData } = await written(t, runs);
  const processes = new Map(
    traceEvents.filter(({ name }) => name === 'process_name').map(({ pid, args }) => [args.name, pid]),
  );
  assert.deepEqual([...processes.keys()], ['nancay/n1', 'paris/n2']);
  assert.equal(otherData.start, '2023-11-14T22:13:20.000Z');
  const events = traceEvents.filter(({ ph }) => ph === 'X');
  assert.equal(events.length, runs.length);
  const byKey = new Map(events.map((event) => [event.args.key, event]));
  assert.deepEqual([byKey.get('a')!.ts, byKey.get('a')!.dur, byKey.get('a')!.name], [0, 20_500, 'f']);
  assert.deepEqual([byKey.get('c')!.ts, byKey.get('c')!.args.remoteBytes], [10_000, 7]);
  assert.equal(byKey.get('c')!.pid, processes.get('paris/n2'));
  assert.equal(byKey.get('b')!.cat, 'failed');
});

test('what overlaps on a thread gets lines of its own, each with a name', async (t) => {
  const { traceEvents } = await written(t, runs);
  const lines = new Map<string, TraceEvent[]>();
  for (const event of traceEvents.filter(({ ph }) => ph === 'X')) {
    const line = `${event.pid}/${event.tid}`;
    lines.set(line, [...(lines.get(line) ?? []), event]);
  }
  for (const [line, events] of lines) {
    events.sort((a, b) => a.ts! - b.ts!);
    events.slice(1).forEach((event, k) => {
      assert.ok(event.ts! >= events[k]!.ts! + events[k]!.dur!, `${line} overlaps`);
    });
  }
  const named = traceEvents.filter(({ name }) => name === 'thread_name');
  assert.deepEqual(named.map(({ pid, tid, args }) => `${pid}/${tid} ${args.name}`).sort(), [
    '1/0 thread 0',
    '1/1 thread 0 (2)',
    '1/2 thread 1',
    '2/0 thread 0',
  ]);
  assert.equal(named.length, lines.size);
});

test('a run of nothing is a trace too', async (t) => {
  assert.deepEqual((await written(t, [])).traceEvents, []);
  assert.deepEqual(summariseTrace([]), { wallS: 0, nodes: [], functions: [] });
});

test('the summary adds up by node and by function, the longest first', () => {
  const { wallS, nodes, functions } = summariseTrace(runs);
  assert.equal(wallS, 0.04);
  const node = { localBytes: 0, remoteBytes: 0, failed: 0 };
  assert.deepEqual(
    nodes.map((one) => ({ ...one, busyS: Math.round(one.busyS * 1e6) / 1e6 })),
    [
      { ...node, node: 'n1', site: 'nancay', tasks: 4, failed: 1, busyS: 0.0465, localBytes: 5 },
      { ...node, node: 'n2', site: 'paris', tasks: 1, busyS: 0.03, remoteBytes: 7 },
    ],
  );
  assert.deepEqual(
    functions.map(({ fn, tasks }) => [fn, tasks]),
    [
      ['f', 4],
      ['image', 1],
    ],
  );
  assert.ok(Math.abs(functions[0]!.longestS - 0.0205) < 1e-9);
});

test('the graph is counted by function, site and node', () => {
  assert.deepEqual(summariseGraph(runs), {
    tasks: 5,
    byFunction: { f: 4, image: 1 },
    sites: ['nancay', 'paris'],
    nodes: 2,
  });
});
