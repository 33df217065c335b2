/** Transfers over lines that break: what has come does not come again, and never belongs to another datum. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fetcher, missReason } from '../../nodes/fetcher.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { dataNode, token } from '../support/data-node.ts';
import { datum, decoded, numbers } from '../support/node-data.ts';

const MiB = 2 ** 20;

test('a transfer of 64 MiB whose connection is cut three times goes on where it was', async (t) => {
  const node = await dataNode(t);
  const first = numbers(48 * MiB, 1);
  const second = numbers(16 * MiB, 2);
  node.store.put('cube', datum({ first, second }));
  const line = await startCutProxy(t, node.listener.url, { afterBytes: 20 * MiB, cuts: 3 });
  const fetcher = new Fetcher({ node: 'b-1', token });
  t.after(() => fetcher.close());
  const fetched = await fetcher.fetch('cube', { ...node.replica, url: line.url });
  assert.deepEqual([line.cuts.done, fetcher.resumed], [3, 3]);
  const value = decoded(fetched) as { first: Float64Array; second: Float64Array };
  assert.equal(Buffer.compare(Buffer.from(value.first.buffer), Buffer.from(first.buffer)), 0);
  assert.equal(Buffer.compare(Buffer.from(value.second.buffer), Buffer.from(second.buffer)), 0);
  // Three times whatever was on the line when it broke, and not the datum anew.
  assert.ok(line.passed.bytes < 1.5 * 64 * MiB, `${line.passed.bytes / MiB} MiB came`);
});

test('a datum that was made anew meanwhile comes from its beginning', async (t) => {
  const node = await dataNode(t);
  node.store.put('cube', datum(numbers(40 * MiB, 1)));
  const line = await startCutProxy(t, node.listener.url, { afterBytes: 20 * MiB, cuts: 1 });
  const fetcher = new Fetcher({ node: 'b-1', token });
  t.after(() => fetcher.close());
  const fetching = fetcher.fetch('cube', { ...node.replica, url: line.url });
  while (line.cuts.done === 0) await new Promise((resolve) => setImmediate(resolve));
  node.store.delete('cube');
  const again = numbers(40 * MiB, 7);
  node.store.put('cube', datum(again));
  assert.equal(
    Buffer.compare(Buffer.from((decoded(await fetching) as Float64Array).buffer), Buffer.from(again.buffer)),
    0,
  );
});

test('a line that breaks before anything comes is given up: the next holder is tried', async (t) => {
  const node = await dataNode(t);
  node.store.put('cube', datum(numbers(MiB, 1)));
  const line = await startCutProxy(t, node.listener.url, { afterBytes: 0, cuts: 1_000 });
  const fetcher = new Fetcher({ node: 'b-1', token });
  t.after(() => fetcher.close());
  const error: unknown = await fetcher.fetch('cube', { ...node.replica, url: line.url }).catch((e) => e);
  assert.equal(missReason(error), 'unreachable');
  assert.equal(fetcher.resumed, 0);
});
