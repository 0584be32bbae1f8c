import type { ImportReport } from '../../contract/datasets.ts';
import { readingText } from '../../contract/reading.ts';
import { printLine, printTable } from '../output.ts';

/** Lists longer than this are cut in text; `--json` has all that the report lists. */
const LINES_SHOWN = 40;

/** What a scan of a folder found, for people. */
export function printReport(report: ImportReport): void {
  const { root, images, reading, task, splits, attributeNames } = report;
  printLine(`${root}: ${images} images, read as ${readingText(reading)}`);
  if (task === 'multi-label') printLine('multi-label: any number of findings on an image');
  printLine(`grouped by ${report.groupedBy}: ${report.groups} groups`);
  const given = Object.entries(splits).map(([name, members]) => `${name} ${members}`);
  if (given.length > 0) printLine(`splits as given: ${given.join(', ')}`);
  if (attributeNames.length > 0) printLine(`attributes: ${attributeNames.join(', ')}`);
  printLine('');
  printCounts(report);
  printList(
    'skipped',
    report.skipped.map(({ path, reason }) => `${path}: ${reason}`),
  );
  printList(
    'identical files',
    report.duplicates.map((paths, i) => sameFiles(paths, report.duplicateFiles?.[i])),
    report.duplicateSets,
  );
  printList(
    'identical files under two classes',
    report.conflicts.map(
      ({ paths, classes, files }) => `${classes.join(', ')}: ${sameFiles(paths, files)}`,
    ),
    report.conflictSets,
  );
  printList(
    'licences',
    report.licences.map(({ licence, images }) => `${licence}: ${images} images`),
  );
  printList('warnings', report.warnings);
}

/** Images per class (rows) and domain (columns). */
function printCounts({ task, ...table }: ImportReport): void {
  const rows = table.classNames.map((label, i) => ({
    label,
    cells: table.counts.map((row) => row[i] ?? 0),
  }));
  printTable(rows, [
    { title: task === 'multi-label' ? 'finding' : 'class', value: (row) => row.label },
    ...table.domainNames.map((title, i) => ({
      title,
      value: (row: (typeof rows)[number]) => row.cells[i] ?? 0,
    })),
  ]);
}

function sameFiles(paths: string[], files = paths.length): string {
  const more = files - paths.length;
  return paths.join(' = ') + (more > 0 ? ` and ${more} more` : '');
}

/** `total`: how many there are, where the report itself lists only some. */
function printList(title: string, lines: string[], total = lines.length): void {
  if (lines.length === 0) return;
  printLine(`\n${title} (${total}):`);
  for (const line of lines.slice(0, LINES_SHOWN)) printLine(`  ${line.replaceAll('\n', '?')}`);
  const more = total - Math.min(lines.length, LINES_SHOWN);
  const listed = total > lines.length ? `lists ${lines.length}` : 'lists all';
  if (more > 0) printLine(`  and ${more} more (--json ${listed})`);
}
