/**
 * The command `npm run bench`: runs all benchmarks one after the other, or those named, each in a process of
 * its own; `npm run bench -- gridding --peer python3` passes what follows on. Must not know: what they
 * measure.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const known = readdirSync(here)
  .filter((name) => name.endsWith('.js') && name !== 'bench.js')
  .map((name) => name.slice(0, -'.js'.length))
  .sort();

const words = process.argv.slice(2);
const firstOption = words.findIndex((word) => word.startsWith('-'));
const names = firstOption < 0 ? words : words.slice(0, firstOption);
const options = firstOption < 0 ? [] : words.slice(firstOption);
const unknown = names.filter((name) => !known.includes(name));

if (names.length === 0 && options.length > 0) {
  process.stderr.write('name the benchmark that the options are for\n');
  process.exitCode = 2;
} else if (unknown.length > 0) {
  process.stderr.write(`no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}\n`);
  process.exitCode = 2;
} else {
  for (const name of names.length === 0 ? known : names) {
    process.stdout.write(`\n## ${name}\n\n`);
    const { status } = spawnSync(process.execPath, [join(here, `${name}.js`), ...options], {
      stdio: 'inherit',
    });
    if (status !== 0) process.exitCode = 1;
  }
}
