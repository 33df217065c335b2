/** A set of few entries behaves as a set does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FewSet } from '../../runtime/index.ts';

test('it holds what was added and not deleted, each once, in the order in which they came', () => {
  const [few, whole] = [new FewSet<number>(), new Set<number>()];
  let state = 7;
  for (let step = 0; step < 2000; step++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const entry = 1 + (state % 4);
    if ((state >>> 8) % 2 === 0) {
      few.add(entry);
      whole.add(entry);
    } else {
      assert.equal(few.delete(entry), whole.delete(entry));
    }
    assert.deepEqual([...few], [...whole]);
    assert.equal(few.size, whole.size);
    assert.equal(few.has(entry), whole.has(entry));
  }
});

test('it can begin with one entry', () => {
  assert.deepEqual([...new FewSet('a')], ['a']);
  assert.equal(new FewSet('a').size, 1);
});
