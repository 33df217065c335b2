/**
 * Owns the graphs of the ESTEE suite that look like real work: reductions over all pairs, cross-validation,
 * map and reduce, the Pegasus workflows and layered random graphs; written from their published parameters,
 * equivalent in shape and statistics. Must not know: clusters, policies.
 */
import { GraphBuilder, type NewTask, type SimulatedGraph } from './graph.ts';

type Make = (builder: GraphBuilder) => void;

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A task whose duration is drawn from a normal distribution and expected to be its mean. */
function about(
  builder: GraphBuilder,
  fn: string,
  [mean, deviation]: readonly [number, number],
  rest: Omit<NewTask, 'seconds'> = {},
): number {
  const seconds = builder.draws.normal(mean, deviation);
  return builder.add(fn, { seconds, expectedSeconds: mean, ...rest });
}

const gridcat: Make = (builder) => {
  const sizes = range(20).map(() => builder.draws.normal(300, 25));
  const opens = sizes.map((mib) => about(builder, 'open', [0.01, 0.001], { mib, expectedMib: 300 }));
  const hashes: number[] = [];
  for (const i of range(20)) {
    for (let j = i + 1; j < 20; j++) {
      const mib = sizes[i]! + sizes[j]!;
      const inputs = [opens[i]!, opens[j]!];
      const seconds = builder.draws.normal(0.2, 0.01);
      const cat = builder.add('cat', {
        seconds: seconds + mib / 1000,
        expectedSeconds: 0.8,
        mib,
        expectedMib: 600,
        inputs,
      });
      hashes.push(builder.add('hash', { seconds: seconds + mib / 500, expectedSeconds: 1.4, inputs: [cat] }));
    }
  }
  builder.add('merge', { seconds: 0.1, inputs: hashes });
};

interface Validation {
  readonly inner: number;
  readonly threads: number;
  readonly factor: number;
}

/** One cross-validation over five chunks of data; returns its last task. */
function crossValidation(builder: GraphBuilder, { inner, threads, factor }: Validation): number {
  const { draws } = builder;
  const top = { seconds: draws.normal(5, 0.5), expectedSeconds: 5 };
  const chunks = builder.addParts('generate', top, [320, 320, 320, 320, 320]);
  const merged = chunks.map((chunk) =>
    about(builder, 'merge', [1.1, 0.02], { mib: 1280, inputs: chunks.filter((other) => other !== chunk) }),
  );
  const ends: number[] = [];
  for (const _ of range(inner)) {
    const scores = chunks.map((chunk, fold) => {
      const train = builder.add('train', {
        seconds: draws.exponential(680 * factor),
        expectedSeconds: 680 * factor,
        mib: 18,
        threads,
        inputs: [merged[fold]!],
      });
      return about(builder, 'eval', [34 * factor, 3 * factor], { threads, inputs: [train, chunk] });
    });
    ends.push(builder.add('score', { seconds: 0.2, inputs: scores }));
  }
  return builder.add('best', { seconds: 0.2, inputs: ends });
}

const nestedCrossv: Make = (builder) => {
  const { draws } = builder;
  const top = { seconds: draws.normal(5, 0.5), expectedSeconds: 5 };
  const chunks = builder.addParts('generate', top, [320, 320, 320, 320, 320]);
  const folds = chunks.map((held) => {
    const others = chunks.filter((chunk) => chunk !== held);
    const scores = range(5).map((parameter) => {
      const seconds = 680 * 0.5;
      const evals = others.map((chunk) => {
        const inputs = others.filter((other) => other !== chunk);
        const merged = about(builder, 'merge', [1.1, 0.02], { mib: 960, inputs });
        const train = builder.add('train', {
          seconds: draws.exponential((seconds * (parameter + 1)) / 5),
          expectedSeconds: (seconds * (parameter + 1)) / 5,
          mib: 18,
          threads: 4,
          inputs: [merged],
        });
        return about(builder, 'eval', [34, 3], { threads: 4, inputs: [train, chunk] });
      });
      return builder.add('score', { seconds: 0.2, inputs: evals });
    });
    const best = builder.add('best', { seconds: 0.2, inputs: scores });
    const merged = about(builder, 'merge', [1.1, 0.02], { mib: 1280, inputs: others });
    const expectedSeconds = 680 * 0.5;
    const seconds = draws.exponential(expectedSeconds);
    const inputs = [merged, best];
    const train = builder.add('train', { seconds, expectedSeconds, mib: 18, threads: 4, inputs });
    return about(builder, 'eval', [34, 3], { threads: 4, inputs: [train, held] });
  });
  builder.add('end', { seconds: 0.2, inputs: folds });
};

/** `count` maps and reducers, with every reducer taking a part of every map. */
function mapreduce(count: number): Make {
  return (builder) => {
    const { draws } = builder;
    const pieces = builder.addParts(
      'split',
      { seconds: 10 },
      range(count).map(() => 2560),
    );
    const columns = pieces.map((piece) => {
      const sizes = range(count).map(() => draws.normal(250 / count, 20 / count));
      const task = { seconds: draws.normal(50, 10), expectedSeconds: 50, inputs: [piece] };
      return { parts: builder.addParts('map', task, sizes), sizes };
    });
    for (const column of range(count)) {
      const sum = columns.reduce((total, { sizes }) => total + sizes[column]!, 0);
      about(builder, 'reduce', [sum / 25, 5], {
        expectedSeconds: 10,
        inputs: columns.map(({ parts }) => parts[column]!),
      });
    }
  };
}

const montage: Make = (builder) => {
  const { draws } = builder;
  const width = 50;
  const size = { mib: 4, expectedMib: 4 };
  const projects = range(width >> 2).map(() => about(builder, 'mProject', [15, 3], { ...size, mib: 8 }));
  const diffs = range(width).map((index) => {
    const near = projects.filter((_, top) => index >= 4 * top - 2 && index < 4 * top + 6).slice(0, 2);
    return about(builder, 'mDiffFit', [10, 1], { mib: draws.normal(0.4, 0.1), inputs: near });
  });
  const fit = about(builder, 'mConcatFit', [13, 2], { mib: 0.1, inputs: diffs });
  const model = about(builder, 'mBgModel', [11, 1], { mib: 0.1, inputs: [fit] });
  const backs = projects.map((project) =>
    about(builder, 'mBackground', [10, 1], { mib: 4, inputs: [model, project] }),
  );
  builder.add('mImgTbl', { seconds: 8, inputs: backs });
};

const cybershake: Make = (builder) => {
  const { draws } = builder;
  const tops = range(2).map(() => {
    const sizes = [draws.normal(220, 80), draws.normal(220, 80)];
    return builder.addParts('ExtractGST', { seconds: draws.normal(100, 50), expectedSeconds: 100 }, sizes);
  });
  const seis = range(50).map((index) =>
    about(builder, 'Synthesis', [45, 10], { mib: 0.02, inputs: tops[index % 2]! }),
  );
  builder.add('ZipSeis', { seconds: 0.5, inputs: seis });
  const peaks = seis.map((input) => about(builder, 'PeakVal', [1, 0.5], { mib: 0.01, inputs: [input] }));
  builder.add('ZipPSA', { seconds: 0.5, inputs: peaks });
};

const epigenomics: Make = (builder) => {
  const { draws } = builder;
  const sizes = range(50).map(() => draws.normal(10, 5));
  const mib = 5;
  const parts = builder.addParts('split', { seconds: draws.normal(35, 5), expectedSeconds: 35 }, sizes);
  const maps = parts.map((part) => {
    const filter = about(builder, 'filter', [1.5, 1], { mib, inputs: [part] });
    const sanger = builder.add('sol2sanger', { seconds: 0.3, mib, inputs: [filter] });
    const fastq = builder.add('fastq2bfq', { seconds: 1, mib, inputs: [sanger] });
    return about(builder, 'map', [15000, 2500], { mib: 1, inputs: [fastq] });
  });
  const merged = about(builder, 'merge', [10, 2], { mib: 20, inputs: maps });
  const index = builder.add('index', { seconds: 0.02, mib: 20, inputs: [merged] });
  about(builder, 'pileup', [6000, 200], { inputs: [index] });
};

const ligo: Make = (builder) => {
  for (const width of [20, 10, 15]) {
    let before: number[] = [];
    for (const _ of [0, 1]) {
      const banks = range(width).map(() =>
        about(builder, 'TmpltBank', [19, 0.1], { mib: 1, inputs: before }),
      );
      const inspirals = banks.map((bank) =>
        about(builder, 'Inspiral', [400, 100], { mib: 0.3, inputs: [bank] }),
      );
      before = [about(builder, 'Thinca', [5, 1], { mib: 0.05, inputs: inspirals })];
    }
  }
};

const sipht: Make = (builder) => {
  for (const _ of [0, 1]) {
    const parsers = range(20).map(() => about(builder, 'Patser', [1, 0.2], { mib: 0.01 }));
    const concat = builder.add('PatserConcat', { seconds: 0.1, mib: 0.2, inputs: parsers });
    const tops = [
      about(builder, 'Findterm', [1800, 100], { mib: 30 }),
      about(builder, 'RNAMotif', [25, 5], { mib: 0.1 }),
      about(builder, 'Transterm', [35, 5], { mib: 0.1 }),
      about(builder, 'Blast', [1900, 100], { mib: 0.6 }),
    ];
    const srna = about(builder, 'SRNA', [450, 50], { mib: 1, inputs: tops });
    const users = range(5).map(() => about(builder, 'user', [20, 5], { mib: 0.3, inputs: [srna] }));
    about(builder, 'annotate', [1, 0.1], { inputs: [concat, srna, ...users] });
  }
};

/** Layers of tasks with random durations, sizes and links, in the proportions of ESTEE's generator. */
const layered: Make = (builder) => {
  const { draws } = builder;
  let before: number[] = [];
  for (const layer of range(8)) {
    const fn = `layer${layer}`;
    const seconds = draws.pick([1, 6, 30, 60, 180, 320, 600]);
    const mib = draws.pick([0.01, 1, 10, 20, 50, 100, 200, 320, 640]);
    const threads = draws.pick([1, 1, 1, 1, 2, 2, 4]);
    const width = 10 + draws.below(50);
    const level = range(width).map(() => {
      const links = layer === 0 ? 0 : 1 + draws.below(3);
      const inputs = range(links).map(() => draws.pick(before));
      return about(builder, fn, [seconds, seconds / 5], { mib, threads, inputs });
    });
    before = draws.next() < 0.3 ? [...before, ...level] : level;
  }
};

const makers: Readonly<Record<string, Make>> = {
  gridcat,
  crossv: (builder) => void crossValidation(builder, { inner: 8, threads: 4, factor: 1 }),
  crossvx: (builder) => {
    const ends = range(4).map(() => crossValidation(builder, { inner: 4, threads: 4, factor: 1 }));
    builder.add('end', { seconds: 0.2, inputs: ends });
  },
  fastcrossv: (builder) => void crossValidation(builder, { inner: 8, threads: 1, factor: 0.02 }),
  nestedcrossv: nestedCrossv,
  mapreduce: mapreduce(40),
  montage,
  cybershake,
  epigenomics,
  ligo,
  sipht,
  rg: layered,
};

export const workflowNames: readonly string[] = Object.keys(makers);

export function workflowGraph(name: string, seed: number): SimulatedGraph {
  const builder = new GraphBuilder(seed);
  makers[name]!(builder);
  return builder.build(name);
}
