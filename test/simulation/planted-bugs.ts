/** Bugs put into the cores on purpose, each of a kind that a real scheduler has had: a simulation that does
 * not find them proves nothing. They are wrapped around the true cores. */
import type { WorkerEvent, WorkerInstruction } from '../../nodes/worker-state.ts';
import type { FromNode } from '../../scheduler/protocol.ts';
import type { Instruction, SchedulerEvent, SchedulerState } from '../../scheduler/scheduler-state.ts';
import { type Cores, trueCores } from './simulation.ts';

/** True every `period`-th time. */
function every(period: number): () => boolean {
  let count = 0;
  return () => ++count % period === 0;
}

/** A worker that does not hear some events, and does not do some of what it should. */
function deafWorker(
  hears: (event: WorkerEvent) => boolean,
  does: (instruction: WorkerInstruction) => boolean = () => true,
): Cores {
  const worker: Cores['worker'] = (state, event, now) =>
    hears(event) ? trueCores.worker(state, event, now).filter(does) : [];
  return { ...trueCores, worker };
}

function deafScheduler(
  hears: (event: SchedulerEvent, state: SchedulerState) => boolean,
  does: (instruction: Instruction) => boolean = () => true,
): Cores {
  const scheduler: Cores['scheduler'] = (state, event, now) =>
    hears(event, state) ? trueCores.scheduler(state, event, now).filter(does) : [];
  return { ...trueCores, scheduler };
}

const ordered = (event: WorkerEvent, type: string): boolean =>
  event.type === 'from-scheduler' && event.message.type === type;
const says = (instruction: WorkerInstruction, type: FromNode['type']): boolean =>
  instruction.type === 'send' && instruction.message.type === type;

/** Takes the failure of an earlier attempt for that of the present one. */
function believing(): Cores {
  const scheduler: Cores['scheduler'] = (state, event, now) => {
    if (event.type !== 'from-node' || event.message.type !== 'run-failed') {
      return trueCores.scheduler(state, event, now);
    }
    const phase = state.tasks.get(event.message.key)?.phase;
    if (phase?.name !== 'assigned') return trueCores.scheduler(state, event, now);
    const message = { ...event.message, run: phase.run };
    return trueCores.scheduler(state, { ...event, node: phase.node, message }, now);
  };
  return { ...trueCores, scheduler };
}

/** Takes a new connection for the old one. */
function unaware(): Cores {
  const worker: Cores['worker'] = (state, event, now) => {
    const again = ordered(event, 'welcome') && state.connected;
    return again || event.type === 'scheduler-lost' ? [] : trueCores.worker(state, event, now);
  };
  return { ...trueCores, worker };
}

/** Hands a run its inputs in the wrong order. */
function muddling(): Cores {
  const worker: Cores['worker'] = (state, event, now) =>
    trueCores.worker(state, event, now).map((instruction) => {
      if (instruction.type !== 'start') return instruction;
      return { ...instruction, inputs: instruction.inputs.toReversed() };
    });
  return { ...trueCores, worker };
}

/** Forgets what it is told to drop at once, whoever uses it. */
function hasty(): Cores {
  const worker: Cores['worker'] = (state, event, now) => {
    const out = trueCores.worker(state, event, now);
    if (event.type !== 'from-scheduler' || event.message.type !== 'drop') return out;
    const kept = event.message.keys.filter((key) => state.data.get(key)?.phase.name === 'held');
    return kept.length === 0 ? out : [...out, { type: 'forget', keys: kept }];
  };
  return { ...trueCores, worker };
}

/** Makes the cores anew for every seed, since some count. */
export const plantedBugs: Readonly<Record<string, () => Cores>> = {
  'a worker misses every third abort': () => {
    const now = every(3);
    return deafWorker((event) => !(ordered(event, 'abort') && now()));
  },
  'a worker misses every 50th drop': () => {
    const now = every(50);
    return deafWorker((event) => !(ordered(event, 'drop') && now()));
  },
  'a worker does not say what it has lost': () =>
    deafWorker(
      () => true,
      (instruction) => !says(instruction, 'replica-lost'),
    ),
  'a worker does not give back runs without their inputs': () =>
    deafWorker(
      () => true,
      (instruction) => !says(instruction, 'inputs-missing'),
    ),
  'a worker that joins again does not say what it holds': () =>
    deafWorker(
      () => true,
      (instruction) =>
        !(says(instruction, 'replica-added') && !('from' in (instruction as { message: object }).message)),
    ),
  'a worker goes on as if a new connection were the old one': unaware,
  'a worker forgets inputs under running tasks': hasty,
  'inputs are handed over in the wrong order': muddling,
  'the failure of an earlier run is believed': believing,
  'the scheduler does not abort every third run': () => {
    const now = every(3);
    return deafScheduler(
      () => true,
      (instruction) => !(instruction.type === 'send' && instruction.message.type === 'abort' && now()),
    );
  },
  'every 50th result is told to nobody': () => {
    const now = every(50);
    return deafScheduler(
      () => true,
      (instruction) => !(instruction.type === 'notify' && instruction.message.type === 'held' && now()),
    );
  },
  'the scheduler misses every 20th release': () => {
    const now = every(20);
    return deafScheduler(
      (event) => !(event.type === 'from-client' && event.message.type === 'release' && now()),
    );
  },
};
