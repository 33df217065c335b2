/** The report in a real browser: its own script runs, under the page's own policy, and nobody else's. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { reportHtml } from '../../../actors/products/report.ts';
import { programMissing, runProgram, temporaryFolder } from '../../support/peers.ts';
import { hostileName, madeReport } from '../../support/report-input.ts';

const quiet = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--virtual-time-budget=5000'],
];

test('tables can be sorted, and a hostile name is text', { skip: programMissing('chromium') }, (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'report.html');
  writeFileSync(file, reportHtml(madeReport(hostileName)));
  const profile = `--user-data-dir=${join(folder, 'profile')}`;
  const { status, stdout } = runProgram('chromium', [
    ...quiet,
    profile,
    '--dump-dom',
    pathToFileURL(file).href,
  ]);
  assert.equal(status, 0);
  // Heads become buttons only where the script has run.
  const heads = /<table[^>]*sortable[\s\S]*?<\/thead>/.exec(stdout)?.[0] ?? '';
  assert.ok((heads.match(/<button type="button">/g) ?? []).length > 5, heads.slice(0, 500));
  const scripts = stdout.match(/<script[\s>]/g) ?? [];
  assert.equal(scripts.length, 1, 'the name of a field became an element');
});
