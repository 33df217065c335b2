/**
 * Owns the catalogue as VOTable 1.4 (IVOA Recommendation of 2019): TABLEDATA with units, UCDs, frame and time
 * system, so that TOPCAT, Aladin and astropy know what the columns are. Must not know: how sources are found.
 */
import { isoFromMjd } from '../io/calendar.ts';
import { type WriteOptions, writeTextFile } from '../io/write-atomically.ts';
import { type CatalogueSource, catalogueCells } from './catalogue.ts';
import { escapeMarkup } from './markup.ts';

/** What the table says of itself beyond its rows. */
export interface VotableAbout {
  /** Such as `asperitas 0.1.0`. */
  readonly software: string;
  readonly telescope: string;
  readonly field: string;
  /** MJD UTC */
  readonly writtenMjd: number;
}

interface Column {
  readonly type: 'char' | 'double' | 'int';
  readonly ucd: string;
  readonly unit?: string;
  /** Id of the coordinate or time system. */
  readonly system?: string;
  readonly description: string;
}

const mjd = (ucd: string, description: string): Column => ({
  type: 'double',
  ucd,
  unit: 'd',
  system: 'utc',
  description,
});

/** By the names of the catalogue's columns. */
const columns: Readonly<Record<string, Column>> = {
  id: { type: 'char', ucd: 'meta.id;meta.main', description: 'Name of the source, after its place' },
  ra_deg: {
    type: 'double',
    ucd: 'pos.eq.ra;meta.main',
    unit: 'deg',
    system: 'icrs',
    description: 'Right ascension',
  },
  dec_deg: {
    type: 'double',
    ucd: 'pos.eq.dec;meta.main',
    unit: 'deg',
    system: 'icrs',
    description: 'Declination',
  },
  kind: {
    type: 'char',
    ucd: 'src.class',
    description:
      'steady: constant within its errors; variable: not constant; transient: seen only for a while',
  },
  peak_flux_jy: {
    type: 'double',
    ucd: 'phot.flux.density;em.radio;stat.max',
    unit: 'Jy',
    description: 'Flux density where the light curve stands out most of its errors',
  },
  peak_snr: { type: 'double', ucd: 'stat.snr', description: 'Signal-to-noise ratio of the detection' },
  start_mjd: mjd('time.start', 'Start of the first frame in which the source is seen'),
  peak_mjd: mjd('time.epoch', 'Centre of the frame of the peak'),
  end_mjd: mjd('time.end', 'End of the last frame in which the source is seen'),
  eta: {
    type: 'double',
    ucd: 'stat.fit.chi2',
    description: 'Reduced chi-square about the weighted mean (Swinbank et al. 2015, eq. 2)',
  },
  v: {
    type: 'double',
    ucd: 'src.var.index',
    description: 'Standard deviation over mean of the fluxes (Swinbank et al. 2015, eq. 1)',
  },
  n_frames: { type: 'int', ucd: 'meta.number', description: 'Frames with a usable flux measurement' },
};

function fieldOf(name: string): string {
  const { type, ucd, unit, system, description } = columns[name]!;
  const attributes = {
    ID: name,
    name,
    datatype: type,
    arraysize: type === 'char' ? '*' : undefined,
    ucd,
    unit,
    ref: system,
  };
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}="${escapeMarkup(value)}"`],
  );
  return `      <FIELD ${written.join(' ')}>
        <DESCRIPTION>${escapeMarkup(description)}</DESCRIPTION>
      </FIELD>`;
}

/** A row. An empty cell is the null of VOTable, for texts and floating point numbers alike. */
function rowOf(source: CatalogueSource): string {
  const cells = catalogueCells.map(([, cell]) => {
    const text = escapeMarkup(cell(source));
    return text === '' ? '<TD/>' : `<TD>${text}</TD>`;
  });
  return `          <TR>${cells.join('')}</TR>\n`;
}

/** The catalogue as an XML document. */
export function catalogueVotable(sources: readonly CatalogueSource[], about: VotableAbout): string {
  const info = (name: string, value: string): string =>
    `    <INFO name="${name}" value="${escapeMarkup(value)}"/>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.ivoa.net/xml/VOTable/v1.3 http://www.ivoa.net/xml/VOTable/VOTable-1.4.xsd">
  <RESOURCE type="results" name="asperitas">
    <DESCRIPTION>Radio sources in a time series of images</DESCRIPTION>
${info('creator', about.software)}
${info('telescope', about.telescope)}
${info('field', about.field)}
${info('date', `${isoFromMjd(about.writtenMjd, 0)}Z`)}
    <COOSYS ID="icrs" system="ICRS"/>
    <TIMESYS ID="utc" timeorigin="MJD-origin" timescale="UTC" refposition="TOPOCENTER"/>
    <TABLE name="catalogue" nrows="${sources.length}">
      <DESCRIPTION>One row a source; positions ICRS, times Modified Julian Dates in UTC</DESCRIPTION>
${catalogueCells.map(([name]) => fieldOf(name)).join('\n')}
      <DATA>
        <TABLEDATA>
${sources.map(rowOf).join('')}        </TABLEDATA>
      </DATA>
    </TABLE>
  </RESOURCE>
</VOTABLE>
`;
}

/** Throws `disk-full`, `cannot-write`, `aborted`. */
export async function writeCatalogueVotable(
  path: string,
  { sources, about }: { readonly sources: readonly CatalogueSource[]; readonly about: VotableAbout },
  options: WriteOptions = {},
): Promise<void> {
  await writeTextFile(path, catalogueVotable(sources, about), options);
}
