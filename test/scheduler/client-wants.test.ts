/** What a client wants, counted: no connection, no clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, siteName, taskKey } from '../../runtime/index.ts';
import { type HeldNews, Wants } from '../../scheduler/client-wants.ts';
import { clientLimits } from '../../scheduler/limits.ts';
import { piecesOf } from '../../scheduler/submission.ts';

const [a, b] = [taskKey('a'), taskKey('b')];
const held = (key = a): HeldNews => ({
  type: 'held',
  key,
  bytes: 1,
  replicas: [{ node: nodeId('n'), site: siteName('s'), url: 'ws://n' }],
});

test('a result is given up by the last of its users only', () => {
  const wants = new Wants();
  wants.retain([a, b]);
  wants.retain([a]);
  assert.deepEqual(wants.release([a, b]), [b]);
  assert.deepEqual(wants.release([a]), [a]);
  assert.deepEqual(wants.release([a]), []);
  assert.equal(wants.size, 0);
});

test('news of what is no longer wanted is not kept for a later life', () => {
  const wants = new Wants();
  wants.retain([a]);
  wants.release([a]);
  wants.tell(held());
  wants.retain([a]);
  assert.equal(wants.newsOf(a), undefined);
});

test('watchers hear what is known and what comes, until they stop', () => {
  const wants = new Wants();
  wants.retain([a, b]);
  wants.tell(held(a));
  const heard: string[] = [];
  const stop = wants.watch([a, b], (key) => heard.push(key));
  wants.tell(held(b));
  stop();
  wants.tell(held(a));
  assert.deepEqual(heard, ['a', 'b']);
});

test('a word that proved wrong is forgotten, a newer one is not', () => {
  const wants = new Wants();
  wants.retain([a]);
  const [old, fresh] = [held(), held()];
  wants.tell(old);
  wants.tell(fresh);
  wants.forget(a, old);
  assert.equal(wants.newsOf(a), fresh);
  wants.forget(a, fresh);
  assert.equal(wants.newsOf(a), undefined);
});

test('submitting again forgets a failure, and nothing else', () => {
  const wants = new Wants();
  wants.retain([a, b]);
  wants.tell({ type: 'failed', key: a, error: { name: 'Error', message: 'x' }, culprit: a });
  wants.tell(held(b));
  wants.expect([a, b], 2);
  assert.equal(wants.newsOf(a), undefined);
  // Told while the new attempt was asked for.
  wants.tell({ type: 'failed', key: a, error: { name: 'Error', message: 'x' }, culprit: a, serial: 1 });
  assert.equal(wants.newsOf(a), undefined);
  assert.equal(wants.newsOf(b)?.type, 'held');
});

test('a graph is cut by number and by bytes, in its order', () => {
  const spec = (index: number, bytes: number) => {
    return { key: taskKey(`t${index}`), fn: 'f', args: new Uint8Array(bytes), inputs: [], hints: {} };
  };
  const small = Array.from({ length: 2 * clientLimits.submitTasks + 1 }, (_, index) => spec(index, 1));
  const pieces = [...piecesOf(small)];
  assert.deepEqual(
    pieces.map(({ length }) => length),
    [clientLimits.submitTasks, clientLimits.submitTasks, 1],
  );
  assert.deepEqual(pieces.flat(), small);
  const half = clientLimits.submitBytes / 2;
  const large = [spec(0, half), spec(1, half), spec(2, 3 * half), spec(3, 1)];
  assert.deepEqual(
    [...piecesOf(large)].map((piece) => piece.map(({ key }) => key)),
    [['t0', 't1'], ['t2'], ['t3']],
  );
  assert.deepEqual([...piecesOf([])], [[]]);
});
