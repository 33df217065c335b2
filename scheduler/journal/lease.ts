/**
 * Owns the lease by which one of several schedulers leads: taken when it is free, renewed well before it can
 * expire, and taken for lost when it could not be renewed in time, by a clock that never goes back. Must not
 * know: what the leader does.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AsperitasError } from '../../runtime/index.ts';
import { nextEpoch } from './journal.ts';
import { journalLimits } from './limits.ts';
import { identityOf, lifeOf, ownIdentity } from './process-identity.ts';
import type { RedisLink } from './redis.ts';
import { acquireScript, type ClusterKeys, releaseScript, renewScript } from './redis-scripts.ts';

export interface LeaseTerms {
  readonly link: RedisLink;
  readonly keys: ClusterKeys;
  readonly cluster: string;
  readonly leaseMs: number;
  /** Where the scheduler will be found, for others to read. */
  readonly address: string | undefined;
}

/** A lease that was held when it was made. */
export class Lease {
  readonly epoch: number;
  /** Generation of the log when the lease was taken. */
  readonly generation: number;
  /** Fires when the lease is lost, with the error, or given back. */
  readonly ended: AbortSignal;
  readonly lost: Promise<AsperitasError>;
  readonly #terms: LeaseTerms;
  readonly #holder: string;
  readonly #end = new AbortController();
  #settleLost!: (error: AsperitasError) => void;
  #guard: NodeJS.Timeout | undefined;

  private constructor(
    terms: LeaseTerms,
    taken: {
      readonly holder: string;
      readonly epoch: number;
      readonly generation: number;
      readonly atMs: number;
    },
  ) {
    this.#terms = terms;
    this.#holder = taken.holder;
    this.epoch = taken.epoch;
    this.generation = taken.generation;
    this.ended = this.#end.signal;
    this.lost = new Promise((resolve) => {
      this.#settleLost = resolve;
    });
    this.#stopUnlessRenewed(taken.atMs);
    void this.#keep();
  }

  /** Waits until the lease is free and takes it. `log` is told when there is something to wait for.
   * @throws AsperitasError `journal-failed`; the signal's reason */
  static async take(
    terms: LeaseTerms,
    { signal, log }: { readonly signal: AbortSignal; readonly log: (line: string) => void },
  ): Promise<Lease> {
    const { link, keys, leaseMs, address } = terms;
    const holder = JSON.stringify({ ...ownIdentity(), address, id: randomUUID() });
    let dead = '';
    let told = '';
    for (;;) {
      const atMs = performance.now();
      const args = [holder, leaseMs, nextEpoch(undefined), dead];
      const what = { keys: [keys.epoch, keys.lease, keys.head], args };
      const answer = (await link.run(acquireScript, what, { signal })) as [number, Buffer];
      const [epoch, text] = [answer[0], answer[1].toString()];
      if (epoch > 0) return new Lease(terms, { holder, epoch, generation: Number(text), atMs });
      const identity = identityOf(text);
      // A leader of this machine that was killed need not be waited for.
      dead = identity !== undefined && lifeOf(identity) === 'dead' ? text : '';
      if (dead !== '') continue;
      if (told !== text) log(waitingLine(terms, text));
      told = text;
      await sleep(journalLimits.standbyPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Gives the lease back, so that another need not wait for it to run out. */
  async release(): Promise<void> {
    this.#finish(new AsperitasError('journal-failed', 'the journal was closed'));
    const { link, keys } = this.#terms;
    const until = { signal: AbortSignal.timeout(journalLimits.answerMs), once: true };
    // If it can't be given back it runs out.
    await link.run(releaseScript, { keys: [keys.lease], args: [this.#holder] }, until).catch(() => undefined);
  }

  /** Ends the lease because another has it, or can. Returns what ended it, if that was something else. */
  lose(why: string): AsperitasError {
    const message = `the lease of cluster ${this.#terms.cluster} is lost: ${why}; this scheduler must end`;
    return this.fail(new AsperitasError('journal-fenced', message, { cluster: this.#terms.cluster, why }));
  }

  /** Ends the lease because its holder can't go on. Returns what ended it, if that was something else. */
  fail(error: AsperitasError): AsperitasError {
    if (!this.#finish(error)) return this.ended.reason as AsperitasError;
    this.#settleLost(error);
    return error;
  }

  async #keep(): Promise<void> {
    const { link, keys, leaseMs } = this.#terms;
    const what = { keys: [keys.epoch, keys.lease], args: [this.#holder, leaseMs, String(this.epoch)] };
    for (;;) {
      const pauseMs = leaseMs * journalLimits.renewShare;
      await sleep(pauseMs, undefined, { signal: this.ended }).catch(() => undefined);
      if (this.ended.aborted) return;
      const atMs = performance.now();
      try {
        const held = await link.run(renewScript, what, { signal: this.ended, once: true });
        if (held === 1) this.#stopUnlessRenewed(atMs);
        else this.lose('another scheduler has taken it over');
      } catch {
        // Tried again until the guard says that it is too late.
      }
    }
  }

  /** Time runs from when the renewal was sent: when it was carried out, Redis alone knows. */
  #stopUnlessRenewed(atMs: number): void {
    clearTimeout(this.#guard);
    if (this.ended.aborted) return;
    const { leaseMs, link } = this.#terms;
    const leftMs = atMs + leaseMs * journalLimits.stopShare - performance.now();
    const late = (): void => {
      this.lose(`it could not be renewed at ${link.url} in time`);
    };
    this.#guard = setTimeout(late, Math.max(leftMs, 0));
  }

  #finish(reason: AsperitasError): boolean {
    if (this.ended.aborted) return false;
    clearTimeout(this.#guard);
    this.#end.abort(reason);
    return true;
  }
}

function waitingLine({ cluster, leaseMs }: LeaseTerms, holder: string): string {
  const identity = identityOf(holder);
  const where = /"address":"([^"\\]*)"/.exec(holder)?.[1];
  const who = identity === undefined ? 'another' : `process ${identity.pid} on ${identity.host}`;
  return (
    `standing by: cluster ${cluster} is led by ${where === undefined ? '' : `${where}, `}${who}; ` +
    `this scheduler takes over when that one ends, ${leaseMs / 1000} s after its last word at the latest`
  );
}
