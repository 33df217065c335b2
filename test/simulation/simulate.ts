/** Runs campaigns of simulations: `npm run simulate -- --seeds N [--seed FIRST]`; one seed alone is run twice
 * and its traces compared. A failure is made smaller, shown, and can be replayed with the options that are
 * printed; with `--find` only the first one is named. Ends with 1 when a seed fails. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { campaign, type Tally } from './campaign.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    without: { type: 'string', default: '' },
    threads: { type: 'string', default: String(availableParallelism()) },
    verbose: { type: 'boolean', default: false },
    find: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed ?? '1');
const seeds = Number(values.seeds ?? (values.seed === undefined ? '1000' : '1'));
const without = new Set(values.without.split(',').filter((act) => act !== ''));

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, times]) => `${name} ${times}`).join(', ') || 'none';
}

/** Runs one seed twice: the same events must come in the same order. */
function replay(seed: number): Outcome {
  const outcome = simulate(seed, { without, verbose: values.verbose });
  const again = simulate(seed, { without });
  if (again.hash !== outcome.hash) throw new Error(`seed ${seed} gave two different traces`);
  console.log(`seed ${seed}: trace ${outcome.hash.toString(16).padStart(8, '0')}`);
  return outcome;
}

function show(failed: Outcome): void {
  const small = shrink(failed, { without });
  console.log(small.outcome.failure);
  const left = small.outcome.acts.join(', ') || 'none';
  console.log(`of ${failed.acts.length} acts ${small.outcome.acts.length} are needed: ${left}`);
  const rest = small.without.size > 0 ? ` --without ${[...small.without].join(',')}` : '';
  console.log(`replay: npm run simulate -- --seed ${failed.seed}${rest}\n`);
}

function summary(tally: Tally): string {
  const { seeds: ran, bad, events, settled, hours, faults, failures } = tally;
  return [
    `${ran} of ${seeds} seeds from ${first}: ${bad.length} failed; ${events} events, ${settled} promises, ` +
      `${hours.toFixed(1)} simulated hours`,
    `faults: ${list(faults)}`,
    `honest failures: ${list(failures)}`,
  ].join('\n');
}

/** Names the first seed that fails. */
function find(): boolean {
  for (let seed = first; seed < first + seeds; seed++) {
    const { failure } = simulate(seed);
    if (failure === undefined) continue;
    console.log(`seed ${seed}: ${failure.split('\n')[2]}`);
    return false;
  }
  return true;
}

async function main(): Promise<boolean> {
  if (values.find) return find();
  if (seeds === 1) {
    const outcome = replay(first);
    if (outcome.failure !== undefined) show(outcome);
    return outcome.failure === undefined;
  }
  const tally = await campaign({ first, count: seeds }, { threads: Number(values.threads), mostBad: 3 });
  for (const failed of tally.bad.slice(0, 3)) show(failed);
  console.log(summary(tally));
  return tally.bad.length === 0;
}

if (!(await main())) process.exitCode = 1;
