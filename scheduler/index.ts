/** The public graph API: declare tasks, connect, compute. */
export type { Hints } from './protocol.ts';
export { type Input, isLazy, type Lazy, type Task, type TaskContext, task, taskBody } from './task.ts';
