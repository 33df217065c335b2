/**
 * Finds the reference data beside the checkout (`../shared/data`) and unpacks its archives once per machine.
 * The data are not part of the project: where they are absent the tests that need them skip, saying so.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, seen from dist/test/support. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const dataRoot = join(projectRoot, '../shared/data');

/** For `test(name, { skip: sharedDataMissing }, ...)`: false where the data exist, else the reason. */
export const sharedDataMissing: false | string = existsSync(dataRoot)
  ? false
  : 'the reference data (../shared/data) are not beside this checkout';

/** The path of a file under ../shared/data. */
export function sharedFile(...parts: string[]): string {
  return join(dataRoot, ...parts);
}

/** Unpacks `../shared/data/<folder>/<archive>` and returns the path of its single top-level entry. */
export function sharedSet(folder: 'dev' | 'public', archive: string): string {
  const source = join(dataRoot, folder, archive);
  const stamp = Math.floor(statSync(source).mtimeMs);
  const target = join(tmpdir(), 'asperitas-reference-data', `${folder}-${archive}-${stamp}`);
  if (!existsSync(target)) {
    mkdirSync(dirname(target), { recursive: true });
    const partial = mkdtempSync(`${target}-partial-`);
    execFileSync('tar', ['xzf', source, '-C', partial]);
    try {
      renameSync(partial, target);
    } catch (error) {
      // Another test process unpacked the same archive first: its copy is as good.
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    }
  }
  const [entry] = readdirSync(target);
  if (entry === undefined) throw new Error(`${source} is an empty archive`);
  return join(target, entry);
}
