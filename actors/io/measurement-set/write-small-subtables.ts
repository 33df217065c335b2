/**
 * Owns the required subtables of a new Measurement Set of which imaging needs nothing: FLAG_CMD, HISTORY,
 * POINTING, PROCESSOR, STATE. Must not know: rows of visibilities, files.
 */
import type { TableToWrite } from '../casacore/write-table.ts';
import { arrays, j2000, numbers, texts, times, units, utc } from './new-columns.ts';
import type { ObservationToWrite } from './observation.ts';

function flagCommandTable(): TableToWrite {
  return {
    rowCount: 0,
    columns: [
      numbers('APPLIED', 'bool', []),
      texts('COMMAND', []),
      numbers('INTERVAL', 'double', [], units('s')),
      numbers('LEVEL', 'int', []),
      texts('REASON', []),
      numbers('SEVERITY', 'int', []),
      numbers('TIME', 'double', [], utc),
      texts('TYPE', []),
    ],
  };
}

function historyTable({ history = [], blocks }: ObservationToWrite): TableToWrite {
  const count = history.length;
  const lists = (name: string) => {
    const runs = [{ rowCount: count, shape: [1], values: times(count, '') }];
    return arrays({ name, type: 'string', dimensions: 1, runs });
  };
  return {
    rowCount: count,
    columns: [
      lists('APP_PARAMS'),
      lists('CLI_COMMAND'),
      texts('APPLICATION', times(count, 'asperitas')),
      texts('MESSAGE', history),
      numbers('OBJECT_ID', 'int', times(count, -1)),
      numbers('OBSERVATION_ID', 'int', times(count, 0)),
      texts('ORIGIN', times(count, 'asperitas')),
      texts('PRIORITY', times(count, 'INFO')),
      numbers('TIME', 'double', times(count, blocks[0]?.timeMjdSeconds ?? 0), utc),
    ],
  };
}

function pointingTable(): TableToWrite {
  const directions = (name: string) =>
    arrays({ name, type: 'double', dimensions: 2, runs: [], keywords: j2000 });
  return {
    rowCount: 0,
    columns: [
      directions('DIRECTION'),
      numbers('ANTENNA_ID', 'int', []),
      numbers('INTERVAL', 'double', [], units('s')),
      texts('NAME', []),
      numbers('NUM_POLY', 'int', []),
      directions('TARGET'),
      numbers('TIME', 'double', [], utc),
      numbers('TIME_ORIGIN', 'double', [], utc),
      numbers('TRACKING', 'bool', []),
    ],
  };
}

function processorTable(): TableToWrite {
  return {
    rowCount: 1,
    columns: [
      numbers('FLAG_ROW', 'bool', [0]),
      numbers('MODE_ID', 'int', [-1]),
      texts('TYPE', ['CORRELATOR']),
      numbers('TYPE_ID', 'int', [-1]),
      texts('SUB_TYPE', ['']),
    ],
  };
}

function stateTable(): TableToWrite {
  return {
    rowCount: 1,
    columns: [
      numbers('CAL', 'double', [0], units('K')),
      numbers('FLAG_ROW', 'bool', [0]),
      numbers('LOAD', 'double', [0], units('K')),
      texts('OBS_MODE', ['OBSERVE_TARGET#ON_SOURCE']),
      numbers('REF', 'bool', [0]),
      numbers('SIG', 'bool', [1]),
      numbers('SUB_SCAN', 'int', [0]),
    ],
  };
}

/** The subtables that must be there. */
export function smallSubtables(observation: ObservationToWrite): Readonly<Record<string, TableToWrite>> {
  return {
    FLAG_CMD: flagCommandTable(),
    HISTORY: historyTable(observation),
    POINTING: pointingTable(),
    PROCESSOR: processorTable(),
    STATE: stateTable(),
  };
}
