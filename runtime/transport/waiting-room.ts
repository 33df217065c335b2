/**
 * Owns the connections of a listener that have not proved who they are: few, for a short time, with few
 * bytes. Where too many come, the oldest of the address that has the most gives way, so that a flood from one
 * place does not lock out the others. Must not know: WebSockets, how a proof is made.
 */
import type { Socket } from 'node:net';
import { limits } from './limits.ts';

interface Waiting {
  readonly socket: Socket;
  readonly address: string;
  readonly timer: NodeJS.Timeout;
}

/** The TCP connection beneath, whatever is layered on it. */
const placeOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

export class WaitingRoom {
  /** The one that came first is first. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #onExpelled: (address: string, why: string) => void;

  constructor(onExpelled: (address: string, why: string) => void) {
    this.#onExpelled = onExpelled;
  }

  get size(): number {
    return this.#waiting.size;
  }

  enter(socket: Socket): void {
    const place = placeOf(socket);
    const address = socket.remoteAddress ?? 'unknown';
    if (this.#waiting.size >= limits.unprovedConnections) this.#makeRoom();
    const expire = () => this.#expel(place, `no proof within ${limits.handshakeMs} ms`);
    const timer = setTimeout(expire, limits.handshakeMs);
    this.#waiting.set(place, { socket, address, timer });
    socket.once('close', () => this.#forget(place));
  }

  /** The peer has proved itself. */
  leave(socket: Socket): void {
    this.#forget(placeOf(socket));
  }

  #makeRoom(): void {
    const counts = new Map<string, number>();
    for (const { address } of this.#waiting.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const [place, { address }] of this.#waiting) {
      if (counts.get(address) !== most) continue;
      this.#expel(place, `more than ${limits.unprovedConnections} connections without a proof`);
      return;
    }
  }

  #expel(place: string, why: string): void {
    const waiting = this.#waiting.get(place);
    if (waiting === undefined) return;
    this.#forget(place);
    waiting.socket.destroy();
    this.#onExpelled(waiting.address, why);
  }

  #forget(place: string): void {
    clearTimeout(this.#waiting.get(place)?.timer);
    this.#waiting.delete(place);
  }
}
