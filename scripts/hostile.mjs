// Sends many more hostile frames than `npm test` does: `npm run hostile -- SEED`. Prints the seed.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const seed = process.argv[2] ?? String(Date.now() % 1_000_000);
console.log(`seed ${seed}`);
const files = ['mutated-frames', 'hostile-peers'].map((name) =>
  join('dist/test/security', `${name}.test.js`),
);
const env = {
  ...process.env,
  ASPERITAS_SEED: seed,
  ASPERITAS_FRAMES: '1000000',
  ASPERITAS_SOCKET_FRAMES: '100000',
};
const run = spawnSync(process.execPath, ['--test', '--test-timeout=3600000', ...files], {
  cwd: root,
  stdio: 'inherit',
  env,
});
process.exit(run.status ?? 1);
