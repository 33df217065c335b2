/**
 * Owns what every transport promises, and it is little: a connection carries messages in order and whole, or
 * it closes; messages may be lost with it. Authentication and framing are behind it. Must not know: tasks,
 * nodes.
 */
import type { AsperitasError } from '../errors.ts';
import type { Peer } from './peer.ts';

export type { Peer } from './peer.ts';

/** A message for the wire: anything msgpack can hold; typed arrays inside travel as raw frames beside the
 * header. */
export type WireMessage = Readonly<Record<string, unknown>>;

/** An authenticated, ordered, bidirectional connection. */
export interface Connection {
  /** What the peer said of itself in the handshake. Signed with the key of the `role` that it names, so the
   * role is proved; the rest is unchecked. */
  readonly hello: WireMessage;
  /** The other end as the network sees it; absent where there is no network. */
  readonly peer?: Peer;
  /** Queues a message; messages of one turn of the event loop travel as one batch. A no-op once closed. */
  send(message: WireMessage): void;
  /** Queues a message that nobody waits for: it keeps its place in the order, but leaves with the next one
   * that is sent, or after a few milliseconds. */
  sendLater(message: WireMessage): void;
  /** Lets what was sent leave now, rather than at the end of the turn. */
  flush(): void;
  /** Bytes queued but not yet handed to the operating system; `drained` waits until they fall below the
   * limit. */
  readonly bufferedBytes: number;
  drained(signal?: AbortSignal): Promise<void>;
  /** Sets the one receiver; messages that came earlier are delivered to it first. */
  onMessage(receive: (message: WireMessage) => void): void;
  /** Whether the connection keeps the process from ending when nothing else does; it does unless told. */
  hold?(active: boolean): void;
  /** Sends what is queued, then closes. */
  close(reason?: string): void;
  /** Resolves when the connection has ended, with the error that ended it, if any. Never rejects. */
  readonly closed: Promise<AsperitasError | undefined>;
}

/** A listening socket. */
export interface Listener {
  /** Where peers dial, such as `ws://127.0.0.1:41234`, or `wss://` where the line is encrypted. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Loopback (127.0.0.1) unless told otherwise. */
  readonly host?: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** The secret, or a token with the keys of all roles that may connect; every connection proves its role by
   * challenge and response, in both directions. */
  readonly token: string;
  readonly hello: WireMessage;
  readonly onConnection: (connection: Connection) => void;
  /** Listens on an address that others can route to though nothing is encrypted: somebody else must protect
   * the line. */
  readonly insecure?: boolean | undefined;
  /** The most that a peer may send at once; 2 GiB unless told. */
  readonly maxBatchBytes?: number | undefined;
  /** A peer came that could not or would not prove itself. */
  readonly onRefused?: ((address: string, why: string) => void) | undefined;
}

export interface DialOptions {
  readonly token: string;
  readonly hello: WireMessage;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Makes connections. `listen` rejects with `cannot-listen`, `insecure-bind` or `weak-token`; `dial` with
 * `unreachable`, `wrong-token`, `wrong-role`, `version-mismatch`, `wrong-certificate`, `not-encrypted`,
 * `timeout` or `aborted`. It may be given several addresses with commas between them, which are tried in
 * turn: the one scheduler that leads listens at one of them. */
export interface Transport {
  listen(options: ListenOptions): Promise<Listener>;
  dial(url: string, options: DialOptions): Promise<Connection>;
}
