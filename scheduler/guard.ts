/**
 * Owns the last look at whoever has proved a role: whether a node is of the site that its certificate names,
 * whether all have the same modules; and what of this is written down. Must not know: how events are handled.
 */
import { type Connection, type NodeId, toWireError } from '../runtime/index.ts';
import { Audit } from './audit.ts';
import { AuditLog } from './audit-log.ts';
import { type ModuleDigests, ModuleRegistry } from './module-registry.ts';
import type { FromNode, NodeInfo, ToScheduler } from './protocol.ts';
import type { SchedulerLog } from './scheduler-log.ts';
import type { SchedulerState } from './scheduler-state.ts';
import { checkSite } from './site-proof.ts';

export class Guard {
  readonly #modules = new ModuleRegistry();
  readonly #audit: Audit | undefined;
  readonly #log: SchedulerLog;

  /** @param auditFile where the audit log is kept, if it is
   * @throws AsperitasError `cannot-write`, `insecure-file`, `audit-broken` */
  constructor(auditFile: string | undefined, state: SchedulerState, log: SchedulerLog) {
    this.#log = log;
    if (auditFile === undefined) return;
    const chain = AuditLog.open(auditFile, (why) => log.auditFailed(why));
    this.#audit = new Audit(chain, (node) => state.nodes.get(node)?.info.site);
  }

  started(url: string): void {
    this.#audit?.started(url);
  }

  /** @throws AsperitasError `wrong-site`, `module-mismatch` */
  admitNode({ node, site, modules }: NodeInfo, connection: Connection): void {
    checkSite(connection.peer, site, `node ${node}`);
    this.#modules.admit(node, modules);
    this.#audit?.joined({ id: node, connection });
  }

  /** @throws AsperitasError `module-mismatch` */
  admitClient(client: string, modules: ModuleDigests | undefined, connection: Connection): void {
    this.#modules.admit(client, modules);
    this.#audit?.joined({ id: client, connection });
  }

  heard(id: string, connection: Connection, message: ToScheduler | FromNode): void {
    if (this.#audit === undefined) return;
    if (connection.hello.role === 'node') this.#audit.nodeSaid(id as NodeId, message as FromNode);
    else this.#audit.clientSaid({ id, connection }, message as ToScheduler);
  }

  left(id: string, connection: Connection, reason: string): void {
    this.#modules.leave(id);
    this.#audit?.left({ id, connection }, reason);
  }

  /** Tells a peer why before its connection closes, so that it does not come again with the same. */
  refuse(connection: Connection, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#log.refused(error, connection.hello);
    this.#audit?.refused(connection, why);
    connection.send({ type: 'refused', error: toWireError(error) });
    connection.close(why);
  }

  /** Somebody who proved nothing. */
  turnedAway(address: string, why: string): void {
    this.#audit?.turnedAway(address, why);
  }

  close(): void {
    this.#audit?.close();
  }
}
