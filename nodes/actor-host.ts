/**
 * Owns the actors of a node: carries out the scheduler's orders about them and reports how their lives go.
 * Must not know: connections of callers (actor-door.ts), how an actor lives (actor-cell.ts).
 */
import {
  type ActorId,
  type AsperitasError,
  assertNever,
  type DatumParts,
  toWireError,
} from '../runtime/index.ts';
import type { ActorOrder, FromNode } from '../scheduler/protocol.ts';
import { ActorCell, type CellEars } from './actor-cell.ts';
import { limits } from './limits.ts';
import type { ThreadOptions } from './run-request.ts';
import { threadEnvironment } from './thread-environment.ts';

/** Where the answers of one line go. */
export interface LineMouth {
  readonly answers: (body: DatumParts) => void;
  readonly refused: (from: number, why: 'full' | 'away') => void;
  readonly room: () => void;
}

export interface ActorHostOptions extends ThreadOptions {
  readonly devices: readonly string[];
  /** How many live here, after every change. */
  readonly onCount: (living: number) => void;
}

type Order<T extends ActorOrder['type']> = Extract<ActorOrder, { readonly type: T }>;
type Phase = 'beginning' | 'living' | 'leaving' | 'over';

interface Resident {
  readonly cell: ActorCell;
  readonly order: Order<'start-actor'>;
  phase: Phase;
}

export class ActorHost {
  readonly #options: ActorHostOptions;
  readonly #residents = new Map<ActorId, Resident>();
  readonly #mouths = new Map<number, LineMouth>();
  readonly #lines = new Map<number, ActorCell>();
  #lastLine = 0;
  #report: ((report: FromNode) => void) | undefined;
  #leaveTimer: NodeJS.Timeout | undefined;

  constructor(options: ActorHostOptions) {
    this.#options = options;
  }

  /** A scheduler listens: it is told who lives here. */
  join(report: (report: FromNode) => void): void {
    this.#report = report;
    for (const { order, phase } of this.#residents.values()) {
      if (phase !== 'living') continue;
      const { spec, incarnation, epoch, owner } = order;
      report({
        type: 'actor-living',
        spec,
        incarnation,
        epoch,
        ...(owner === undefined ? {} : { owner }),
      });
    }
  }

  /** Nobody listens any more: actors go on for those who can reach them. */
  part(): void {
    this.#report = undefined;
  }

  order(order: ActorOrder): void {
    if (order.type === 'start-actor') {
      void this.#start(order);
      return;
    }
    const resident = this.#residents.get(order.actor);
    if (resident?.cell.incarnation !== order.incarnation) return;
    switch (order.type) {
      case 'stop-actor':
        void this.#leave(resident, false);
        return;
      case 'move-actor':
        void this.#leave(resident, true);
        return;
      case 'kill-actor':
        this.#end(resident, { normal: false, error: new Error('it was killed') });
        return;
      default:
        assertNever(order);
    }
  }

  /** The node begins to leave: the scheduler moves its actors, but it is not waited for for ever. */
  retire(): void {
    this.#leaveTimer ??= setTimeout(() => this.close(), limits.actorLeaveMs);
    this.#leaveTimer.unref();
  }

  /** Ends all at once. */
  close(): void {
    clearTimeout(this.#leaveTimer);
    for (const resident of [...this.#residents.values()]) {
      this.#end(resident, { normal: false, error: new Error('its node left') });
    }
  }

  /** A caller's way to one incarnation of an actor. Returns the node's number of the line. */
  open(actor: string, incarnation: number, mouth: LineMouth): number {
    const line = ++this.#lastLine;
    const resident = this.#residents.get(actor as ActorId);
    if (resident?.phase !== 'living' || resident.cell.incarnation !== incarnation) {
      mouth.refused(0, 'away');
      return line;
    }
    this.#mouths.set(line, mouth);
    this.#lines.set(line, resident.cell);
    resident.cell.join(line);
    return line;
  }

  offer(line: number, about: { readonly first: number; readonly count: number }, body: DatumParts): void {
    this.#lines.get(line)?.offer(line, about, body);
  }

  cancel(line: number, numbers: readonly number[]): void {
    this.#lines.get(line)?.cancel(line, numbers);
  }

  closeLine(line: number): void {
    this.#lines.get(line)?.part(line);
    this.#lines.delete(line);
    this.#mouths.delete(line);
  }

  async #start(order: Order<'start-actor'>): Promise<void> {
    const { spec, incarnation, snapshot } = order;
    const former = this.#residents.get(spec.actor);
    if (former !== undefined && former.cell.incarnation >= incarnation) return;
    // One life at a time: a former one that has not heard of its end yet is fenced off here.
    if (former !== undefined) this.#end(former, { normal: false, error: new Error('a later life began') });
    const ears: CellEars = {
      answers: (line, body) => this.#mouths.get(line)?.answers(body),
      refused: (line, from, why) => this.#mouths.get(line)?.refused(from, why),
      room: (line) => this.#mouths.get(line)?.room(),
      saved: (saved) =>
        this.#report?.({ type: 'actor-saved', actor: spec.actor, incarnation, snapshot: saved }),
      parked: (message, error) => this.#park(order, message, error),
      died: (error) => {
        if (resident.phase !== 'beginning') this.#end(resident, { normal: false, error });
      },
    };
    const cell = new ActorCell({ spec, incarnation, ears, env: threadEnvironment(this.#options.env) });
    const resident: Resident = { cell, order, phase: 'beginning' };
    this.#residents.set(spec.actor, resident);
    this.#count();
    try {
      const { modules, digests, node, site, data, devices } = this.#options;
      const device = devices.find((name) => (spec.needs[name] ?? 0) > 0);
      await cell.begin({ modules, digests, node, site, data, device, snapshot });
      if (resident.phase !== 'beginning') return;
      resident.phase = 'living';
      this.#report?.({ type: 'actor-started', actor: spec.actor, incarnation });
    } catch (error) {
      this.#end(resident, { normal: false, error: error as Error });
    }
  }

  #park({ spec, incarnation }: Order<'start-actor'>, message: string, error: AsperitasError): void {
    const wire = toWireError(error);
    this.#report?.({ type: 'message-parked', actor: spec.actor, incarnation, message, error: wire });
  }

  async #leave(resident: Resident, moves: boolean): Promise<void> {
    const { cell, order } = resident;
    if (resident.phase !== 'living') {
      // Whoever stops it while it begins does not want it any more.
      if (resident.phase === 'beginning') this.#end(resident, { normal: true, error: undefined });
      return;
    }
    resident.phase = 'leaving';
    const { spec, incarnation } = order;
    try {
      const snapshot = await cell.leave({ save: moves });
      if (this.#residents.get(spec.actor) !== resident) return;
      if (!moves) {
        this.#end(resident, { normal: true, error: undefined });
        return;
      }
      this.#report?.({
        type: 'actor-moved',
        actor: spec.actor,
        incarnation,
        ...(snapshot === undefined ? {} : { snapshot }),
      });
      this.#forget(resident);
    } catch (error) {
      this.#end(resident, { normal: !moves, error: error as Error });
    }
  }

  #end(resident: Resident, how: { readonly normal: boolean; readonly error: Error | undefined }): void {
    if (resident.phase === 'over') return;
    resident.phase = 'over';
    const { cell, order } = resident;
    const { normal, error } = how;
    cell.kill(error ?? new Error('it was stopped'));
    this.#report?.({
      type: 'actor-ended',
      actor: order.spec.actor,
      incarnation: order.incarnation,
      normal,
      ...(error === undefined ? {} : { error: toWireError(error) }),
    });
    // The last one to leave may close the door: everything has been said by now.
    this.#forget(resident);
  }

  #forget(resident: Resident): void {
    resident.phase = 'over';
    const { actor } = resident.order.spec;
    if (this.#residents.get(actor) === resident) this.#residents.delete(actor);
    this.#count();
  }

  #count(): void {
    this.#options.onCount(this.#residents.size);
  }
}
