/**
 * Holds the tree to the house rules that the compiler and the linter cannot see: opening comments, purity of
 * the pure files, one importing file a library, documented error codes. See docs/architecture.md.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './support/shared-data.ts';

const folders = ['runtime', 'scheduler', 'nodes', 'actors', 'test', 'bench', 'examples'];
const production = ['runtime', 'scheduler', 'nodes', 'actors'];

interface Source {
  readonly path: string;
  readonly text: string;
}

function sourcesOf(names: readonly string[]): Source[] {
  return names.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true })
      .map((name) => `${folder}/${String(name)}`)
      .filter((path) => path.endsWith('.ts'))
      .map((path) => ({ path, text: readFileSync(join(projectRoot, path), 'utf8') })),
  );
}
const sources = sourcesOf(folders);

/** Paths of the sources that break a rule, with the words that break it. */
function offenders(list: readonly Source[], breaks: (source: Source) => string | undefined): string[] {
  return list.flatMap((source) => {
    const why = breaks(source);
    return why === undefined ? [] : [`${source.path}: ${why}`];
  });
}

function importsOf({ text }: Source): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
}

test('every file opens by saying what it owns', () => {
  const silent = offenders(sources, ({ text }) =>
    /^(#!.*\n)?\/(\*|\/)/.test(text) ? undefined : 'no comment',
  );
  assert.deepEqual(silent, []);
});

test('no line is longer than 110 characters and no file than 400 lines', () => {
  const long = offenders(sources, ({ text }) => {
    const lines = text.split('\n');
    const wide = lines.findIndex((line) => line.length > 110);
    if (lines.length > 401) return `${lines.length} lines`;
    return wide < 0 ? undefined : `line ${wide + 1} has ${lines[wide]!.length} characters`;
  });
  assert.deepEqual(long, []);
});

test('a library is imported by one file of production code', () => {
  const importers = new Map<string, Set<string>>();
  for (const source of sourcesOf(production)) {
    for (const name of importsOf(source).filter((name) => !/^(\.|node:)/.test(name))) {
      const library = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0]!;
      importers.set(library, (importers.get(library) ?? new Set()).add(source.path));
    }
  }
  const shared = [...importers]
    .filter(([, files]) => files.size > 1)
    .map(([name, files]) => [name, ...files]);
  assert.deepEqual(shared, []);
});

test('folders import one another only as the architecture allows', () => {
  const allowed: Record<string, RegExp> = {
    runtime: /^\.\.?\/(?!.*(scheduler|nodes|actors)\/)/,
    scheduler: /^(\.\/|(\.\.\/)+runtime\/index\.ts$|(\.\.\/)+[a-z-]+\.ts$|\.\.\/journal)/,
    actors: /^(\.|(\.\.\/)+(runtime|scheduler)\/index\.ts$)/,
    nodes:
      /^(\.\/|(\.\.\/)+runtime\/index\.ts$|(\.\.\/)+scheduler\/(protocol|index)\.ts$|(\.\.\/)+[a-z-]+\.ts$)/,
  };
  const strangers = offenders(sourcesOf(production), (source) => {
    const folder = source.path.split('/')[0]!;
    const crossing = importsOf(source).filter((name) => name.startsWith('.') && !allowed[folder]!.test(name));
    const deep = importsOf(source).filter((name) => {
      const target = /(?:\.\.\/)+(runtime|scheduler|nodes|actors)\/(.+)$/.exec(name);
      if (target === null || target[1] === folder) return false;
      return target[2] !== 'index.ts' && !(folder === 'nodes' && target[2] === 'protocol.ts');
    });
    const bad = [...crossing, ...deep];
    return bad.length === 0 ? undefined : bad.join(', ');
  });
  assert.deepEqual(strangers, []);
});

test('pure files import no node module and read no clock, no randomness, no environment', () => {
  const pureNames =
    /(-state|-core|\/placement|\/order|\/explain|\/invariants|\/supervision|kernels\/(?!.*load)[^/]+)\.ts$/;
  const impure = /\bDate\.now\b|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bprocess\.|\bconsole\./;
  const found = offenders(
    sourcesOf(production).filter(({ path }) => pureNames.test(path) && !path.includes('/assembly/')),
    (source) => importsOf(source).find((name) => name.startsWith('node:')) ?? impure.exec(source.text)?.[0],
  );
  assert.deepEqual(found, []);
});

test('no unfinished business, no silenced errors, no skipped or exclusive tests', () => {
  const marks = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X\\b', '@ts-' + 'ignore', '\\.only\\('].join('|'),
  );
  const found = offenders(sources, ({ text }) => marks.exec(text)?.[0]);
  assert.deepEqual(found, []);
});

test('no file is a grab bag', () => {
  const bags = sources.filter(({ path }) => /\/(utils?|helpers?|misc|common)\.ts$/.test(path));
  assert.deepEqual(
    bags.map(({ path }) => path),
    [],
  );
});

test('every error code has its section in docs/errors.md, and every section its code', () => {
  const documented = new Set(
    [...readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8').matchAll(/^## `?([a-z-]+)`?$/gm)].map(
      (match) => match[1]!,
    ),
  );
  const production_ = sourcesOf(production);
  const thrown = new Set(
    production_.flatMap(({ text }) =>
      [...text.matchAll(/AsperitasError\(\s*'([a-z-]+)'/g)].map((match) => match[1]!),
    ),
  );
  assert.deepEqual([...thrown].filter((code) => !documented.has(code)).sort(), [], 'undocumented');
  const all = production_.map(({ text }) => text).join('\n');
  const unused = [...documented].filter((code) => !all.includes(`'${code}'`));
  assert.deepEqual(unused.sort(), [], 'documented but never thrown');
});

test('every dependency has its reason in docs/dependencies.md', () => {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string> | undefined
  >;
  const reasons = readFileSync(join(projectRoot, 'docs/dependencies.md'), 'utf8');
  const names = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})];
  assert.deepEqual(
    names.filter((name) => !new RegExp(`^\\| ${name.replace('/', '\\/')} +\\|`, 'm').test(reasons)),
    [],
  );
});
