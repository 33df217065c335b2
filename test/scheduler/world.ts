/** A scheduler's core in a world of plain words, for tests: nodes `a1`, `a2` at site `a`, tasks by letter.
 * After every event the invariants are checked. */
import assert from 'node:assert/strict';
import {
  clientId,
  type Millis,
  millis,
  type NodeId,
  nodeId,
  type RunId,
  siteName,
  taskKey,
} from '../../runtime/index.ts';
import { check } from '../../scheduler/invariants.ts';
import type { FromNode, Hints, NodeInfo, RunTrace, TaskSpec, ToScheduler } from '../../scheduler/protocol.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { createState, type Instruction, type SchedulerEvent } from '../../scheduler/scheduler-state.ts';

export const me = clientId('me');

/** A task whose key is its name; inputs by name. */
export function spec(name: string, inputs: readonly string[] = [], hints: Hints = {}): TaskSpec {
  return { key: taskKey(name), fn: 'test.fn', args: new Uint8Array(0), inputs: inputs.map(taskKey), hints };
}

export class World {
  readonly state;
  now: Millis = millis(1000);

  /** @param walkSteps how far the scheduler goes over a graph in one turn */
  constructor(walkSteps?: number) {
    this.state = createState(1, undefined, walkSteps);
  }

  /** Feeds one event and returns the instructions. */
  feed(event: SchedulerEvent): Instruction[] {
    const out = handle(this.state, event, this.now);
    assert.deepEqual(check(this.state), []);
    return out;
  }

  /** Feeds an event, then places; returns all instructions as short sentences. */
  tell(event: SchedulerEvent): string[] {
    const first = this.feed(event);
    return [...first, ...this.feed({ type: 'drained' })].flatMap((instruction) => sentence(instruction));
  }

  /** A node joins; its site is the letters of its name. */
  join(name: string, more: Partial<NodeInfo> = {}): string[] {
    const info: NodeInfo = {
      role: 'node',
      node: nodeId(name),
      site: siteName(name.replace(/\d+$/, '')),
      url: `ws://${name}`,
      threads: 1,
      memoryBytes: 1e9,
      resources: {},
      pid: 1,
      ...more,
    };
    return this.tell({ type: 'node-joined', info });
  }

  client(message: ToScheduler, id = me): string[] {
    if (!this.state.clients.has(id)) this.feed({ type: 'client-joined', client: id });
    return this.tell({ type: 'from-client', client: id, message });
  }

  submit(tasks: readonly TaskSpec[], ...wants: string[]): string[] {
    return this.client({ type: 'submit', tasks, wants: wants.map(taskKey) });
  }

  release(...names: string[]): string[] {
    return this.client({ type: 'release', keys: names.map(taskKey) });
  }

  node(name: string, message: FromNode): string[] {
    return this.tell({ type: 'from-node', node: nodeId(name), message });
  }

  /** The run under which a task is assigned now. */
  runOf(name: string): { node: NodeId; run: RunId } {
    const phase = this.state.tasks.get(taskKey(name))?.phase;
    assert.equal(phase?.name, 'assigned', `${name} is assigned`);
    return phase as { name: 'assigned'; node: NodeId; run: RunId };
  }

  started(name: string): string[] {
    const { node, run } = this.runOf(name);
    return this.node(node, { type: 'run-started', key: taskKey(name), run });
  }

  done(name: string, bytes = 8, seconds = 0.5): string[] {
    const { node, run } = this.runOf(name);
    const trace = this.trace(name, node, seconds);
    return this.node(node, { type: 'run-done', key: taskKey(name), run, bytes, trace });
  }

  failed(name: string, message: string, retryable = true): string[] {
    const { node, run } = this.runOf(name);
    const error = { name: 'Error', message };
    const trace = { ...this.trace(name, node, 0.5), outcome: 'failed' as const };
    return this.node(node, { type: 'run-failed', key: taskKey(name), run, error, retryable, trace });
  }

  lose(name: string): string[] {
    return this.tell({ type: 'node-lost', node: nodeId(name), reason: 'its connection closed' });
  }

  tick(ms: number): string[] {
    this.now = millis(this.now + ms);
    return this.tell({ type: 'ticked' });
  }

  /** Time passes, with a tick every second. */
  pass(seconds: number): string[] {
    return Array.from({ length: seconds }, () => this.tick(1000)).flat();
  }

  trace(name: string, node: NodeId, seconds: number): RunTrace {
    const { site } = this.state.nodes.get(node)!.info;
    const times = { startMs: 0, endMs: 1000 * seconds, thread: 0, localBytes: 0, remoteBytes: 0 };
    return { key: taskKey(name), fn: 'test.fn', node, site, outcome: 'done', ...times };
  }
}

/** An instruction in a few words: who is told what about which task. Progress is left out. */
export function sentence(instruction: Instruction): string[] {
  switch (instruction.type) {
    case 'send': {
      const { message, to } = instruction;
      if (message.type === 'compute') return [`${to}: compute ${message.key}`];
      if (message.type === 'abort') return [`${to}: abort ${message.run}`];
      if (message.type === 'welcome') return [];
      if (message.type === 'drop') return [`${to}: drop ${message.keys.join(' ')}`];
      if (message.type === 'copy') return [`${to}: copy ${message.data.map(({ key }) => key).join(' ')}`];
      return [`${to}: ${message.type}`];
    }
    case 'notify': {
      const { message } = instruction;
      if (message.type === 'held')
        return [`held ${message.key} on ${message.replicas.map(({ node }) => node).join(' ')}`];
      if (message.type === 'failed') {
        const { key, error, culprit } = message;
        return [`failed ${key}: ${error.code ?? error.message}${culprit === key ? '' : ` by ${culprit}`}`];
      }
      return ['progress', 'welcome', 'accepted'].includes(message.type) ? [] : [message.type];
    }
    case 'record':
      return [];
    case 'disconnect':
      return [`disconnect ${instruction.node}`];
    case 'stop':
      return ['stop'];
  }
}
