/**
 * Owns the text of `asperitas info`: tables that are readable at 100 columns. Pure.
 * Must not know: Measurement Sets beyond their description.
 */
import { durationText, sizeText, tableLines, wrapped } from '../../runtime/index.ts';
import { isoFromMjd, secondsPerDay } from '../io/calendar.ts';
import type { FieldDescription, SetDescription } from '../io/measurement-set/describe.ts';
import { formatDec, formatRa, radians } from '../io/wcs.ts';

/** Fields, antennas and the like beyond these numbers are counted, not listed; `--json` lists them all. */
const listedFields = 30;
const listedNames = 64;

const megahertz = (hz: number | null | undefined) => (hz == null ? '?' : `${Number((hz / 1e6).toFixed(4))}`);
const longestName = 20;
const clipped = (name: string) => (name.length > longestName ? `${name.slice(0, longestName - 3)}...` : name);
const clock = (mjdSeconds: number) => isoFromMjd(mjdSeconds / secondsPerDay, 1).replace('T', ' ');

function timeLine({ startMjdSeconds, endMjdSeconds }: SetDescription): string {
  if (startMjdSeconds === null || endMjdSeconds === null) return 'no rows';
  const duration = durationText(endMjdSeconds - startMjdSeconds);
  return `${clock(startMjdSeconds)} to ${clock(endMjdSeconds)} UTC (${duration})`;
}

function headLines(set: SetDescription): string[] {
  const { path, telescope, observer, project, rows, bytesOnDisk, byteOrder, tableKind } = set;
  const who = [telescope || 'unknown telescope', observer, project].filter((text) => text !== '');
  const kind = tableKind === 'plain' ? '' : `, a ${tableKind} table`;
  return [
    path,
    `  ${who.join(', ')}`,
    `  ${timeLine(set)}`,
    `  ${rows} rows, ${sizeText(bytesOnDisk)} on disk, ${byteOrder}-endian${kind}`,
  ];
}

function fieldLines(fields: readonly FieldDescription[]): string[] {
  // Calibrators, unused entries: fields with rows first, as only these can be imaged.
  const ordered = [...fields.filter(({ rows }) => rows > 0), ...fields.filter(({ rows }) => rows === 0)];
  const lines = tableLines(ordered.slice(0, listedFields), [
    { title: 'id', of: ({ id }) => id, right: true },
    { title: 'name', of: ({ name }) => clipped(name) },
    { title: 'right asc.', of: ({ raDeg }) => (raDeg === null ? '?' : formatRa(radians(raDeg), 2)) },
    { title: 'declination', of: ({ decDeg }) => (decDeg === null ? '?' : formatDec(radians(decDeg), 1)) },
    { title: 'frame', of: ({ frame }) => frame },
    { title: 'steps', of: ({ timeSteps }) => timeSteps, right: true },
    {
      title: 'interval',
      of: ({ intervalSeconds }) => (intervalSeconds === null ? '-' : durationText(intervalSeconds)),
      right: true,
    },
    { title: 'rows', of: ({ rows }) => rows, right: true },
    { title: 'bands', of: ({ dataDescriptions }) => dataDescriptions.join(' ') || '-' },
  ]);
  const more = fields.length - listedFields;
  return [`Fields (${fields.length})`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])];
}

function bandLines({ dataDescriptions, spectralWindows, polarizations }: SetDescription): string[] {
  const rows = dataDescriptions.map((description) => ({
    ...description,
    window: spectralWindows[description.spectralWindow],
    setup: polarizations[description.polarization],
  }));
  return [
    `Bands (${rows.length}, by DATA_DESC_ID; frequencies in MHz)`,
    ...tableLines(rows, [
      { title: 'id', of: ({ id }) => id, right: true },
      { title: 'spw', of: ({ spectralWindow }) => spectralWindow, right: true },
      { title: 'name', of: ({ window }) => clipped(window?.name ?? '?') },
      { title: 'channels', of: ({ window }) => window?.channels ?? '?', right: true },
      { title: 'first', of: ({ window }) => megahertz(window?.firstHz), right: true },
      { title: 'last', of: ({ window }) => megahertz(window?.lastHz), right: true },
      {
        title: 'width',
        of: ({ window }) => megahertz(window?.channelWidthHz),
        right: true,
      },
      { title: 'frame', of: ({ window }) => window?.frame ?? '?' },
      { title: 'correlations', of: ({ setup }) => setup?.correlations.join(' ') || '?' },
      { title: '', of: ({ used }) => (used ? '' : '(no rows)') },
    ]),
  ];
}

function antennaLines({ antennas }: SetDescription): string[] {
  const diameters = antennas.map(({ diameterMetres }) => Number(diameterMetres.toFixed(1)));
  const [least, most] = [Math.min(...diameters), Math.max(...diameters)];
  // Antennas that were never built (or have no position) are entered at the centre of the Earth.
  const placed = antennas
    .map(({ positionMetres }) => positionMetres)
    .filter((position) => position.some(Boolean));
  let longest = 0;
  for (const a of placed) {
    for (const b of placed) {
      const length = Math.hypot(...a.map((value, axis) => (value ?? Number.NaN) - (b[axis] ?? Number.NaN)));
      if (length > longest) longest = length;
    }
  }
  const names = antennas.slice(0, listedNames).map(({ name }) => name);
  if (antennas.length > names.length) names.push(`and ${antennas.length - names.length} more`);
  const size = longest < 10_000 ? `${longest.toFixed(0)} m` : `${(longest / 1000).toFixed(1)} km`;
  if (antennas.length === 0) return ['Antennas (0)'];
  const diameter = least === most ? least : `${least} to ${most}`;
  return [
    `Antennas (${antennas.length}; longest baseline ${size}; diameter ${diameter} m)`,
    ...wrapped(names),
  ];
}

function columnLines({ columns, storage, dataColumn }: SetDescription): string[] {
  const bytes = new Map(storage.map(({ number, bytesOnDisk }) => [number, bytesOnDisk]));
  const shared = new Map(storage.map(({ number, columns: names }) => [number, names.length]));
  // A manager's size is printed once, with its first column.
  const printed = new Set<number>();
  const rows = columns.map((column) => {
    const number = column.storageNumber;
    if (number === null || printed.has(number)) return { ...column, size: '' };
    printed.add(number);
    const others = (shared.get(number) ?? 1) - 1;
    return {
      ...column,
      size: `${sizeText(bytes.get(number) ?? 0)}${others > 0 ? ` with ${others} more` : ''}`,
    };
  });
  const imaged =
    dataColumn === null ? 'none can be imaged' : `${dataColumn} is imaged unless another is named`;
  return [
    `Columns (${imaged})`,
    ...tableLines(rows, [
      { title: 'name', of: ({ name }) => name },
      { title: 'type', of: ({ type }) => type },
      { title: 'shape', of: ({ shape }) => (shape === null ? '' : shape.join(' x ')) },
      {
        title: 'storage',
        of: ({ storageManager, storageNumber }) =>
          `${storageManager}${storageNumber === null ? '' : ` ${storageNumber}`}`,
      },
      { title: 'on disk', of: ({ size }) => size },
    ]),
  ];
}

/** The description as text, with a line break at its end. */
export function infoText(set: SetDescription): string {
  const sections = [
    headLines(set),
    fieldLines(set.fields),
    bandLines(set),
    antennaLines(set),
    columnLines(set),
    [`Subtables (${set.subtables.length})`, ...wrapped(set.subtables)],
  ];
  if (set.flags !== undefined) {
    const { percent, flagged, samples } = set.flags;
    sections.push(['Flags', `  ${percent.toFixed(2)} % of all samples (${flagged} of ${samples})`]);
  }
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
