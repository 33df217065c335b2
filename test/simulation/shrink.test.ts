/** A failed simulation is made smaller, and what remains fails in the same way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf, shrink } from './shrink.ts';
import { type Cores, type Outcome, simulate, trueCores } from './simulation.ts';

/** A worker that does not say what it has lost. */
const cores: Cores = {
  ...trueCores,
  worker: (state, event, now) =>
    trueCores.worker(state, event, now).filter(({ type, ...rest }) => type !== 'send' || !isLoss(rest)),
};

function isLoss(instruction: object): boolean {
  return 'message' in instruction && (instruction.message as { type: string }).type === 'replica-lost';
}

function firstFailure(): Outcome {
  for (let seed = 1; seed <= 200; seed++) {
    const outcome = simulate(seed, { cores });
    if (outcome.failure !== undefined) return outcome;
  }
  assert.fail('no seed fails');
}

test('what is not needed for a failure is left out', () => {
  const failed = firstFailure();
  const { outcome, without } = shrink(failed, { cores });
  assert.ok(outcome.acts.length < failed.acts.length / 2, `${outcome.acts.length} of ${failed.acts.length}`);
  assert.equal(kindOf(outcome.failure!), kindOf(failed.failure!));
  const replayed = simulate(failed.seed, { cores, without });
  assert.equal(replayed.hash, outcome.hash);
  // None of what is left can go.
  for (const act of outcome.acts) {
    const { failure } = simulate(failed.seed, { cores, without: new Set([...without, act]) });
    assert.ok(failure === undefined || kindOf(failure) !== kindOf(outcome.failure!), `${act} is not needed`);
  }
});
