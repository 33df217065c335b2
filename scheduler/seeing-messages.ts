/**
 * Owns the questions that an operator puts to the scheduler and their answers: an overview, one task's state
 * and story, the retiring of a node, the cancelling of a task. Each question has a number of its client's,
 * which its answer repeats. Must not know: how messages travel, who asks.
 */
import { array, count, dictionary, flag, type Infer, maybe, object, real, text } from '../runtime/index.ts';

/** A node as an operator sees it. */
export const nodeView = object({
  node: text,
  site: text,
  threads: count,
  /** Runs that the node says are running, runs sent to it, tasks that queue for it here. */
  running: count,
  assigned: count,
  parked: count,
  /** Results that it holds. */
  held: count,
  storedBytes: count,
  rssBytes: count,
  memoryBytes: count,
  retiring: flag,
  /** Milliseconds since its last word. */
  silentMs: real,
  /** What it takes after runs, stored data apart, has only grown for a while: something leaks there. */
  ratchets: flag,
});
export type NodeView = Infer<typeof nodeView>;

/** What the tasks of one function have taken so far. */
export const functionView = object({
  fn: text,
  running: count,
  done: count,
  failed: count,
  seconds: real,
  longestSeconds: real,
  bytes: count,
  growthBytes: real,
});
export type FunctionView = Infer<typeof functionView>;

/** What has travelled from one site to another. */
export const linkView = object({ from: text, to: text, bytes: count, transfers: count, seconds: real });
export type LinkView = Infer<typeof linkView>;

export const overview = object({
  /** Wall-clock milliseconds of the scheduler: now, and when it first heard anything. */
  nowMs: real,
  sinceMs: real,
  /** Tasks by phase. */
  tasks: dictionary(count),
  clients: count,
  stopping: flag,
  nodes: array(nodeView),
  functions: array(functionView),
  links: array(linkView),
});
export type Overview = Infer<typeof overview>;

/** From a client. `task` is a key or a beginning that only one key has. */
export const questions = {
  'ask-overview': { question: count },
  'ask-task': { question: count, task: text },
  'cancel-task': { question: count, task: text },
  /** Retires the node if it is not leaving yet, and tells how far it is; to be asked again until it is
   * gone. */
  'drain-node': { question: count, node: text, force: maybe(flag) },
} as const;

/** To a client. */
export const answers = {
  overview: { question: count, overview },
  'task-told': { question: count, key: text, explanation: array(text), story: array(text) },
  /** `cancelled` is false for a task that had ended: that changes nothing. */
  'task-cancelled': { question: count, key: text, phase: text, cancelled: flag },
  'node-leaves': { question: count, node: text, gone: flag, hinders: array(text) },
  /** There is no answer: the error says why. */
  declined: { question: count, code: text, message: text, thing: maybe(text) },
} as const;
