/**
 * Owns the making of certificates: an authority of one's own, and certificates that it signs for the nodes
 * of a site, the scheduler and clients, with the site's name in them. The only importer of selfsigned. Must
 * not know: how they are used.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { AsperitasError } from '../runtime/index.ts';
import { siteUri } from '../scheduler/index.ts';

export interface CertificatePlan {
  /** The folder of the authority and of all that it signs. */
  readonly folder: string;
  /** What the files are called. */
  readonly name: string;
  /** The site whose nodes may use it; a client's has none. */
  readonly site: string | undefined;
  /** Names and addresses under which it is dialled. */
  readonly hosts: readonly string[];
  readonly days: number;
}

export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Whether the authority was made too. */
  readonly madeAuthority: boolean;
}

const dayMs = 86_400_000;
/** The authority outlives what it signs. */
const authorityDays = 3650;
const authorityName = 'asperitas cluster authority';
const elliptic = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

interface Authority {
  readonly key: string;
  readonly cert: string;
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { mode, flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
    const hint =
      cause.code === 'EEXIST' ? 'is there already: remove it or choose another --name' : cause.code;
    throw new AsperitasError('cannot-write', `${path} ${hint}`, { path }, { cause });
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new AsperitasError(
      'bad-certificate',
      `${path}: can't be read (${cause.code})`,
      { path },
      { cause },
    );
  });
}

async function readAuthority(folder: string): Promise<Authority | undefined> {
  const path = join(folder, 'ca.pem');
  const cert = await readIfThere(path);
  if (cert === undefined) return undefined;
  const key = await readIfThere(join(folder, 'ca-key.pem'));
  if (key === undefined) {
    const message = `${path} is there but its key ca-key.pem is not: sign where the key is`;
    throw new AsperitasError('bad-certificate', message, { path });
  }
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return { cert, key };
  } catch (cause) {
    throw new AsperitasError('bad-certificate', `${path}: no certificate with its key`, { path }, { cause });
  }
  throw new AsperitasError('bad-certificate', `${path}: ca-key.pem is the key of another`, { path });
}

async function makeAuthority(folder: string): Promise<Authority> {
  const made = await generate([{ name: 'commonName', value: authorityName }], {
    ...elliptic,
    notAfterDate: new Date(Date.now() + authorityDays * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  await writeNew(join(folder, 'ca-key.pem'), made.private, 0o600);
  await writeNew(join(folder, 'ca.pem'), made.cert, 0o644);
  return { key: made.private, cert: made.cert };
}

/** Makes a certificate, and the authority that signs it where the folder has none.
 * @throws AsperitasError `cannot-write`, `bad-certificate` */
export async function makeCertificate(plan: CertificatePlan): Promise<CertificateFiles> {
  const { folder, name, site, hosts, days } = plan;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    throw new AsperitasError('cannot-write', `${folder} can't be made (${cause.code})`, { path: folder });
  });
  const known = await readAuthority(folder);
  const authority = known ?? (await makeAuthority(folder));
  const names = hosts.map((host) =>
    isIP(host) > 0 ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const),
  );
  const uris = site === undefined ? [] : [{ type: 6 as const, value: siteUri(site) }];
  const altNames = [...names, ...uris];
  const made = await generate([{ name: 'commonName', value: name }], {
    ...elliptic,
    ca: authority,
    notAfterDate: new Date(Date.now() + days * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      ...(altNames.length === 0 ? [] : [{ name: 'subjectAltName' as const, altNames }]),
    ],
  });
  const files = { ca: join(folder, 'ca.pem'), cert: join(folder, `${name}.pem`) };
  const key = join(folder, `${name}-key.pem`);
  await writeNew(key, made.private, 0o600);
  await writeNew(files.cert, made.cert, 0o644);
  return { ...files, key, madeAuthority: known === undefined };
}
