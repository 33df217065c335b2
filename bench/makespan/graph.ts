/**
 * Owns a task graph as the makespan simulator runs it: what each task takes, makes and needs, and what its
 * author would expect of it. Must not know: clusters, policies.
 */
import { Draws } from './draws.ts';

export const mebibyte = 2 ** 20;

export interface SimulatedTask {
  /** Tasks of one function are alike in kind: schedulers learn by it. */
  readonly fn: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly expectedSeconds: number;
  readonly expectedBytes: number;
  readonly threads: number;
  readonly gpus: number;
  /** Positions of earlier tasks in the list. */
  readonly inputs: readonly number[];
  /** Where its source data lie: it can run nowhere else. */
  readonly site: string | undefined;
}

export interface SimulatedGraph {
  readonly name: string;
  readonly tasks: readonly SimulatedTask[];
}

export interface NewTask {
  readonly seconds: number;
  readonly mib?: number;
  /** What is expected of both, where it is not what happens. */
  readonly expectedSeconds?: number;
  readonly expectedMib?: number;
  readonly threads?: number;
  readonly gpus?: number;
  readonly inputs?: readonly number[];
  readonly site?: string | undefined;
}

/** The function of tasks that cut one output from what a task with several has made. */
export const partFn = 'part';

export class GraphBuilder {
  readonly tasks: SimulatedTask[] = [];
  readonly draws: Draws;

  constructor(seed: number) {
    this.draws = new Draws(seed);
  }

  /** Adds a task and returns its position. */
  add(fn: string, given: NewTask): number {
    const { seconds, mib = 0, threads = 1, gpus = 0, inputs = [], site } = given;
    this.tasks.push({
      fn,
      seconds,
      bytes: Math.max(1, Math.round(mib * mebibyte)),
      expectedSeconds: given.expectedSeconds ?? seconds,
      expectedBytes: Math.max(1, Math.round((given.expectedMib ?? mib) * mebibyte)),
      threads,
      gpus,
      inputs: [...new Set(inputs)],
      site,
    });
    return this.tasks.length - 1;
  }

  /** A task with several outputs: one that makes them all, and for each a task that cuts it out. */
  addParts(fn: string, given: Omit<NewTask, 'mib'>, sizes: readonly number[]): number[] {
    const whole = this.add(fn, { ...given, mib: sizes.reduce((sum, mib) => sum + mib, 0) });
    return sizes.map((mib) => this.add(partFn, { seconds: 0, mib, inputs: [whole] }));
  }

  build(name: string): SimulatedGraph {
    return { name, tasks: this.tasks };
  }
}
