// Plants each bug of test/simulation/bugs in a copy of the tree and has the simulation look for it. Prints a table;
// ends with 1 when a bug is not found within the seeds that its file states. `npm run planted-bugs -- WORD…` tries
// those whose file name contains a word.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bugs = join(root, 'test/simulation/bugs');
const folders = ['runtime', 'scheduler', 'nodes', 'actors', 'bench', 'examples', 'test', 'dist'];

/** What the lines above a patch say: `Bug:`, `Class:` and `Within:` (seeds). */
function readBug(name) {
  const path = join(bugs, name);
  const head = readFileSync(path, 'utf8').split('\ndiff --git')[0];
  const field = (word) => new RegExp(`^${word}: (.*)$`, 'm').exec(head)?.[1];
  return { path, title: field('Bug'), kind: field('Class'), within: Number(field('Within')) };
}

function apply(tree, path, ...flags) {
  execFileSync('git', ['apply', '--recount', '-C1', ...flags, path], { cwd: tree, stdio: 'inherit' });
}

/** Builds the tree and returns the first seed that fails, with what went wrong. */
function search(tree, within) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '-b'], { cwd: tree, encoding: 'utf8' });
  if (built.status !== 0) return { failed: true, seed: '-', wrong: `does not compile: ${built.stdout}` };
  const program = join(tree, 'dist/test/simulation/simulate.js');
  const run = spawnSync(process.execPath, [program, '--find', '--seeds', String(within)], {
    encoding: 'utf8',
  });
  if (run.status === 0) return { failed: true, seed: '-', wrong: 'not found' };
  const [, seed, wrong] = /^seed (\d+): (.*)$/m.exec(run.stdout) ?? [];
  if (seed === undefined) return { failed: true, seed: '-', wrong: run.stderr };
  return { failed: false, seed, wrong };
}

const words = process.argv.slice(2);
const names = readdirSync(bugs)
  .filter(
    (name) => name.endsWith('.patch') && (words.length === 0 || words.some((word) => name.includes(word))),
  )
  .sort();
const tree = mkdtempSync(join(tmpdir(), 'asperitas-bugs-'));
try {
  for (const folder of folders) cpSync(join(root, folder), join(tree, folder), { recursive: true });
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(tree, file));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  console.log(
    '| planted bug | as in | within seeds | found at seed | what broke |\n| --- | --- | --: | --: | --- |',
  );
  for (const name of names) {
    const { path, title, kind, within } = readBug(name);
    apply(tree, path);
    const { failed, seed, wrong } = search(tree, within);
    apply(tree, path, '--reverse');
    if (failed) process.exitCode = 1;
    console.log(`| ${title} | ${kind} | ${within} | ${seed} | ${wrong.trim().slice(0, 110)} |`);
  }
} finally {
  rmSync(tree, { recursive: true });
}
