/**
 * Owns what the subtables of a new Measurement Set say: the columns that version 2 of the standard requires,
 * with their units and reference frames. Must not know: rows of visibilities, files.
 */
import type { Correlation } from '../../visibility.ts';
import type { RecordToWrite } from '../casacore/aips-io-writer.ts';
import type { CellRun } from '../casacore/column-to-write.ts';
import type { TableToWrite } from '../casacore/write-table.ts';
import { codeOfCorrelation } from './correlations.ts';
import { arrays, frequency, itrf, j2000, numbers, texts, times, units, utc, vectors } from './new-columns.ts';
import type { ObservationToWrite, ObservedBand } from './observation.ts';

/** MEAS_FREQ_REF of frequencies as received at the telescope. */
const topocentric = 5;

/** `[row, 2]` the same direction columns for a field: polynomials of order 0. */
function directionRuns(observation: ObservationToWrite): CellRun[] {
  return observation.fields.map(({ phaseCentre: { raRad, decRad } }) => ({
    rowCount: 1,
    shape: [2, 1],
    values: Float64Array.of(raRad, decRad),
  }));
}

function antennaTable({ antennas }: ObservationToWrite): TableToWrite {
  const count = antennas.length;
  const positions = Float64Array.from(antennas.flatMap(({ position }) => [...position]));
  return {
    rowCount: count,
    columns: [
      vectors('OFFSET', 3, new Float64Array(3 * count), itrf),
      vectors('POSITION', 3, positions, itrf),
      texts('TYPE', times(count, 'GROUND-BASED')),
      numbers(
        'DISH_DIAMETER',
        'double',
        antennas.map(({ diameterMetres }) => diameterMetres),
        units('m'),
      ),
      numbers('FLAG_ROW', 'bool', times(count, 0)),
      texts('MOUNT', times(count, 'ALT-AZ')),
      texts(
        'NAME',
        antennas.map(({ name }) => name),
      ),
      texts(
        'STATION',
        antennas.map(({ name, station }) => station ?? name),
      ),
    ],
  };
}

function dataDescriptionTable({ bands }: ObservationToWrite): TableToWrite {
  const ids = bands.map((_, id) => id);
  return {
    rowCount: bands.length,
    columns: [
      numbers('FLAG_ROW', 'bool', times(bands.length, 0)),
      numbers('POLARIZATION_ID', 'int', ids),
      numbers('SPECTRAL_WINDOW_ID', 'int', ids),
    ],
  };
}

/** The two receptors whose product a correlation is. */
function receptors(correlation: Correlation): [number, number] {
  const second = (letter: string) => (letter === 'L' || letter === 'Y' ? 1 : 0);
  return [second(correlation[0]!), second(correlation[1] ?? '')];
}

function feedTable({ antennas, bands, blocks }: ObservationToWrite): TableToWrite {
  const count = antennas.length;
  const circular = bands.some(({ correlations }) => correlations.includes('RR'));
  const same = (shape: readonly number[], values: readonly number[]): CellRun[] => [
    { rowCount: count, shape, values: Float64Array.from(times(count, values).flat()) },
  ];
  const response = Float32Array.from(times(count, [1, 0, 0, 0, 0, 0, 1, 0]).flat());
  const types = times(count, circular ? ['R', 'L'] : ['X', 'Y']).flat();
  return {
    rowCount: count,
    columns: [
      vectors('POSITION', 3, new Float64Array(3 * count), itrf),
      arrays({
        name: 'BEAM_OFFSET',
        type: 'double',
        dimensions: 2,
        runs: same([2, 2], [0, 0, 0, 0]),
        keywords: j2000,
      }),
      arrays({
        name: 'POLARIZATION_TYPE',
        type: 'string',
        dimensions: 1,
        runs: [{ rowCount: count, shape: [2], values: types }],
      }),
      arrays({
        name: 'POL_RESPONSE',
        type: 'complex',
        dimensions: 2,
        runs: [{ rowCount: count, shape: [2, 2], values: response }],
      }),
      arrays({
        name: 'RECEPTOR_ANGLE',
        type: 'double',
        dimensions: 1,
        runs: same([2], [0, 0]),
        keywords: units('rad'),
      }),
      numbers(
        'ANTENNA_ID',
        'int',
        antennas.map((_, id) => id),
      ),
      numbers('BEAM_ID', 'int', times(count, -1)),
      numbers('FEED_ID', 'int', times(count, 0)),
      // An interval of 0 means that the feed was so at all times.
      numbers('INTERVAL', 'double', times(count, 0), units('s')),
      numbers('NUM_RECEPTORS', 'int', times(count, 2)),
      numbers('SPECTRAL_WINDOW_ID', 'int', times(count, -1)),
      numbers('TIME', 'double', times(count, blocks[0]?.timeMjdSeconds ?? 0), utc),
    ],
  };
}

function fieldTable(observation: ObservationToWrite): TableToWrite {
  const { fields, blocks } = observation;
  const count = fields.length;
  const runs = directionRuns(observation);
  return {
    rowCount: count,
    columns: [
      ...['DELAY_DIR', 'PHASE_DIR', 'REFERENCE_DIR'].map((name) =>
        arrays({ name, type: 'double', dimensions: 2, runs, keywords: j2000 }),
      ),
      texts('CODE', times(count, '')),
      numbers('FLAG_ROW', 'bool', times(count, 0)),
      texts(
        'NAME',
        fields.map(({ name }) => name),
      ),
      numbers('NUM_POLY', 'int', times(count, 0)),
      numbers('SOURCE_ID', 'int', times(count, -1)),
      numbers('TIME', 'double', times(count, blocks[0]?.timeMjdSeconds ?? 0), utc),
    ],
  };
}

function observationTable({ telescope, observer, project, blocks }: ObservationToWrite): TableToWrite {
  const steps = blocks.map(({ timeMjdSeconds }) => timeMjdSeconds);
  const half = (blocks[0]?.intervalSeconds ?? 0) / 2;
  const range = Float64Array.of((steps[0] ?? 0) - half, (steps.at(-1) ?? 0) + half);
  const log = (name: string) =>
    arrays({ name, type: 'string', dimensions: 1, runs: [{ rowCount: 1, shape: [1], values: [''] }] });
  return {
    rowCount: 1,
    columns: [
      vectors('TIME_RANGE', 2, range, utc),
      log('LOG'),
      log('SCHEDULE'),
      numbers('FLAG_ROW', 'bool', [0]),
      texts('OBSERVER', [observer]),
      texts('PROJECT', [project]),
      numbers('RELEASE_DATE', 'double', [range[1]!], utc),
      texts('SCHEDULE_TYPE', ['']),
      texts('TELESCOPE_NAME', [telescope]),
    ],
  };
}

function polarizationTable({ bands }: ObservationToWrite): TableToWrite {
  const codes = bands.map(({ correlations }): CellRun => {
    const values = Int32Array.from(correlations, (name) => codeOfCorrelation.get(name)!);
    return { rowCount: 1, shape: [correlations.length], values };
  });
  const products = bands.map(({ correlations }): CellRun => {
    const values = Int32Array.from(correlations.flatMap(receptors));
    return { rowCount: 1, shape: [2, correlations.length], values };
  });
  return {
    rowCount: bands.length,
    columns: [
      arrays({ name: 'CORR_TYPE', type: 'int', dimensions: 1, runs: codes }),
      arrays({ name: 'CORR_PRODUCT', type: 'int', dimensions: 2, runs: products }),
      numbers('FLAG_ROW', 'bool', times(bands.length, 0)),
      numbers(
        'NUM_CORR',
        'int',
        bands.map(({ correlations }) => correlations.length),
      ),
    ],
  };
}

function spectralWindowTable({ bands }: ObservationToWrite): TableToWrite {
  const count = bands.length;
  const perChannel = (name: string, of: (band: ObservedBand) => Float64Array, keywords: RecordToWrite) => {
    const runs = bands.map((band): CellRun => ({ rowCount: 1, shape: [band.freq.length], values: of(band) }));
    return arrays({ name, type: 'double', dimensions: 1, runs, keywords });
  };
  const constant = (value: (band: ObservedBand) => number) => (band: ObservedBand) =>
    new Float64Array(band.freq.length).fill(value(band));
  const width = ({ channelWidthHz }: ObservedBand) => channelWidthHz;
  const absoluteWidth = (band: ObservedBand) => Math.abs(width(band));
  const perBand = (name: string, type: 'int' | 'double', of: (band: ObservedBand) => number, more = {}) =>
    numbers(name, type, bands.map(of), more);
  return {
    rowCount: count,
    columns: [
      numbers('MEAS_FREQ_REF', 'int', times(count, topocentric)),
      perChannel('CHAN_FREQ', ({ freq }) => freq, frequency),
      perBand('REF_FREQUENCY', 'double', ({ freq }) => freq[freq.length >> 1] ?? 0, frequency),
      perChannel('CHAN_WIDTH', constant(width), units('Hz')),
      perChannel('EFFECTIVE_BW', constant(absoluteWidth), units('Hz')),
      perChannel('RESOLUTION', constant(absoluteWidth), units('Hz')),
      numbers('FLAG_ROW', 'bool', times(count, 0)),
      numbers('FREQ_GROUP', 'int', times(count, 0)),
      texts('FREQ_GROUP_NAME', times(count, '')),
      numbers('IF_CONV_CHAIN', 'int', times(count, 0)),
      texts(
        'NAME',
        bands.map(({ name }) => name),
      ),
      perBand('NET_SIDEBAND', 'int', (band) => (width(band) < 0 ? -1 : 1)),
      perBand('NUM_CHAN', 'int', ({ freq }) => freq.length),
      perBand('TOTAL_BANDWIDTH', 'double', (band) => absoluteWidth(band) * band.freq.length, units('Hz')),
    ],
  };
}

/** The subtables from which a reader learns what was observed. */
export function mainSubtables(observation: ObservationToWrite): Readonly<Record<string, TableToWrite>> {
  return {
    ANTENNA: antennaTable(observation),
    DATA_DESCRIPTION: dataDescriptionTable(observation),
    FEED: feedTable(observation),
    FIELD: fieldTable(observation),
    OBSERVATION: observationTable(observation),
    POLARIZATION: polarizationTable(observation),
    SPECTRAL_WINDOW: spectralWindowTable(observation),
  };
}
