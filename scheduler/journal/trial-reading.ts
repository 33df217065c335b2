/**
 * Owns the reading of a journal's folder in a process of its own before this one opens it: LMDB maps its file
 * into memory and trusts it, so a file that was cut or changed can end the process that reads it. Must not
 * know: what is in the folder.
 */
import { spawn } from 'node:child_process';
import { journalLimits } from './limits.ts';

export interface TrialReading {
  /** Why the folder can't be read at all. */
  readonly why?: string;
  /** Numbers of the first block that can't be read, if there is one, and of the last. */
  readonly flaw?: number;
  readonly last: number;
}

/** The last line of what the process said, without its numbers and marks for debugging. */
function lastLine(said: string): string {
  const line = said.split('\n').find((text) => /^\w*Error: |Assertion/.test(text)) ?? '';
  return line.replace(/^\w*Error: /, '').slice(0, journalLimits.trialCharacters);
}

/** @param folder one that no other process writes */
export function tryReading(folder: string): Promise<TrialReading> {
  const script =
    'const [,url, folder] = process.argv; ' +
    'const { inspectFolder } = await import(url); ' +
    'process.stdout.write(JSON.stringify(inspectFolder(folder)));';
  const url = new URL('./lmdb.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, url, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A debugger of this process is none of that one's business.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let found = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    found += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-journalLimits.trialCharacters);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), journalLimits.trialMs);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ why: error.message, last: 0 });
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      if (status === 0) resolve(JSON.parse(found) as TrialReading);
      else resolve({ why: lastLine(said) || `reading it ended by ${signal ?? status}`, last: 0 });
    });
  });
}
