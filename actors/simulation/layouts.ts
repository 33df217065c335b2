/**
 * Owns where antennas stand: two real arrays, small enough to simulate in seconds, and the reading of other
 * layouts from CSV. Must not know: sources, times, baselines.
 */
import { AsperitasError } from '../../runtime/index.ts';

/** An antenna of a layout. */
export interface Station {
  readonly name: string;
  /** metres, geocentric (ITRF) */
  readonly position: readonly [number, number, number];
  readonly diameterMetres: number;
}

/** The Very Large Array in its compact D configuration: baselines of 40 m to 1 km. Positions as published in
 *  github ratt-ru/simms, simms/observatories/vlad.itrf.txt (commit e715505b), to a centimetre. */
const vlaD: readonly (readonly [number, number, number])[] = [
  [-1601188.99, -5042000.52, 3554843.38],
  [-1601225.23, -5041980.39, 3554855.66],
  [-1601265.11, -5041982.56, 3554834.82],
  [-1601315.87, -5041985.32, 3554808.26],
  [-1601376.95, -5041988.68, 3554776.34],
  [-1601447.18, -5041992.53, 3554739.65],
  [-1601526.34, -5041996.88, 3554698.28],
  [-1601614.06, -5042001.68, 3554652.46],
  [-1601709.99, -5042006.94, 3554602.31],
  [-1601192.42, -5042022.88, 3554810.38],
  [-1601150.03, -5042000.63, 3554860.7],
  [-1601114.32, -5042023.19, 3554844.92],
  [-1601068.77, -5042051.93, 3554824.77],
  [-1601014.41, -5042086.26, 3554800.77],
  [-1600951.55, -5042125.93, 3554772.99],
  [-1600880.55, -5042170.38, 3554741.42],
  [-1600801.88, -5042219.39, 3554706.38],
  [-1600715.92, -5042273.14, 3554668.13],
  [-1601185.55, -5041978.19, 3554876.38],
  [-1601180.82, -5041947.46, 3554921.57],
  [-1601177.37, -5041925.07, 3554954.53],
  [-1601173.9, -5041902.68, 3554987.49],
  [-1601168.74, -5041869.06, 3555036.89],
  [-1601162.55, -5041829.02, 3555095.85],
  [-1601155.59, -5041783.86, 3555162.33],
  [-1601147.89, -5041733.86, 3555235.91],
  [-1601139.48, -5041679.02, 3555316.48],
];

/** KAT-7 in the Karoo: baselines of 25 m to 181 m. Positions as published in github ratt-ru/simms,
 *  simms/observatories/kat-7.itrf.txt (commit e715505b), to a centimetre. */
const kat7: readonly (readonly [number, number, number])[] = [
  [5111192, 2001324.77, -3237346.85],
  [5111183.46, 2001394.24, -3237317.39],
  [5111214.58, 2001317.29, -3237315.84],
  [5111222.77, 2001293.86, -3237317.39],
  [5111215.89, 2001274.09, -3237340.48],
  [5111188.35, 2001237.54, -3237406.54],
  [5111270.93, 2001241.63, -3237273.64],
];

const stations = (
  prefix: string,
  diameterMetres: number,
  positions: readonly (readonly [number, number, number])[],
): readonly Station[] =>
  positions.map((position, k) => ({
    name: `${prefix}${String(k + 1).padStart(2, '0')}`,
    position,
    diameterMetres,
  }));

/** The layouts that come with the project. */
export const arrayLayouts = {
  'vla-d': stations('VLA', 25, vlaD),
  'kat-7': stations('KAT', 12, kat7),
} as const satisfies Readonly<Record<string, readonly Station[]>>;

/**
 * Reads a layout from CSV with a header line that names `name`, `x_m`, `y_m`, `z_m` and, if known,
 * `diameter_m`; other columns and lines that begin with `#` are skipped. Throws `bad-layout` naming the line.
 */
export function parseLayout(csv: string): readonly Station[] {
  const lines = csv.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const header = (lines[0] ?? '').split(',').map((name) => name.trim());
  const at = (name: string) => header.indexOf(name);
  const needed = ['name', 'x_m', 'y_m', 'z_m'].filter((name) => at(name) < 0);
  if (needed.length > 0) {
    throw new AsperitasError('bad-layout', `the header of the layout lacks ${needed.join(', ')}`, {
      lacking: needed,
    });
  }
  return lines.slice(1).map((line) => {
    const words = line.split(',').map((word) => word.trim());
    const [x, y, z] = [Number(words[at('x_m')]), Number(words[at('y_m')]), Number(words[at('z_m')])];
    if (!Number.isFinite(x + y + z)) {
      throw new AsperitasError('bad-layout', `no position in the layout's line "${line}"`, { line });
    }
    const diameter = Number(words[at('diameter_m')] ?? Number.NaN);
    return {
      name: words[at('name')] ?? '',
      position: [x, y, z],
      diameterMetres: Number.isFinite(diameter) ? diameter : 0,
    };
  });
}
