/**
 * Owns what the daemons and their users agree on without being told: the default port, where the shared token
 * lies, how sizes are written. Must not know: what is done with them.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { AsperitasError } from '../runtime/index.ts';

/** Where `asperitas scheduler` listens unless told otherwise. */
export const defaultPort = 7010;

/** Names the environment variable that holds the token itself; it goes before any file. */
export const tokenVariable = 'ASPERITAS_TOKEN';

/** Set in a thread of a node while it loads modules of tasks, and in what they start. */
export const loadingVariable = 'ASPERITAS_LOADING';

/** Where the token lies unless `--token-file` names another place. */
export function defaultTokenFile(env: NodeJS.ProcessEnv = process.env): string {
  const state = env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state');
  return join(state, 'asperitas', 'token');
}

/** The shared token: of the environment, of the file named, or of the default file.
 * @throws AsperitasError `no-token` */
export async function readToken(tokenFile?: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env[tokenVariable];
  if (tokenFile === undefined && given !== undefined && given !== '') return given;
  const file = tokenFile ?? defaultTokenFile(env);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const message =
      `no token: ${file} can't be read; copy the scheduler's token file to it, ` +
      `name another by --token-file, or set ${tokenVariable}`;
    throw new AsperitasError('no-token', message, { file }, { cause });
  });
  const token = text.trim();
  if (token === '') throw new AsperitasError('no-token', `no token: ${file} is empty`, { file });
  return token;
}

/** Where `readToken` looks, in words. */
export function tokenPlace(tokenFile?: string, env: NodeJS.ProcessEnv = process.env): string {
  const inVariable = tokenFile === undefined && (env[tokenVariable] ?? '') !== '';
  return inVariable ? `the variable ${tokenVariable}` : (tokenFile ?? defaultTokenFile(env));
}

/** The token as `readToken` finds it; without one a new token is made and kept where others will look for it.
 * @throws AsperitasError `cannot-write` */
export async function readOrMakeToken(
  tokenFile?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const known = await readToken(tokenFile, env).catch(() => undefined);
  if (known !== undefined) return known;
  const file = tokenFile ?? defaultTokenFile(env);
  const token = makeToken();
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, `${token}\n`, { mode: 0o600 });
    await chmod(file, 0o600);
  } catch (cause) {
    throw new AsperitasError('cannot-write', `the token can't be kept in ${file}`, { file }, { cause });
  }
  return token;
}

export function makeToken(): string {
  return randomBytes(24).toString('base64url');
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
