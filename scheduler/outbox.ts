/**
 * Owns when the scheduler's messages leave: at the end of the turn in which they were sent, together, and
 * those that nobody waits for with the next ones. Every message that leaves alone costs the system's time at
 * both ends, which the task pays that waits meanwhile. Must not know: why they are sent.
 */
import type { Connection } from '../runtime/index.ts';
import type { ToClient, ToNode } from './protocol.ts';

/** What frees memory or shortens a list somewhere, and is waited for by nobody. */
const unhurried: ReadonlySet<string> = new Set(['accepted', 'drop'] satisfies (ToClient | ToNode)['type'][]);

export class Outbox {
  readonly #connections = new Set<Connection>();

  /** Without a connection, there is nobody to tell. */
  send(connection: Connection | undefined, message: ToClient | ToNode): void {
    if (connection === undefined) return;
    if (unhurried.has(message.type)) {
      connection.sendLater(message);
      return;
    }
    connection.send(message);
    this.#connections.add(connection);
  }

  /** The turn is over. */
  flush(): void {
    for (const connection of this.#connections) connection.flush();
    this.#connections.clear();
  }
}
