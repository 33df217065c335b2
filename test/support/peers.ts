/**
 * Finds independent programs on this machine (astropy, fitsverify, xmllint) that some tests use as judges
 * where they are installed. Tests must not depend on them: where one is missing they skip, saying so.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Debian's Python, which has Debian's packages; others may shadow it in the path. */
const python = '/usr/bin/python3';

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runProgram(program: string, args: readonly string[], input = ''): Answer {
  const { status, stdout, stderr } = spawnSync(program, [...args], { input, encoding: 'utf8' });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** For `test(name, { skip: ... })`: false where the program can be started. */
export function programMissing(program: string, versionFlag = '--version'): false | string {
  const { error } = spawnSync(program, [versionFlag], { stdio: 'ignore' });
  return error === undefined ? false : `${program} is not installed`;
}

export function pythonModuleMissing(module: string): false | string {
  const { status } = runProgram(python, ['-c', `import ${module}`]);
  return status === 0 ? false : `python3 has no module ${module}`;
}

/** Runs a Python script that prints one JSON value. */
export function askPython(script: string, ...args: readonly string[]): unknown {
  const { status, stdout, stderr } = runProgram(python, ['-W', 'ignore', '-c', script, ...args]);
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** A folder that is removed with all it holds when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'asperitas-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
