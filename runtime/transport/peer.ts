/**
 * Owns what a socket itself tells of the other end: its address, whether the line is encrypted, what its
 * certificate says, and the value that binds a handshake to the encrypted channel. Must not know:
 * WebSockets, handshakes.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The other end of a connection, as the network sees it. */
export interface Peer {
  readonly address: string;
  readonly encrypted: boolean;
  /** The URIs that the peer's certificate names; undefined where it showed none. */
  readonly certificateUris?: readonly string[];
}

const channelBytes = 32;

/** URIs of a certificate's alternative names. Node.js quotes names that could pass for several: a certificate
 * with such names is not believed at all. */
export function urisOf(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice('URI:'.length));
}

export function peerOf(socket: Socket): Peer {
  const address = socket.remoteAddress ?? 'unknown';
  if (!(socket instanceof TLSSocket)) return { address, encrypted: false };
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) return { address, encrypted: true };
  return { address, encrypted: true, certificateUris: urisOf(certificate.subjectAltName) };
}

/** What both ends of an encrypted channel, and nobody between two channels, can compute (RFC 9266). */
export function channelOf(socket: Socket): Uint8Array {
  if (!(socket instanceof TLSSocket)) return new Uint8Array(0);
  const label = 'EXPORTER-Channel-Binding';
  return Uint8Array.from(socket.exportKeyingMaterial(channelBytes, label, Buffer.alloc(0)));
}
