// Runs the compiled tests, or those whose path contains one of the words given: `npm test -- casacore`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const words = process.argv.slice(2);
const files = readdirSync(join(root, 'dist/test'), { recursive: true })
  .map(String)
  .filter(
    (file) => file.endsWith('.test.js') && (words.length === 0 || words.some((word) => file.includes(word))),
  )
  .sort()
  .map((file) => join('dist/test', file));
if (files.length === 0) {
  console.error(`no test file matches ${words.join(' ')}`);
  process.exit(1);
}
// Node.js leaves one processor alone unless told.
const flags = ['--test', '--test-timeout=240000', `--test-concurrency=${availableParallelism()}`];
const run = spawnSync(process.execPath, [...flags, ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
