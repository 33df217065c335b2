/**
 * Peers that speak WebSocket by hand over a TCP socket, so that they can say what no library would: frames of
 * any length and kind, in any pieces, before and after an honest handshake.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { WireMessage } from '../../runtime/index.ts';
import { introduce, packHandshake, parseHandshake } from '../../runtime/transport/handshake.ts';

const finalBinary = 0x82;
export const upgradeRequest =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** One frame as a client sends it, with a mask of zeros. */
export function frameOf(payload: Uint8Array, first = finalBinary): Buffer {
  const { byteLength } = payload;
  const head = Buffer.alloc(byteLength < 126 ? 2 : byteLength < 65_536 ? 4 : 10);
  head[0] = first;
  head[1] = 0x80 | (byteLength < 126 ? byteLength : byteLength < 65_536 ? 126 : 127);
  if (head.byteLength === 4) head.writeUInt16BE(byteLength, 2);
  if (head.byteLength === 10) head.writeBigUInt64BE(BigInt(byteLength), 2);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

export class RawPeer {
  readonly socket: Socket;
  /** Everything that was sent, for a recording. */
  readonly sent: Uint8Array[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (piece) => {
      this.#buffer = Buffer.concat([this.#buffer, piece]);
      this.#wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** A TCP connection over which nothing was said yet. */
  static async dial(url: string): Promise<RawPeer> {
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const peer = new RawPeer(socket);
    await once(socket, 'connect');
    return peer;
  }

  /** An open WebSocket, nothing proved. */
  static async upgrade(url: string): Promise<RawPeer> {
    const peer = await RawPeer.dial(url);
    peer.socket.write(upgradeRequest);
    await peer.#until(() => peer.#buffer.indexOf('\r\n\r\n') >= 0);
    peer.#buffer = peer.#buffer.subarray(peer.#buffer.indexOf('\r\n\r\n') + 4);
    return peer;
  }

  /** A peer whose handshake was accepted. */
  static async introduce(url: string, party: { token: string; hello: WireMessage }): Promise<RawPeer> {
    const peer = await RawPeer.upgrade(url);
    await introduce(
      {
        channel: new Uint8Array(0),
        send: (message) => peer.send(packHandshake(message)),
        next: async () => parseHandshake(await peer.next()),
      },
      party,
    );
    return peer;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  send(payload: Uint8Array): void {
    this.sent.push(payload);
    this.socket.write(frameOf(payload));
  }

  /** The payload of the next message; rejects when the connection closes instead. */
  async next(): Promise<Uint8Array> {
    for (;;) {
      const frame = this.#take();
      if (frame !== undefined) return frame;
      const had = this.#buffer.byteLength;
      await this.#until(() => this.#buffer.byteLength > had);
    }
  }

  /** Resolves when the other end has closed the connection, or has said so. */
  async closed(): Promise<void> {
    while (!this.#closed) {
      this.#take();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(): Uint8Array | undefined {
    if (this.#buffer.byteLength < 2) return undefined;
    const short = this.#buffer[1]! & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#buffer.byteLength < start) return undefined;
    let length = short;
    if (short === 126) length = this.#buffer.readUInt16BE(2);
    if (short === 127) length = Number(this.#buffer.readBigUInt64BE(2));
    if (this.#buffer.byteLength < start + length) return undefined;
    const opcode = this.#buffer[0]! & 0x0f;
    const payload = new Uint8Array(this.#buffer.subarray(start, start + length));
    this.#buffer = this.#buffer.subarray(start + length);
    // A peer that does not answer a farewell would be waited for.
    if (opcode === 8) this.socket.destroy();
    return opcode === 2 ? payload : this.#take();
  }

  async #until(fits: () => boolean): Promise<void> {
    while (!fits()) {
      if (this.#closed) throw new Error('the other end closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
