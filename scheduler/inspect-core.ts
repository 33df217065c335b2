/**
 * Owns the answers to an operator's questions: how the cluster is, why a task is where it is, the retiring of
 * a node and the cancelling of a task for everybody. Everything is counted when it is asked for. Pure. Must
 * not know: connections, how answers are shown.
 */
import { assertNever, type ClientId } from '../runtime/index.ts';
import { pinnedActor } from './actor-reports.ts';
import { explain, story } from './explain.ts';
import { soleResults } from './handover-core.ts';
import { limits } from './limits.ts';
import { fail, schedulerError } from './lineage-core.ts';
import type { ToClient, ToScheduler } from './protocol.ts';
import {
  isActive,
  type NodeRecord,
  notify,
  type SchedulerState,
  send,
  type TaskRecord,
} from './scheduler-state.ts';
import type { FunctionView, NodeView, Overview } from './seeing-messages.ts';
import { ratchets } from './tally.ts';

export type Question = Extract<ToScheduler, { readonly question: number }>;
export type Answer = Extract<ToClient, { readonly question: number }>;

export function isQuestion(message: ToScheduler): message is Question {
  return 'question' in message;
}

export function onQuestion(state: SchedulerState, client: ClientId, asked: Question): void {
  notify(state, client, answerTo(state, asked));
}

function answerTo(state: SchedulerState, asked: Question): Answer {
  switch (asked.type) {
    case 'ask-overview':
      return { type: 'overview', question: asked.question, overview: overviewOf(state) };
    case 'ask-task':
      return withTask(state, asked, (task) => {
        const { key } = task.spec;
        const lines = story(state, key).slice(-limits.storyLines);
        return {
          type: 'task-told',
          question: asked.question,
          key,
          explanation: explanationOf(state, task),
          story: lines,
        };
      });
    case 'cancel-task':
      return withTask(state, asked, (task) => cancelTask(state, task, asked.question));
    case 'drain-node':
      return drainNode(state, asked);
    default:
      return assertNever(asked);
  }
}

/** Runs `then` on the one task that a key or the beginning of a key names. */
function withTask(
  state: SchedulerState,
  { question, task: name }: { readonly question: number; readonly task: string },
  then: (task: TaskRecord) => Answer,
): Answer {
  const exact = state.tasks.get(name as TaskRecord['spec']['key']);
  if (exact !== undefined) return then(exact);
  const like: TaskRecord[] = [];
  for (const [key, task] of state.tasks) if (key.startsWith(name)) like.push(task);
  if (like.length === 1) return then(like[0]!);
  if (like.length === 0) {
    const message = `no task ${name} is known: never submitted, or released; give its key or how it begins`;
    return { type: 'declined', question, code: 'no-such-task', message, thing: name };
  }
  const few = like.slice(0, limits.likeNamed).map(({ spec }) => spec.key);
  const more = like.length > few.length ? ', ...' : '';
  const message = `${like.length} tasks begin with ${name}: ${few.join(', ')}${more}`;
  return { type: 'declined', question, code: 'ambiguous-task', message, thing: name };
}

/** Ends a task for all who want it, and what depends on it. */
function cancelTask(state: SchedulerState, task: TaskRecord, question: number): Answer {
  const { phase, spec } = task;
  const cancelled = isActive(task);
  if (cancelled) {
    if (phase.name === 'assigned') send(state, phase.node, { type: 'abort', run: phase.run });
    const error = schedulerError('cancelled', `task ${spec.key} was cancelled by an operator`, spec.key);
    fail(state, task, error, spec.key);
  }
  return { type: 'task-cancelled', question, key: spec.key, phase: phase.name, cancelled };
}

function drainNode(
  state: SchedulerState,
  asked: { readonly question: number; readonly node: string; readonly force?: boolean },
): Answer {
  const { question, node: name } = asked;
  const node = state.nodes.get(name as NodeRecord['info']['node']);
  if (node === undefined) {
    const known = [...state.nodes.keys()].sort().slice(0, limits.likeNamed).join(', ') || 'none';
    const message = `no node ${name} is there; the nodes are ${known}`;
    return { type: 'declined', question, code: 'no-such-node', message, thing: name };
  }
  const pinned = node.retiring || asked.force === true ? undefined : pinnedActor(state, node.info.node);
  if (pinned !== undefined) {
    const { actor, name: called, definition } = pinned.spec;
    const who = `actor ${called ?? actor} (${definition})`;
    const message = `${who} on ${name} can be neither moved nor restarted: stop it, or drain by force`;
    return { type: 'declined', question, code: 'actor-pinned', message, thing: called ?? actor };
  }
  if (!node.retiring) send(state, node.info.node, { type: 'retire' });
  return { type: 'node-leaves', question, node: name, gone: false, hinders: hinderersOf(node) };
}

/** What a leaving node still has to do. */
function hinderersOf(node: NodeRecord): string[] {
  const runs = [...node.assigned.values()];
  const lines = runs.slice(0, limits.hinderersNamed).map(({ spec }) => `${spec.key} runs there`);
  if (runs.length > lines.length) lines.push(`${runs.length - lines.length} further tasks run there`);
  const { actors } = node.reserved;
  if (actors > 0) lines.push(`${actors} ${actors === 1 ? 'actor lives' : 'actors live'} there`);
  const sole = soleResults(node);
  if (sole > 0) lines.push(`${sole} results lie there alone and are handed over`);
  return lines;
}

function overviewOf(state: SchedulerState): Overview {
  const { tally } = state;
  const byName = (a: { readonly node: string }, b: { readonly node: string }) => (a.node < b.node ? -1 : 1);
  return {
    nowMs: state.now,
    sinceMs: state.since,
    tasks: { ...state.counts },
    clients: state.clients.size,
    stopping: state.stoppingSince !== undefined,
    nodes: [...state.nodes.values()].map((node) => nodeViewOf(state, node)).sort(byName),
    functions: functionsOf(state),
    links: [...tally.links.values()].map((link) => ({ ...link })),
  };
}

function nodeViewOf(state: SchedulerState, node: NodeRecord): NodeView {
  const { info, status } = node;
  return {
    node: info.node,
    site: info.site,
    threads: info.threads,
    memoryBytes: info.memoryBytes,
    ...status,
    assigned: node.assigned.size,
    parked: node.parkedCount,
    held: node.held.size,
    retiring: node.retiring,
    silentMs: state.now - node.lastHeard,
    ratchets: ratchets(state.tally.memory.get(info.node)),
  };
}

/** The functions that took most time first. */
function functionsOf(state: SchedulerState): FunctionView[] {
  const running = new Map<string, number>();
  for (const node of state.nodes.values()) {
    for (const { spec } of node.assigned.values()) running.set(spec.fn, (running.get(spec.fn) ?? 0) + 1);
  }
  const none = { done: 0, failed: 0, seconds: 0, longestSeconds: 0, bytes: 0, growthBytes: 0 };
  const names = new Set([...state.tally.functions.keys(), ...running.keys()]);
  return [...names]
    .map((fn) => ({ fn, running: running.get(fn) ?? 0, ...(state.tally.functions.get(fn) ?? none) }))
    .sort((a, b) => b.seconds - a.seconds || b.running - a.running);
}

/** Why a task is where it is, and what is known that bears on it. */
function explanationOf(state: SchedulerState, task: TaskRecord): string[] {
  const { spec, thrown, deaths, losses, unreachable } = task;
  const lines = [explain(state, spec.key)];
  const hints = Object.entries(spec.hints).filter(([, value]) => value !== undefined);
  if (hints.length > 0)
    lines.push(`its hints: ${hints.map(([n, v]) => `${n} ${JSON.stringify(v)}`).join(', ')}`);
  if (thrown > 0) lines.push(`its body threw ${thrown} times`);
  if (deaths > 0) lines.push(`${deaths} nodes died while they ran it`);
  if (losses > 0) lines.push(`${losses} nodes died before they began it`);
  if (unreachable > 0) lines.push(`${unreachable} attempts ended because inputs could not be reached`);
  const held = task.inputs.filter(({ phase }) => phase.name === 'held').length;
  if (task.inputs.length > 0) lines.push(`${held} of its ${task.inputs.length} inputs are held`);
  const clients = task.wantedBy.size;
  lines.push(`${clients} clients want it and ${task.waiters} unfinished tasks wait for it`);
  return lines;
}
