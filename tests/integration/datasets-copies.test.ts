import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { printReport } from '../../cli/commands/import-report.ts';
import type { ImportReport } from '../../contract/datasets.ts';
import { buildReport } from '../../host/datasets/report.ts';
import { scanSource } from '../../host/datasets/scan.ts';
import { conflictRows, duplicateRows } from '../../renderer/src/data/report-rows.ts';
import { syntheticScan } from '../faults/synthetic-scan.ts';
import { carryover } from './cli-support.ts';
import { picture, put, temporaryFolder } from './datasets-folder.ts';

test('of many identical files some paths are listed, of each class one, and all are counted', async () => {
  const root = temporaryFolder();
  const same = await picture(1);
  for (let i = 0; i < 150; i++) put(root, `cat/${i}.png`, same);
  for (const name of ['dog/a.png', 'dog/b.png']) put(root, name, same);
  const { report } = await scanSource(null, root);
  expect(report).toMatchObject({ duplicateFiles: [152], duplicateSets: 1, conflictSets: 1 });
  const [conflict] = report.conflicts;
  expect(conflict).toMatchObject({ classes: ['cat', 'dog'], files: 152 });
  expect(conflict?.paths).toHaveLength(100);
  expect(conflict?.paths).toContain('dog/a.png');
  expect(report.duplicates).toEqual([conflict?.paths]);

  expect(conflictRows(report)).toEqual([['cat / dog', expect.stringMatching(/ and 52 more$/)]]);
  expect(duplicateRows(report)).toEqual([['152 files', expect.stringMatching(/ and 52 more$/)]]);
  const home = join(temporaryFolder(), 'home');
  const { stdout } = await carryover('--home', home, 'import', root, '--dry-run');
  expect(stdout).toMatch(/cat, dog: cat\/0\.png = .* = dog\/a\.png and 52 more\n/);
});

/** A report on that many sets of two files, each in two classes. */
function reportOnSets(sets: number): ImportReport {
  const { images, report } = syntheticScan({ root: '/pairs', images: 2 * sets });
  return buildReport({
    root: report.root,
    reading: report.reading,
    read: {
      task: 'single-label',
      candidates: [],
      skipped: [],
      warnings: [],
      groupedBy: null,
      classNames: null,
    },
    images: images.map((image, i) => ({ ...image, sha256: `content ${i >> 1}` })),
    ungrouped: [],
    skipped: [],
    joined: 0,
  });
}

/** What the command line says of a report. */
function printed(report: ImportReport): string {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => write.mockRestore());
  printReport(report);
  return write.mock.calls.map(([text]) => String(text)).join('');
}

test('sets that are not listed are counted', () => {
  const report = reportOnSets(2003);
  expect(report).toMatchObject({ duplicateSets: 2003, conflictSets: 2003 });
  expect(report.conflicts).toHaveLength(2000);
  expect(conflictRows(report).at(-1)).toEqual(['and 3 more', '']);
  expect(duplicateRows(report).at(-1)).toEqual(['and 3 more', '']);
  const text = printed(report);
  expect(text).toContain('identical files (2003):');
  expect(text).toContain('and 1963 more (--json lists 2000)');
});

test('a report of an earlier version, without counts, is read as before', () => {
  const older = reportOnSets(2);
  for (const name of ['duplicateFiles', 'duplicateSets', 'conflictSets'] as const) {
    delete older[name];
  }
  for (const conflict of older.conflicts) delete conflict.files;
  expect(duplicateRows(older).map(([what]) => what)).toEqual(['2 files', '2 files']);
  expect(conflictRows(older).map(([what]) => what)).toHaveLength(2);
  expect(printed(older)).toContain('identical files (2):');
});
