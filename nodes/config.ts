/**
 * Owns what the daemons and their users agree on without being told: the default port, where the shared token
 * lies and who may read it, how sizes are written. Must not know: what is done with them.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { AsperitasError, isAsperitasError } from '../runtime/index.ts';

/** Where `asperitas scheduler` listens unless told otherwise. */
export const defaultPort = 7010;

/** Names the environment variable that holds the token itself; it goes before any file. */
export const tokenVariable = 'ASPERITAS_TOKEN';

/** Set in a thread of a node while it loads modules of tasks, and in what they start. */
export const loadingVariable = 'ASPERITAS_LOADING';

/** Where a user's daemons keep what they must find again. */
export function stateFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'asperitas');
}

/** Where the token lies unless `--token-file` names another place. */
export function defaultTokenFile(env: NodeJS.ProcessEnv = process.env): string {
  return join(stateFolder(env), 'token');
}

/** The shared token: of the environment, of the file named, or of the default file.
 * @throws AsperitasError `no-token`, `insecure-file` */
export async function readToken(tokenFile?: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env[tokenVariable];
  if (tokenFile === undefined && given !== undefined && given !== '') return given;
  const file = tokenFile ?? defaultTokenFile(env);
  const text = await readPrivate(file).catch((cause: unknown) => {
    if (isAsperitasError(cause)) throw cause;
    const message =
      `no token: ${file} can't be read; copy the scheduler's token file to it, ` +
      `name another by --token-file, or set ${tokenVariable}`;
    throw new AsperitasError('no-token', message, { file }, { cause });
  });
  const token = text.trim();
  if (token === '') throw new AsperitasError('no-token', `no token: ${file} is empty`, { file });
  return token;
}

/** A file that only its owner may read; looked at and read through one handle, so that it can't be exchanged
 * in between. */
async function readPrivate(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8);
      const message = `the token file ${file} can be read by others (mode ${octal}): chmod 600 ${file}`;
      throw new AsperitasError('insecure-file', message, { file, mode: octal });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Where `readToken` looks, in words. */
export function tokenPlace(tokenFile?: string, env: NodeJS.ProcessEnv = process.env): string {
  const inVariable = tokenFile === undefined && (env[tokenVariable] ?? '') !== '';
  return inVariable ? `the variable ${tokenVariable}` : (tokenFile ?? defaultTokenFile(env));
}

/** The token as `readToken` finds it; without one a new token is made and kept where others will look for it.
 * @throws AsperitasError `cannot-write`, `no-token`, `insecure-file` */
export async function readOrMakeToken(
  tokenFile?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const known = await readToken(tokenFile, env).catch((error: unknown) => {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    // Only a file that is not there is made: one that is empty or open to others tells of a mistake.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (known !== undefined) return known;
  const token = makeToken();
  await writeToken(tokenFile ?? defaultTokenFile(env), token);
  return token;
}

/** Keeps a token in a new file of its owner alone.
 * @throws AsperitasError `cannot-write` */
export async function writeToken(file: string, token: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = `the token can't be kept in ${file} (${code}): name a new file in a folder of yours`;
    throw new AsperitasError('cannot-write', message, { file }, { cause });
  }
}

/** Takes the token out of this process' environment, so that nothing that it starts inherits it. */
export function forgetToken(): void {
  delete process.env[tokenVariable];
}

/** A new secret of 256 bits. */
export function makeToken(): string {
  return randomBytes(32).toString('base64url');
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes of a text such as `4GiB` or `500MB`.
 * @throws AsperitasError `bad-option` */
export function parseBytes(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = match === null ? undefined : units[match[2]!.toLowerCase()];
  if (match === null || unit === undefined || !(Number(match[1]) > 0)) {
    const message = `--${option} ${text}: a size such as 4GiB or 500MB is wanted`;
    throw new AsperitasError('bad-option', message, { option, value: text });
  }
  return Math.floor(Number(match[1]) * unit);
}
