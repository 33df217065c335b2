/**
 * Owns the elementary graphs of the ESTEE suite, written from their published parameters: equivalent in shape
 * and statistics, not the same draws. Must not know: clusters, policies.
 */
import { GraphBuilder, type SimulatedGraph } from './graph.ts';

type Make = (builder: GraphBuilder) => void;

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function plain(
  count: number,
  duration: (builder: GraphBuilder) => [seconds: number, expected: number],
): Make {
  return (builder) => {
    for (const _ of range(count)) {
      const [seconds, expectedSeconds] = duration(builder);
      builder.add('plain', { seconds, expectedSeconds });
    }
  };
}

function mixture({ draws }: GraphBuilder): [number, number] {
  const mean = draws.pick([10, 20, 60, 180]);
  return [draws.normal(mean, mean / 10), mean];
}

const triplets: Make = (builder) => {
  const { draws } = builder;
  for (const _ of range(110)) {
    const a = builder.add('a', { seconds: draws.normal(5, 1.5), expectedSeconds: 5, mib: 40 });
    const b = builder.add('b', {
      seconds: draws.normal(120, 20),
      expectedSeconds: 120,
      mib: 120,
      threads: 4,
      inputs: [a],
    });
    builder.add('c', { seconds: draws.normal(32, 3), expectedSeconds: 32, inputs: [b] });
  }
};

/** Tasks that each take some consecutive ones of a ring. */
function mergeRing(count: number, width: number, step: number): Make {
  return (builder) => {
    const { draws } = builder;
    const tops = range(count).map(() =>
      builder.add('a', {
        seconds: draws.normal(15, 3),
        expectedSeconds: 15,
        mib: draws.normal(99, 2.5),
        expectedMib: 100,
      }),
    );
    for (let index = 0; index < count; index += step) {
      const inputs = range(width).map((next) => tops[(index + next) % count]!);
      builder.add('b', { seconds: draws.normal(15, 2), expectedSeconds: 15, inputs });
    }
  };
}

const mergeSmallBig: Make = (builder) => {
  const { draws } = builder;
  for (const _ of range(80)) {
    const a = builder.add('a', { seconds: draws.normal(11, 3), expectedSeconds: 11, mib: 0.5 });
    const b = builder.add('b', {
      seconds: draws.normal(15, 3),
      expectedSeconds: 15,
      mib: draws.normal(99, 2.5),
      expectedMib: 100,
    });
    builder.add('c', { seconds: draws.normal(10, 1), expectedSeconds: 10, inputs: [a, b] });
  }
};

function fork(outputs: 1 | 2): Make {
  return (builder) => {
    const { draws } = builder;
    for (const _ of range(100)) {
      const top = { seconds: draws.normal(17, 3), expectedSeconds: 17 };
      const parts =
        outputs === 1 ? [builder.add('a', { ...top, mib: 100 })] : builder.addParts('a', top, [100, 100]);
      for (const user of [0, 1]) {
        const inputs = [parts[user % outputs]!];
        builder.add('b', { seconds: draws.normal(15, 2), expectedSeconds: 15, inputs });
      }
    }
  };
}

const bigmerge: Make = (builder) => {
  const { draws } = builder;
  const tops = range(320).map(() =>
    builder.add('a', { seconds: draws.normal(17, 3), expectedSeconds: 17, mib: 100 }),
  );
  builder.add('m', { seconds: 40, inputs: tops });
};

const durationStairs: Make = (builder) => {
  for (const step of range(190)) for (const _ of [0, 1]) builder.add('step', { seconds: step });
};

const sizeStairs: Make = (builder) => {
  for (const part of builder.addParts('root', { seconds: 0.1 }, range(190))) {
    builder.add('b', { seconds: 20, inputs: [part] });
  }
};

const splitters: Make = (builder) => {
  const { draws } = builder;
  let level = [builder.add('root', { seconds: 1, mib: 512 })];
  for (let depth = 1; depth <= 7; depth++) {
    level = range(2 ** depth).map((child) =>
      builder.add('split', {
        seconds: draws.normal(20, 1),
        expectedSeconds: 20,
        mib: 128,
        inputs: [level[child >> 1]!],
      }),
    );
  }
};

const conflux: Make = (builder) => {
  const { draws } = builder;
  const mib = 128;
  const expectedSeconds = 20;
  let level = range(2 ** 7).map(() =>
    builder.add('top', { seconds: draws.normal(20, 1.5), expectedSeconds, mib }),
  );
  while (level.length > 1) {
    level = range(level.length / 2).map((pair) => {
      const inputs = [level[2 * pair]!, level[2 * pair + 1]!];
      return builder.add('merge', { seconds: draws.normal(20, 1), expectedSeconds, mib, inputs });
    });
  }
};

const grid: Make = (builder) => {
  const size = 19;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const inputs: number[] = [];
      if (column > 0) inputs.push(row * size + column - 1);
      if (row > 0) inputs.push((row - 1) * size + column);
      builder.add('cell', {
        seconds: builder.draws.normal(20, 1),
        expectedSeconds: 20,
        mib: 128,
        inputs,
      });
    }
  }
};

const fern: Make = (builder) => {
  const { draws } = builder;
  let last = builder.add('a', { seconds: draws.normal(20, 1), expectedSeconds: 20, mib: 5 });
  for (const step of range(200)) {
    const b = builder.add('b', {
      seconds: draws.normal(35, 3),
      expectedSeconds: 35,
      mib: draws.normal(42, 2),
      expectedMib: 42,
    });
    const expectedSeconds = 17 + step / 10;
    const expectedMib = 5 + step / 10;
    last = builder.add('a', {
      seconds: draws.normal(expectedSeconds, 3),
      expectedSeconds,
      mib: draws.normal(expectedMib, step / 100),
      expectedMib,
      inputs: [last, b],
    });
  }
};

const makers: Readonly<Record<string, Make>> = {
  plain1n: plain(380, mixture),
  plain1e: plain(380, ({ draws }) => [draws.exponential(60), 60]),
  plain1cpus: (builder) => {
    for (const _ of range(380)) {
      const [seconds, expectedSeconds] = mixture(builder);
      builder.add('plain', { seconds, expectedSeconds, threads: 1 + builder.draws.below(3) });
    }
  },
  triplets,
  merge_neighbours: mergeRing(107, 2, 1),
  merge_triplets: mergeRing(111, 3, 3),
  merge_small_big: mergeSmallBig,
  fork1: fork(1),
  fork2: fork(2),
  bigmerge,
  duration_stairs: durationStairs,
  size_stairs: sizeStairs,
  splitters,
  conflux,
  grid,
  fern,
};

export const elementaryNames: readonly string[] = Object.keys(makers);

export function elementaryGraph(name: string, seed: number): SimulatedGraph {
  const builder = new GraphBuilder(seed);
  makers[name]!(builder);
  return builder.build(name);
}
