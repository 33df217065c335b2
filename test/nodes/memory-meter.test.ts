/** What is measured of a node's process while runs are under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryMeter } from '../../nodes/memory-meter.ts';
import { runId } from '../../runtime/index.ts';

/** A meter in a world of made-up time and memory. */
function made() {
  const world = { ms: 0, bytes: 100, readings: 0 };
  const read = (): number => {
    world.readings++;
    return world.bytes;
  };
  return { world, meter: new MemoryMeter({ read, now: () => world.ms }) };
}

test('a run is told what the process took before it, at most, and after it', (t) => {
  const { world, meter } = made();
  t.after(() => meter.close());
  meter.begin(runId(1));
  Object.assign(world, { ms: 50, bytes: 900 });
  meter.begin(runId(2));
  Object.assign(world, { ms: 100, bytes: 300 });
  assert.deepEqual(meter.end(runId(1)), { rssBeforeBytes: 100, rssPeakBytes: 900, rssAfterBytes: 300 });
  Object.assign(world, { ms: 150, bytes: 200 });
  assert.deepEqual(meter.end(runId(2)), { rssBeforeBytes: 900, rssPeakBytes: 900, rssAfterBytes: 200 });
  assert.equal(meter.end(runId(2)), undefined);
});

test('many short runs share one reading', (t) => {
  const { world, meter } = made();
  t.after(() => meter.close());
  for (let run = 1; run <= 1000; run++) {
    world.ms += 0.01;
    meter.begin(runId(run));
    meter.end(runId(run));
  }
  assert.equal(world.readings, 1);
});
