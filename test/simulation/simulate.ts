/** Runs campaigns of simulations: `npm run simulate -- --seeds N [--seed FIRST] [--verbose]`. Ends with 1
 * when a seed fails, and shows the first few that do. */
import { parseArgs } from 'node:util';
import { simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const count = Number(values.seeds);
let [ran, events, settled, hours, bad] = [0, 0, 0, 0, 0];
const failures = new Map<string, number>();
for (let seed = first; seed < first + count && bad < 3; seed++) {
  const outcome = simulate(seed, { verbose: values.verbose });
  ran++;
  events += outcome.events;
  settled += outcome.settled;
  hours += outcome.simulatedMs / 3_600_000;
  for (const [code, times] of outcome.failures) failures.set(code, (failures.get(code) ?? 0) + times);
  if (outcome.failure === undefined) continue;
  bad++;
  console.log(outcome.failure);
}
const honest = [...failures].map(([code, times]) => `${code} ${times}`).join(', ');
console.log(
  `${ran} of ${count} seeds from ${first}: ${bad} failed; ${events} events, ${settled} promises, ` +
    `${hours.toFixed(1)} simulated hours; honest failures: ${honest || 'none'}`,
);
process.exitCode = bad > 0 ? 1 : 0;
