/** Catalogue and light curves as CSV, to the letter, and the catalogue as VOTable, to astropy's liking. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogueCsv, writeCatalogueCsv } from '../../../actors/products/catalogue.ts';
import { lightCurveLine, writeLightCurves } from '../../../actors/products/light-curves.ts';
import { catalogueVotable } from '../../../actors/products/votable.ts';
import {
  askPython,
  programMissing,
  pythonModuleMissing,
  runProgram,
  temporaryFolder,
} from '../../support/peers.ts';
import { hostileName, madeCurves, madeSources } from '../../support/report-input.ts';
import { find, parseXml } from '../../support/xml.ts';

const source = {
  id: 'J081336.4+331012',
  raDeg: 123.40166666666667,
  decDeg: -0.1,
  kind: 'transient',
  peakFluxJy: 0.25,
  peakSnr: 31.41592653589793,
  startMjd: 59215.30347222222,
  peakMjd: 59215.3041087963,
  endMjd: 59215.305555555555,
  eta: 12.25,
  v: Number.NaN,
  nFrames: 120,
} as const;

test('the catalogue has every digit of places and times, and empty fields for what is not known', () => {
  assert.equal(
    catalogueCsv([source]),
    'id,ra_deg,dec_deg,kind,peak_flux_jy,peak_snr,start_mjd,peak_mjd,end_mjd,eta,v,n_frames\n' +
      'J081336.4+331012,123.40166666666667,-0.1,transient,0.25,31.415927,' +
      '59215.30347222222,59215.3041087963,59215.305555555555,12.25,,120\n',
  );
  assert.equal(catalogueCsv([]).split('\n').length, 2);
});

test('light curves are CSV with non-detections and frames without data', () => {
  const point = {
    id: 'a,"b"',
    band: '1302MHz',
    freqHz: 1.302e9,
    timeMjd: 59215.30005787037,
    dtS: 10,
    fluxJy: -0.0012345678901,
    errJy: 0.008,
    flag: 'limit',
  } as const;
  assert.equal(
    lightCurveLine(point),
    '"a,""b""",1302MHz,1302000000,59215.30005787037,10,-0.0012345679,0.008,limit\n',
  );
  const bad = { ...point, id: 'a', fluxJy: Number.NaN, errJy: Number.NaN, flag: 'bad' } as const;
  assert.equal(lightCurveLine(bad), 'a,1302MHz,1302000000,59215.30005787037,10,,,bad\n');
});

test('light curves are written point by point, all of them', async (t) => {
  const path = join(temporaryFolder(t), 'lightcurves.csv');
  let drawn = 0;
  function* points() {
    for (let round = 0; round < 40; round++) {
      for (const list of madeCurves().values())
        for (const point of list) {
          drawn++;
          yield point;
        }
    }
  }
  await writeLightCurves(path, points());
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], 'id,band,freq_hz,time_mjd,dt_s,flux_jy,err_jy,flag');
  assert.equal(lines.length, drawn + 1);
  assert.equal(drawn, 40 * 3 * 240);
});

const about = { software: 'asperitas 0.1.0', telescope: hostileName, field: 'DEMO', writtenMjd: 59216 };

test('the VOTable has a field a column, with units, UCDs and systems, and escaped names', () => {
  const root = parseXml(catalogueVotable([source], about));
  assert.equal(root.attributes.version, '1.4');
  const [resource] = find(root, 'RESOURCE');
  const [table] = find(resource!, 'TABLE');
  const fields = find(table!, 'FIELD');
  assert.deepEqual(
    fields.map(({ attributes }) => attributes.name),
    catalogueCsv([]).trim().split(','),
  );
  for (const { attributes, children } of fields) {
    assert.ok(attributes.ucd, attributes.name);
    assert.equal(children[0]!.name, 'DESCRIPTION');
  }
  const byName = new Map(fields.map(({ attributes }) => [attributes.name, attributes]));
  assert.equal(byName.get('ra_deg')!.unit, 'deg');
  assert.equal(byName.get('peak_flux_jy')!.unit, 'Jy');
  assert.equal(byName.get('start_mjd')!.ref, find(resource!, 'TIMESYS')[0]!.attributes.ID);
  assert.equal(byName.get('dec_deg')!.ref, find(resource!, 'COOSYS')[0]!.attributes.ID);
  const cells = find(table!, 'DATA/TABLEDATA/TR/TD').map(({ text }) => text);
  assert.deepEqual(cells, catalogueCsv([source]).split('\n')[1]!.split(','));
  const telescope = find(resource!, 'INFO').find(({ attributes }) => attributes.name === 'telescope');
  assert.equal(telescope!.attributes.value, hostileName);
});

const schemaScript = `
import json, os, astropy.io.votable as v
print(json.dumps(os.path.join(os.path.dirname(v.__file__), 'data', 'VOTable.v1.4.xsd')))`;

test('the VOTable is valid against the schema', {
  skip: programMissing('xmllint') || pythonModuleMissing('astropy'),
}, () => {
  const text = catalogueVotable(madeSources, about);
  const schema = String(askPython(schemaScript));
  const { status, stderr } = runProgram('xmllint', ['--nonet', '--noout', '--schema', schema, '-'], text);
  assert.equal(status, 0, stderr);
});

test('astropy reads the VOTable without a complaint, to the last digit', {
  skip: pythonModuleMissing('astropy'),
}, (t) => {
  const path = join(temporaryFolder(t), 'catalogue.vot');
  writeFileSync(path, catalogueVotable([source, ...madeSources], about));
  const script = `
import json, sys, warnings
from astropy.io.votable import parse
with warnings.catch_warnings():
    warnings.simplefilter('error')
    table = parse(sys.argv[1], verify='exception').get_first_table()
rows = table.to_table()
print(json.dumps({
  'ra': list(map(float, rows['ra_deg'])), 'unit': str(rows['start_mjd'].unit), 'id': str(rows['id'][0]),
  'masked': [bool(rows['v'].mask[0]), bool(rows['v'].mask[1])], 'frames': int(rows['n_frames'][0]),
  'start': float(rows['start_mjd'][0]), 'count': len(rows)}))`;
  assert.deepEqual(askPython(script, path), {
    ra: [source.raDeg, ...madeSources.map(({ raDeg }) => raDeg)],
    unit: 'd',
    id: source.id,
    masked: [true, false],
    frames: 120,
    start: source.startMjd,
    count: 4,
  });
});

test('writing that is stopped leaves the older file', async (t) => {
  const path = join(temporaryFolder(t), 'catalogue.csv');
  await writeCatalogueCsv(path, []);
  const stopped = writeCatalogueCsv(path, madeSources, { signal: AbortSignal.abort() });
  await assert.rejects(stopped, /was stopped/);
  assert.equal(readFileSync(path, 'utf8'), catalogueCsv([]));
});
