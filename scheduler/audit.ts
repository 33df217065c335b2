/**
 * Owns what of a scheduler's life is worth an entry in the audit log: who came from where and as what, which
 * functions they submitted, what went from one site to another, who was refused. Must not know: how entries
 * are kept.
 */
import type { Connection, NodeId, SiteName } from '../runtime/index.ts';
import type { AuditLog } from './audit-log.ts';
import { isAdministration } from './permissions.ts';
import type { FromNode, ToScheduler } from './protocol.ts';

/** Functions named in one entry; a submission of more says how many there are. */
const namedFunctions = 50;

interface Origin {
  readonly id: string;
  readonly connection: Connection;
}

/** Who speaks, as the handshake proved and the network saw it. */
function about({ id, connection }: Origin): Readonly<Record<string, unknown>> {
  const { hello, peer } = connection;
  return { id, role: hello.role, address: peer?.address ?? 'this process' };
}

export class Audit {
  readonly #log: AuditLog;
  readonly #siteOf: (node: NodeId) => SiteName | undefined;

  constructor(log: AuditLog, siteOf: (node: NodeId) => SiteName | undefined) {
    this.#log = log;
    this.#siteOf = siteOf;
  }

  started(url: string): void {
    this.#log.write('started', { url, pid: process.pid });
  }

  joined(origin: Origin): void {
    const { peer, hello } = origin.connection;
    const site = hello.role === 'node' ? { site: hello.site } : {};
    this.#log.write('joined', { ...about(origin), ...site, encrypted: peer?.encrypted === true });
  }

  left(origin: Origin, reason: string): void {
    this.#log.write('left', { ...about(origin), reason });
  }

  /** Somebody who proved nothing. */
  turnedAway(address: string, why: string): void {
    this.#log.write('turned-away', { address, why });
  }

  /** Somebody known, whose wish was not granted. */
  refused(connection: Connection, why: string): void {
    const { hello, peer } = connection;
    const id = String(hello.node ?? hello.client ?? 'unnamed').slice(0, 200);
    this.#log.write('refused', { id, role: hello.role, address: peer?.address, why });
  }

  clientSaid(origin: Origin, message: ToScheduler): void {
    if (message.type === 'submit') {
      if (message.tasks.length > 0) this.#submitted(origin, message.tasks);
    } else if (isAdministration(message.type)) {
      const { type, ...fields } = message;
      this.#log.write('ordered', { ...about(origin), type, ...fields });
    }
  }

  nodeSaid(node: NodeId, message: FromNode): void {
    if (message.type !== 'replica-added' || message.from === undefined) return;
    const [fromSite, toSite] = [this.#siteOf(message.from), this.#siteOf(node)];
    if (fromSite === toSite) return;
    const { key, bytes, from } = message;
    this.#log.write('moved', { key, bytes, from, fromSite, to: node, toSite });
  }

  close(): void {
    this.#log.write('ended', {});
    this.#log.close();
  }

  #submitted(origin: Origin, tasks: Extract<ToScheduler, { type: 'submit' }>['tasks']): void {
    const counts = new Map<string, number>();
    let bytes = 0;
    for (const { fn, args } of tasks) {
      counts.set(fn, (counts.get(fn) ?? 0) + 1);
      bytes += args.byteLength;
    }
    const functions = Object.fromEntries([...counts].slice(0, namedFunctions));
    const others = counts.size > namedFunctions ? { others: counts.size - namedFunctions } : {};
    this.#log.write('submitted', { ...about(origin), tasks: tasks.length, bytes, functions, ...others });
  }
}
