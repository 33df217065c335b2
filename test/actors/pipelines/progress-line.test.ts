/** The line that says how far a run is. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ProgressLine } from '../../../actors/pipelines/progress-line.ts';

const progress = (done: number) => ({
  total: 100,
  done,
  running: 2,
  storedBytes: 0,
  rssBytes: 2 ** 30,
  crossSiteBytes: 2.5e6,
  nodes: 2,
  byFunction: [],
});

function line(isTTY: boolean) {
  let written = '';
  let now = 0;
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  stream.on('data', (bytes: Buffer) => {
    written += bytes.toString();
  });
  return {
    line: new ProgressLine(stream, () => now),
    written: () => written,
    tick: (ms: number) => (now += ms),
  };
}

test('it tells stage, tasks, rate, time left, memory and bytes between sites', () => {
  const { line: shown, written, tick } = line(true);
  shown.stage('imaging');
  shown.progress(progress(0));
  tick(2000);
  shown.progress(progress(40));
  assert.equal(
    shown.text(),
    'imaging | 40/100 tasks | 20/s | 3 s left in this stage | memory 1.0 GiB | 2.5 MB between sites',
  );
  assert.ok(written().includes('\r\u001b[Kimaging | 40/100'));
  shown.clear();
  assert.ok(written().endsWith('\r\u001b[K'));
});

test('nothing is written to what is not a terminal', () => {
  const { line: shown, written } = line(false);
  shown.stage('imaging');
  shown.progress(progress(5));
  shown.clear();
  assert.equal(written(), '');
});
