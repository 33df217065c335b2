/**
 * Owns the scheduler's pure core with nodes that finish everything in the turn after they get it, and how
 * long its events and turns take. Must not know: graphs, what is made of the figures.
 */
import { readFileSync } from 'node:fs';
import { clientId, millis, type NodeId, type TaskKey } from '../../runtime/index.ts';
import { clientLimits } from '../../scheduler/limits.ts';
import type { NodeInfo, ToScheduler } from '../../scheduler/protocol.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { createState, type SchedulerEvent, type SchedulerState } from '../../scheduler/scheduler-state.ts';
import type { BenchGraph } from './graphs.ts';
import { finished, infoOf } from './zero-worker.ts';

const cluster = { nodes: 10, threads: 4 } as const;
const client = clientId('bench');
/** Reports that are read from sockets in one turn of the event loop. */
const turnReports = 500;
/** So often it is looked how much of the processor's time went by. */
const askMs = 5;

/** What this thread has spent itself, whatever else the machine does; where that is not told, the time. */
function spentMs(): number {
  try {
    const [ns] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(ns) / 1e6;
  } catch {
    return performance.now();
  }
}

export class CoreLoop {
  readonly state: SchedulerState = createState();
  readonly #infos = new Map<NodeId, NodeInfo>();
  #nowMs = 1;
  #reports: SchedulerEvent[] = [];
  #askedMs = 0;
  #spentMs = 0;
  turns = 0;
  /** Wants that the client has been told of. */
  told = 0;
  /** The longest event of each kind in time, and the longest turn in time of the processor. */
  readonly longestMs = new Map<string, number>();
  longestTurnMs = 0;

  constructor() {
    for (let index = 0; index < cluster.nodes; index++) {
      const info = infoOf(`a${index}`, cluster.threads, `ws://10.0.0.${index}:7000`);
      this.#infos.set(info.node, info);
      this.#feed({ type: 'node-joined', info });
    }
    this.#feed({ type: 'client-joined', client });
  }

  #feed(event: SchedulerEvent): void {
    const startMs = performance.now();
    const out = handle(this.state, event, millis(this.#nowMs));
    const spentMs = performance.now() - startMs;
    const kind = 'message' in event ? event.message.type : event.type;
    this.longestMs.set(kind, Math.max(spentMs, this.longestMs.get(kind) ?? 0));
    for (const instruction of out) {
      if (instruction.type === 'notify' && instruction.message.type === 'held') this.told++;
      if (instruction.type !== 'send' || instruction.message.type !== 'compute') continue;
      const { message, to } = instruction;
      for (const report of finished(message, this.#infos.get(to)!, this.#nowMs)) {
        this.#reports.push({ type: 'from-node', node: to, message: report });
      }
    }
  }

  /** Sends the graph as a client does: in pieces, each in a turn of its own. */
  submit({ tasks, wants }: BenchGraph): void {
    const size = clientLimits.submitTasks;
    for (let start = 0; start < tasks.length; start += size) {
      const piece = tasks.slice(start, start + size);
      this.#say({ type: 'submit', tasks: piece, wants: [], more: true });
    }
    for (let start = 0; start < wants.length; start += size) {
      const some = wants.slice(start, start + size);
      this.#say({ type: 'submit', tasks: [], wants: some, more: start + size < wants.length });
    }
  }

  release(keys: readonly TaskKey[]): void {
    const size = clientLimits.submitTasks;
    for (let start = 0; start < keys.length; start += size) {
      this.#say({ type: 'release', keys: keys.slice(start, start + size) });
    }
    while (this.state.tasks.size > 0) this.turn();
  }

  #say(message: ToScheduler): void {
    this.turn({ type: 'from-client', client, message });
  }

  loseNode(): void {
    const node = this.#infos.keys().next().value!;
    this.#infos.delete(node);
    this.turn({ type: 'node-lost', node, reason: 'it was ended' });
  }

  /** One turn: what happened, some of what was reported, then the placement. */
  turn(event?: SchedulerEvent): void {
    const startMs = performance.now();
    this.#nowMs++;
    this.turns++;
    if (event !== undefined) this.#feed(event);
    const reports = this.#reports.splice(0, turnReports);
    for (const report of reports) this.#feed(report);
    this.#feed({ type: 'drained' });
    const endMs = performance.now();
    // To ask costs more than a small turn.
    if (endMs - this.#askedMs < askMs) return;
    const spent = spentMs();
    const turnMs = Math.min(endMs - startMs, spent - this.#spentMs);
    this.longestTurnMs = Math.max(this.longestTurnMs, turnMs);
    this.#askedMs = endMs;
    this.#spentMs = spent;
  }

  finish(wants: number): void {
    while (this.told < wants) this.turn();
  }
}
