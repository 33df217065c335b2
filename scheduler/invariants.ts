/**
 * Owns what must always be true of the scheduler's state: every redundant field is derived again and
 * compared. Used after every event by the simulation, and by a scheduler started with `--check`. Pure. Must
 * not know: how the state came about.
 */
import { checkActors } from './actor-invariants.ts';
import { checkCoordination } from './coordination-invariants.ts';
import {
  isActive,
  isNeeded,
  type NodeRecord,
  type SchedulerState,
  type TaskRecord,
  takesWork,
} from './scheduler-state.ts';

/** Everything that is wrong, one line each; empty when all is well. Takes time with the size of the state. */
export function check(state: SchedulerState): string[] {
  const wrong: string[] = [];
  const expect = (holds: boolean, what: () => string): void => {
    if (!holds) wrong.push(what());
  };
  const queued = queuedTasks(state);
  let up = 0;
  let down = 0;
  const left: Left = { demanded: new Set(state.walks.demanded), loose: new Set(state.walks.loose) };
  for (const [key, task] of state.tasks) {
    expect(task.spec.key === key, () => `${key}: filed under another key`);
    checkLineage(state, { task, left }, expect);
    checkPhase(state, { task, queued, left }, expect);
    up += task.inputs.length;
    down += task.dependents.size;
  }
  // With every input knowing its users, equal sums mean that no user is known wrongly.
  expect(up === down, () => `${up} inputs, ${down} dependents`);
  for (const node of state.nodes.values()) checkNode(state, node, expect);
  wrong.push(...checkActors(state));
  checkWindows(state, expect);
  checkClients(state, expect);
  checkQuotas(state, expect);
  checkCounts(state, expect);
  checkCoordination(state, expect);
  return wrong;
}

/** What each client has here is what its tasks come to. */
function checkQuotas(state: SchedulerState, expect: Expect): void {
  const tasks = new Map<string, number>();
  for (const { owner } of state.tasks.values()) tasks.set(owner, (tasks.get(owner) ?? 0) + 1);
  for (const [id, usage] of state.quotas.usages) {
    expect(usage.tasks === (tasks.get(id) ?? 0), () => `${id}: its tasks are miscounted`);
    tasks.delete(id);
  }
  expect(tasks.size === 0, () => `${[...tasks.keys()]}: tasks that are not counted`);
}

/** Every queued task with the node where it is parked, or `undefined` for the queue of its class. */
function queuedTasks(state: SchedulerState): Map<TaskRecord, string | undefined> {
  const queued = new Map<TaskRecord, string | undefined>();
  for (const task of state.fresh) queued.set(task, undefined);
  for (const { waiting } of state.windows.values()) {
    for (const task of waiting.all()) queued.set(task, undefined);
  }
  for (const list of state.incoming.values()) {
    for (const { waiting } of list) {
      for (const { task, phase } of waiting) if (task.phase === phase) queued.set(task, undefined);
    }
  }
  for (const { queue } of state.classes.values()) for (const task of queue.all()) queued.set(task, undefined);
  for (const node of state.nodes.values()) {
    for (const task of node.parked.all()) queued.set(task, node.info.node);
  }
  return queued;
}

type Expect = (holds: boolean, what: () => string) => void;

/** What walks over the graph have not come to. */
interface Left {
  readonly demanded: ReadonlySet<TaskRecord>;
  readonly loose: ReadonlySet<TaskRecord>;
}

function checkLineage(
  state: SchedulerState,
  { task, left }: { readonly task: TaskRecord; readonly left: Left },
  expect: Expect,
): void {
  const { key } = task.spec;
  let waiters = 0;
  for (const dependent of task.dependents) {
    if (isActive(dependent)) waiters++;
    expect(state.tasks.get(dependent.spec.key) === dependent, () => `${key}: a dependent is forgotten`);
  }
  expect(waiters === task.waiters, () => `${key}: ${task.waiters} waiters counted, ${waiters} found`);
  for (const input of task.inputs) {
    expect(input.dependents.has(task), () => `${key}: input ${input.spec.key} does not know it`);
    expect(state.tasks.get(input.spec.key) === input, () => `${key}: input ${input.spec.key} is forgotten`);
  }
  const kept = isNeeded(task) || task.dependents.size > 0 || task.announced > 0 || left.loose.has(task);
  expect(kept, () => `${key}: kept though nobody needs it and nothing is made from it`);
}

function checkPhase(
  state: SchedulerState,
  {
    task,
    queued,
    left,
  }: {
    readonly task: TaskRecord;
    readonly queued: ReadonlyMap<TaskRecord, string | undefined>;
    readonly left: Left;
  },
  expect: Expect,
): void {
  const { phase, spec } = task;
  const { key } = spec;
  const absent = task.inputs.filter((input) => input.phase.name !== 'held').length;
  switch (phase.name) {
    case 'released': {
      const onlyRunning = [...task.dependents].every(
        (user) => !isActive(user) || user.phase.name === 'assigned',
      );
      const idle = (task.wantedBy.size === 0 && onlyRunning) || left.demanded.has(task);
      expect(idle, () => `${key}: released though it is needed`);
      return;
    }
    case 'waiting':
      expect(
        phase.missing === (state.awaited.has(task) ? 1 : absent),
        () => `${key}: ${phase.missing} missing counted, ${absent} found`,
      );
      expect(absent > 0 || state.awaited.has(task), () => `${key}: waits for nothing`);
      for (const input of task.inputs) {
        const coming = input.phase.name === 'held' || isActive(input) || left.demanded.has(input);
        expect(coming, () => `${key}: waits for ${input.spec.key}, which is ${input.phase.name}`);
      }
      break;
    case 'ready':
      expect(absent === 0, () => `${key}: ready though ${absent} inputs are not held`);
      expect(queued.has(task), () => `${key}: ready but queued nowhere`);
      expect(queued.get(task) === phase.parked, () => `${key}: not in the queue where it is parked`);
      break;
    case 'assigned': {
      const node = state.nodes.get(phase.node);
      expect(node?.assigned.get(phase.run) === task, () => `${key}: unknown to the node of its run`);
      break;
    }
    case 'held':
      expect(phase.replicas.size > 0, () => `${key}: held nowhere`);
      for (const id of phase.replicas) {
        expect(
          state.nodes.get(id)?.held.has(task) === true,
          () => `${key}: ${id} does not know that it holds it`,
        );
      }
      break;
    case 'failed':
      return;
  }
  expect(isNeeded(task) || left.loose.has(task), () => `${key}: ${phase.name} though nobody needs it`);
}

function checkNode(state: SchedulerState, node: NodeRecord, expect: Expect): void {
  const id = node.info.node;
  const used = new Map<string, number>();
  let threads = 0;
  let reserved = 0;
  let seconds = 0;
  for (const [run, task] of node.assigned) {
    const { phase } = task;
    const fits = phase.name === 'assigned' && phase.run === run && phase.node === id;
    expect(fits, () => `${id}: run ${run} is not the present run of ${task.spec.key}`);
    if (phase.name === 'assigned') seconds += phase.seconds;
    if (phase.name === 'assigned') reserved += phase.memoryBytes;
    if (phase.name !== 'assigned' || phase.paused !== true) threads += task.needs.threads;
    for (const [name, amount] of task.needs.named) used.set(name, (used.get(name) ?? 0) + amount);
  }
  for (const [name, amount] of node.used) {
    expect(near(amount, used.get(name) ?? 0), () => `${id}: ${amount} of ${name} counted as used`);
    const limit = (node.info.resources[name] ?? 0) - (node.reserved.named.get(name) ?? 0);
    expect(amount <= limit + 1e-9, () => `${id}: ${amount} of ${name} used, ${limit} there`);
  }
  expect(near(node.usedThreads, threads), () => `${id}: ${node.usedThreads} threads counted as used`);
  expect(near(node.reservedBytes, reserved), () => `${id}: ${node.reservedBytes} bytes counted as reserved`);
  expect(
    near(seconds, node.assignedSeconds),
    () => `${id}: ${node.assignedSeconds} s assigned, ${seconds} found`,
  );
  for (const task of node.held) {
    const listed = task.phase.name === 'held' && task.phase.replicas.has(id);
    expect(listed, () => `${id}: holds ${task.spec.key}, which does not list it`);
  }
  const parked = new Set(node.parked.all());
  expect(takesWork(node) || parked.size === 0, () => `${id}: tasks are parked though it takes no work`);
  expect(
    parked.size === node.parkedCount,
    () => `${id}: ${node.parkedCount} parked counted, ${parked.size} found`,
  );
  expect(state.crowded.has(node) === parked.size > 0, () => `${id}: wrongly crowded or not`);
  const idle = takesWork(node) && node.info.threads - node.reserved.threads > threads;
  expect(state.idle.has(node) === idle, () => `${id}: wrongly idle or not`);
}

/** Of the tasks of a group, not more run at once than its window lets in. */
function checkWindows(state: SchedulerState, expect: Expect): void {
  for (const [group, { members }] of state.windows) {
    let running = 0;
    let limit = 1;
    for (const { phase, spec } of members) {
      if (phase.name === 'assigned') running++;
      limit = Math.max(limit, spec.hints.maxInFlight?.limit ?? 0);
      const under = phase.name === 'ready' || phase.name === 'assigned' || phase.name === 'held';
      expect(under, () => `${spec.key}: in the window ${group} though it is ${phase.name}`);
    }
    expect(running <= limit, () => `${running} tasks of ${group} run at once, ${limit} may`);
  }
  for (const task of state.tasks.values()) {
    const { maxInFlight } = task.spec.hints;
    if (maxInFlight === undefined || task.phase.name !== 'assigned') continue;
    const counted = state.windows.get(maxInFlight.group)?.members.has(task) === true;
    expect(counted, () => `${task.spec.key}: runs outside of its window`);
  }
}

function checkClients(state: SchedulerState, expect: Expect): void {
  for (const [id, client] of state.clients) {
    for (const task of client.wants) {
      expect(task.wantedBy.has(id), () => `${id}: ${task.spec.key} does not know that it is wanted`);
      const known = state.tasks.get(task.spec.key) === task;
      expect(known, () => `${id}: wants ${task.spec.key}, which is forgotten`);
    }
    for (const task of client.announced) {
      const known = state.tasks.get(task.spec.key) === task;
      expect(known, () => `${id}: has announced ${task.spec.key}, which is forgotten`);
    }
    const open = client.done <= client.total;
    expect(open, () => `${id}: ${client.done} of ${client.total} tasks done`);
  }
  const ended = new Map<TaskRecord, number>();
  for (const { tasks, next } of state.ended) {
    for (const task of tasks.slice(next)) ended.set(task, (ended.get(task) ?? 0) + 1);
  }
  for (const [key, task] of state.tasks) {
    const clients = [...state.clients.values()].filter(({ announced }) => announced.has(task)).length;
    const submissions = clients + (ended.get(task) ?? 0);
    expect(
      task.announced === submissions,
      () => `${key}: announced ${task.announced} times, ${submissions} found`,
    );
    for (const id of task.wantedBy) {
      expect(
        state.clients.get(id)?.wants.has(task) === true,
        () => `${key}: wanted by ${id}, who does not know`,
      );
    }
  }
}

function checkCounts(state: SchedulerState, expect: Expect): void {
  for (const [name, task] of state.names) {
    const known = state.tasks.get(task.spec.key) === task && task.spec.name === name;
    expect(known, () => `${name}: borne by ${task.spec.key}, which is forgotten`);
  }
  for (const task of state.awaited.keys()) {
    expect(task.phase.name === 'waiting', () => `${task.spec.key}: awaited though ${task.phase.name}`);
  }
  let inlineBytes = 0;
  for (const { phase } of state.tasks.values()) {
    if (phase.name === 'held') inlineBytes += phase.inline?.byteLength ?? 0;
  }
  expect(
    inlineBytes === state.inlineBytes,
    () => `${state.inlineBytes} bytes kept here, ${inlineBytes} found`,
  );
  const counts: Record<string, number> = {};
  for (const { phase } of state.tasks.values()) counts[phase.name] = (counts[phase.name] ?? 0) + 1;
  for (const [name, count] of Object.entries(state.counts)) {
    expect(
      count === (counts[name] ?? 0),
      () => `${count} tasks counted as ${name}, ${counts[name] ?? 0} found`,
    );
  }
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-6 * (1 + Math.abs(a) + Math.abs(b));
}
