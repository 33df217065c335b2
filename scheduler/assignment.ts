/**
 * Owns the sending of a task to the node that was chosen for it. Pure. Must not know: why that node.
 */
import { runId } from '../runtime/index.ts';
import { isUnreached } from './cost.ts';
import { footprintOf, secondsOf } from './estimates.ts';
import { planFetches } from './incoming-core.ts';
import { limits } from './limits.ts';
import { setPhase } from './lineage-core.ts';
import { givenOf } from './needs.ts';
import type { Hints, InputLocation, Replica } from './protocol.ts';
import { type NodeRecord, type SchedulerState, send, type TaskRecord } from './scheduler-state.ts';

export function assign(state: SchedulerState, task: TaskRecord, node: NodeRecord): void {
  const run = runId(state.nextRun++);
  const seconds = secondsOf(state, task);
  const { node: id } = node.info;
  const memoryBytes = footprintOf(state, task);
  const plan = planFetches(state, task, node);
  setPhase(
    state,
    task,
    { name: 'assigned', node: id, run, since: state.now, seconds, started: false, memoryBytes, plan },
    '',
  );
  const { key, fn, args } = task.spec;
  const hints = chosenHints(task);
  const inputs = task.inputs.map((input) => locate(state, input, node));
  // One number orders all: priority first, then rank.
  const rank = task.rank - task.priority * 2 ** 32 - urgency(task);
  const order = { type: 'compute', key, run, fn, args, inputs, hints, rank } as const;
  send(state, id, task.deaths + task.losses > 0 ? { ...order, wary: true } : order);
}

/** The node is told of the one way in which the task is to run. */
function chosenHints({ spec, needs }: TaskRecord): Hints {
  if (spec.hints.orNeeds === undefined) return spec.hints;
  const { orNeeds: _, ...hints } = spec.hints;
  return { ...hints, needs: givenOf(needs) };
}

/** What is due goes before what is not, the earliest first. */
function urgency({ due }: TaskRecord): number {
  return due === Number.POSITIVE_INFINITY ? 0 : 2 ** 31 - Math.min(2 ** 31, Math.max(0, due / 1000));
}

/** Where a node finds an input, nearest first. */
function locate(state: SchedulerState, input: TaskRecord, node: NodeRecord): InputLocation {
  const { key } = input.spec;
  if (input.phase.name !== 'held') return { key, bytes: 0, replicas: [] };
  const { bytes, inline } = input.phase;
  if (inline !== undefined) return { key, bytes, replicas: [], inline };
  const replicas = Array.from(input.phase.replicas, (id) => state.nodes.get(id)!.replica);
  if (replicas.length > 1) {
    const distance = ({ node: id, site }: Replica): number => {
      if (id === node.info.node) return 0;
      if (isUnreached(state, node.info.node, id)) return 3;
      return site === node.info.site ? 1 : 2;
    };
    replicas.sort((a, b) => distance(a) - distance(b)).splice(limits.replicasNamed);
  }
  return { key, bytes: input.phase.bytes, replicas };
}
