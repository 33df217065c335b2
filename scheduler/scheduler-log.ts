/**
 * Owns what the scheduler's shell writes to the structured log, and how it notices a slow turn of the event
 * loop. Without a log nothing is written. Must not know: files, formats, what the core does.
 */
import type { Log, WireMessage } from '../runtime/index.ts';
import { limits } from './limits.ts';
import type { SchedulerEvent } from './scheduler-event.ts';

export class SchedulerLog {
  readonly #log: Log;
  #tickedMs = performance.now();

  constructor(log: Log | undefined) {
    this.#log = log ?? (() => undefined);
  }

  started(url: string): void {
    this.#log({ level: 'info', event: 'scheduler-started', text: `scheduler at ${url}`, fields: { url } });
  }

  ended(error: Error | undefined): void {
    const level = error === undefined ? 'info' : 'error';
    this.#log({ level, event: 'scheduler-ended', text: error?.message ?? 'the scheduler has ended' });
  }

  refused(error: unknown, hello: WireMessage): void {
    const peer = String(hello.node ?? hello.client ?? '').slice(0, 100);
    const why = error instanceof Error ? error.message : String(error);
    const { code } = (error ?? {}) as { readonly code?: string };
    const text = `a peer was refused: ${why}`;
    this.#log({ level: 'warn', event: 'peer-refused', text, fields: { peer, code } });
  }

  /** Comings and goings; every other event passes unnoticed. */
  happened(event: SchedulerEvent): void {
    if (event.type === 'node-joined') {
      const { node, site, url, threads, memoryBytes, pid } = event.info;
      const fields = { node, site, url, threads, memoryBytes, nodePid: pid };
      this.#log({ level: 'info', event: 'node-joined', text: `${node} joined at ${site}`, fields });
    } else if (event.type === 'node-lost') {
      this.nodeLost(event.node, event.reason);
    } else if (event.type === 'client-joined') {
      const { client } = event;
      this.#log({
        level: 'info',
        event: 'client-joined',
        text: `client ${client} joined`,
        fields: { client },
      });
    } else if (event.type === 'client-lost') {
      const { client } = event;
      this.#log({
        level: 'info',
        event: 'client-left',
        text: `client ${client} has gone`,
        fields: { client },
      });
    }
  }

  nodeLost(node: string, reason: string): void {
    const text = `${node} is gone: ${reason}`;
    this.#log({ level: 'warn', event: 'node-lost', text, fields: { node, reason } });
  }

  auditFailed(why: string): void {
    const text = `the audit log can't be written: ${why}`;
    this.#log({ level: 'error', event: 'audit-failed', text });
  }

  /** Called by a timer: late calls tell of turns that took too long. */
  ticked(): void {
    const nowMs = performance.now();
    const lateMs = Math.round(nowMs - this.#tickedMs - limits.tickMs);
    this.#tickedMs = nowMs;
    if (lateMs < limits.slowTurnMs) return;
    const text = `a turn of the event loop took ${lateMs} ms`;
    this.#log({ level: 'warn', event: 'slow-turn', text, fields: { lateMs } });
  }
}
