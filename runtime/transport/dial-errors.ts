/**
 * Owns what a dialler is told when it does not get through, each with what to do. Must not know: sockets,
 * handshakes.
 */
import { AsperitasError } from '../errors.ts';
import { closeCodes, HandshakeRefused } from './handshake.ts';

export interface DialFailure {
  readonly url: string;
  readonly timeoutMs: number;
  readonly aborted: boolean;
}

/** OpenSSL's and Node.js' words for a peer whose certificate does not convince, or that wants ours. */
const certificateTrouble =
  /CERT|SELF_SIGNED|ISSUER|ERR_TLS|ERR_SSL|EPROTO|alert|unsupported protocol|version|hang up|ECONNRESET/i;

function wrongToken(url: string): AsperitasError {
  const message = `${url} refused the token: use the token that it was started with`;
  return new AsperitasError('wrong-token', message, { url });
}

function otherVersion(url: string): AsperitasError {
  const message = `${url} speaks another version of asperitas: install the same on both ends`;
  return new AsperitasError('version-mismatch', message, { url });
}

function wrongCertificate(url: string, why: string, cause: unknown): AsperitasError {
  const message =
    `no encrypted connection to ${url} (${why}): are --tls-ca, --tls-cert and the host's name right, ` +
    'and does it expect wss://?';
  return new AsperitasError('wrong-certificate', message, { url }, { cause });
}

/** For certificates without encryption: a typing error would send everything in clear. */
export function notEncrypted(url: string): AsperitasError {
  const message = `${url} is not encrypted though certificates were given: write wss://`;
  return new AsperitasError('not-encrypted', message, { url });
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || 'closed';
}

/** What came of dialling, as its caller may act on it. */
export function dialError(error: unknown, { url, timeoutMs, aborted }: DialFailure): AsperitasError {
  if (aborted) return new AsperitasError('aborted', `dialling ${url} was aborted`, { url });
  if (error instanceof AsperitasError && error.code !== 'invalid-message') return error;
  if (error instanceof HandshakeRefused) {
    if (error.closeCode === closeCodes.wrongToken) return wrongToken(url);
    if (error.closeCode === closeCodes.otherVersion) return otherVersion(url);
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new AsperitasError('timeout', `${url} did not answer within ${timeoutMs} ms`, { url, timeoutMs });
  }
  const why = wordsOf(error);
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (url.startsWith('wss:') && certificateTrouble.test(`${code} ${why}`)) {
    return wrongCertificate(url, why, error);
  }
  const message = `can't reach ${url} (${why}): is it running, and is the address right?`;
  return new AsperitasError('unreachable', message, { url }, { cause: error });
}
