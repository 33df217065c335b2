/**
 * Owns the certificates of this end as files: read, checked before they are used, read again when they
 * change, and warned about before they expire. Must not know: sockets, what a certificate stands for.
 */
import { X509Certificate as Certificate, createPrivateKey, type X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { AsperitasError } from '../errors.ts';
import { limits } from './limits.ts';

/** Where the certificates lie, in PEM. */
export interface TlsPaths {
  /** This end's certificate, others of its chain after it, and the key of it. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Who signs the certificates of others; a listener then wants one from every peer. */
  readonly ca?: string | undefined;
}

/** What TLS is given. */
export interface TlsContext {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
}

const dayMs = 86_400_000;

function refused(path: string, why: string, cause?: unknown): AsperitasError {
  return new AsperitasError('bad-certificate', `${path}: ${why}`, { path }, { cause });
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw refused(path, `can't be read (${cause.code}); check the path`, cause);
  });
}

function parse(path: string, pem: Buffer): X509Certificate {
  try {
    return new Certificate(pem);
  } catch (cause) {
    throw refused(path, 'holds no certificate in PEM', cause);
  }
}

/** @throws AsperitasError `insecure-file` */
async function checkPrivate(path: string): Promise<void> {
  const { mode } = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw refused(path, `can't be read (${cause.code}); check the path`, cause);
  });
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  const message = `${path} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}`;
  throw new AsperitasError('insecure-file', message, { path });
}

interface Loaded {
  readonly context: TlsContext;
  readonly certificate: X509Certificate | undefined;
}

async function load({ cert, key, ca }: TlsPaths): Promise<Loaded> {
  if ((cert === undefined) !== (key === undefined)) {
    const given = cert ?? key!;
    throw refused(given, 'a certificate and its key are wanted together: --tls-cert and --tls-key');
  }
  const context: { cert?: Buffer; key?: Buffer; ca?: Buffer } = {};
  if (ca !== undefined) {
    context.ca = await read(ca);
    parse(ca, context.ca);
  }
  if (cert === undefined || key === undefined) return { context, certificate: undefined };
  await checkPrivate(key);
  context.cert = await read(cert);
  context.key = await read(key);
  const certificate = parse(cert, context.cert);
  if (!keyFits(certificate, context.key)) throw refused(key, `is not the key of ${cert}`);
  if (Date.parse(certificate.validTo) <= Date.now()) {
    throw refused(cert, `expired on ${certificate.validTo}; asperitas certificates makes another`);
  }
  return { context, certificate };
}

function keyFits(certificate: X509Certificate, key: Buffer): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

/** The newest change of any of the files, so that a change of one is seen. */
async function changedMs(paths: TlsPaths): Promise<number> {
  const given = [paths.cert, paths.key, paths.ca].filter((path) => path !== undefined);
  const times = await Promise.all(given.map(async (path) => (await stat(path)).mtimeMs));
  return Math.max(0, ...times);
}

export class TlsFiles {
  readonly #paths: TlsPaths;
  readonly #log: (line: string) => void;
  readonly #listeners = new Set<() => void>();
  readonly #watch: NodeJS.Timeout;
  #loaded: Loaded;
  #changedMs: number;
  #warnedMs = 0;

  private constructor(
    paths: TlsPaths,
    about: { readonly loaded: Loaded; readonly changedMs: number; readonly log: (line: string) => void },
  ) {
    this.#paths = paths;
    this.#loaded = about.loaded;
    this.#changedMs = about.changedMs;
    this.#log = about.log;
    this.#watch = setInterval(() => void this.#look(), limits.certificateCheckMs);
    this.#watch.unref();
    this.#warnOfExpiry();
  }

  /** @throws AsperitasError `bad-certificate`, `insecure-file` */
  static async open(paths: TlsPaths, log: (line: string) => void): Promise<TlsFiles> {
    const loaded = await load(paths);
    return new TlsFiles(paths, { loaded, changedMs: await changedMs(paths), log });
  }

  get context(): TlsContext {
    return this.#loaded.context;
  }

  /** Until when this end's certificate holds, if it has one. */
  get validUntil(): Date | undefined {
    const { certificate } = this.#loaded;
    return certificate === undefined ? undefined : new Date(certificate.validTo);
  }

  /** What this end's certificate names, if it has one, in the words of OpenSSL. */
  get names(): string | undefined {
    return this.#loaded.certificate?.subjectAltName;
  }

  /** Calls `listener` after every change; returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads the files again. Broken ones are logged, and the former stay in use. */
  async reload(): Promise<void> {
    try {
      this.#loaded = await load(this.#paths);
      this.#changedMs = await changedMs(this.#paths);
    } catch (error) {
      this.#log(`the certificates stay as they were: ${error instanceof Error ? error.message : error}`);
      return;
    }
    this.#warnedMs = 0;
    this.#log('certificates read again');
    this.#warnOfExpiry();
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    clearInterval(this.#watch);
  }

  async #look(): Promise<void> {
    this.#warnOfExpiry();
    const nowMs = await changedMs(this.#paths).catch(() => this.#changedMs);
    if (nowMs === this.#changedMs) return;
    this.#changedMs = nowMs;
    await this.reload();
  }

  /** Once a day. */
  #warnOfExpiry(): void {
    const until = this.validUntil;
    if (until === undefined || Date.now() - this.#warnedMs < dayMs) return;
    const days = Math.floor((until.getTime() - Date.now()) / dayMs);
    if (days >= limits.expiryWarningDays) return;
    this.#warnedMs = Date.now();
    this.#log(`the certificate ${this.#paths.cert} expires in ${days} days, on ${until.toISOString()}`);
  }
}
