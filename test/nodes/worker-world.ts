/** A worker's core in a world of plain words, for tests: node `a1` at site `a`, keys by letter, runs by
 * number. After every event the invariants are checked. */
import assert from 'node:assert/strict';
import { handle } from '../../nodes/worker-core.ts';
import { check } from '../../nodes/worker-invariants.ts';
import {
  createWorkerState,
  type WorkerEvent,
  type WorkerInstruction,
  type WorkerOptions,
} from '../../nodes/worker-state.ts';
import { type Millis, millis, nodeId, runId, siteName, taskKey } from '../../runtime/index.ts';
import type { FromNode, Hints, Replica, TaskOrder } from '../../scheduler/protocol.ts';

/** Where nodes `a2` or `b1` say that they can be reached. */
export function at(name: string): Replica {
  return { node: nodeId(name), site: siteName(name.replace(/\d+$/, '')), url: `ws://${name}` };
}

interface Order {
  readonly hints?: Hints;
  readonly rank?: number;
  readonly wary?: boolean;
}

export class WorkerWorld {
  readonly state;
  now: Millis = millis(1000);
  /** What every run takes: not brief, unless told. */
  tookMs = 500;

  constructor(options: Partial<WorkerOptions> = {}) {
    const defaults = { node: nodeId('a1'), site: siteName('a'), threads: 1, resources: {} };
    this.state = createWorkerState({ ...defaults, ...options });
    this.welcome();
  }

  /** Feeds one event and returns the instructions. */
  feed(event: WorkerEvent): WorkerInstruction[] {
    const out = handle(this.state, event, this.now);
    assert.deepEqual(check(this.state), []);
    return out;
  }

  tell(event: WorkerEvent): string[] {
    return this.feed(event).map(sentence);
  }

  hear(message: TaskOrder): string[] {
    return this.tell({ type: 'from-scheduler', message });
  }

  /** A connection to a scheduler stands. */
  welcome(epoch = 1): string[] {
    return this.hear({ type: 'welcome', epoch });
  }

  lose(): string[] {
    return this.tell({ type: 'scheduler-lost' });
  }

  /** Run `run` of task `key`; inputs with the nodes that are said to hold them: `{ x: ['b1'] }`. */
  compute(
    run: number,
    key: string,
    inputs: Readonly<Record<string, readonly string[]>> = {},
    order: Order = {},
  ): string[] {
    return this.hear({
      type: 'compute',
      key: taskKey(key),
      run: runId(run),
      fn: 'test.fn',
      args: new Uint8Array(0),
      inputs: Object.entries(inputs).map(([name, nodes]) => ({
        key: taskKey(name),
        bytes: 8,
        replicas: nodes.map(at),
      })),
      hints: order.hints ?? {},
      rank: order.rank ?? run,
      ...(order.wary === undefined ? {} : { wary: order.wary }),
    });
  }

  abort(run: number): string[] {
    return this.hear({ type: 'abort', run: runId(run) });
  }

  drop(...names: string[]): string[] {
    return this.hear({ type: 'drop', keys: names.map(taskKey) });
  }

  fetched(key: string, from: string, bytes = 8): string[] {
    return this.tell({ type: 'fetched', key: taskKey(key), bytes, from: nodeId(from), ms: 2 });
  }

  missed(key: string, from: string, reason: 'absent' | 'unreachable' = 'absent'): string[] {
    return this.tell({ type: 'fetch-failed', key: taskKey(key), from: nodeId(from), reason });
  }

  done(run: number): string[] {
    return this.ended(run, { ok: true, bytes: 8 });
  }

  threw(run: number, message = 'boom'): string[] {
    return this.ended(run, { ok: false, error: { name: 'Error', message }, retryable: true });
  }

  ended(run: number, outcome: Extract<WorkerEvent, { type: 'run-ended' }>['outcome']): string[] {
    return this.tell({
      type: 'run-ended',
      run: runId(run),
      outcome,
      thread: 0,
      startMs: 5,
      endMs: 5 + this.tookMs,
    });
  }

  /** Has a run of `key` make it, as run `run`. */
  make(run: number, key: string): void {
    this.compute(run, key);
    this.done(run);
  }
}

/** An instruction in a few words. */
export function sentence(instruction: WorkerInstruction): string {
  switch (instruction.type) {
    case 'send':
      return `-> ${said(instruction.message)}`;
    case 'fetch':
      return `fetch ${instruction.key} from ${instruction.from.node}`;
    case 'cancel-fetch':
      return `cancel fetch ${instruction.key}`;
    case 'start':
      return `start ${[instruction.run, ...instruction.inputs].join(' ')}`;
    case 'stop-run':
      return `stop ${instruction.run}`;
    case 'keep':
      return `keep ${instruction.key} of ${instruction.run}`;
    case 'discard':
      return `discard ${instruction.run}`;
    case 'forget':
      return `forget ${instruction.keys.join(' ')}`;
    case 'hang-up':
      return `hang up: ${instruction.reason}`;
    case 'leave':
      return instruction.error === undefined ? 'leave' : `leave: ${instruction.error.message}`;
  }
}

function said(message: FromNode): string {
  switch (message.type) {
    case 'run-announced':
      return `${message.started ? 'runs' : 'has'} ${message.run}`;
    case 'run-started':
    case 'run-paused':
    case 'run-resumed':
    case 'run-done':
      return `${message.type} ${message.run}`;
    case 'run-failed':
      return `run-failed ${message.run}: ${message.error.message}`;
    case 'inputs-missing': {
      const inputs = message.inputs.map(({ key, node, reason }) => `${key} ${reason} at ${node}`);
      return `inputs-missing ${[message.run, ...inputs].join(', ')}`;
    }
    case 'replica-added':
    case 'replica-lost':
      return `${message.type} ${message.key}`;
    default:
      return message.type;
  }
}
