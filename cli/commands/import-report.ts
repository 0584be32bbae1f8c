import type { ImportReport } from '../../contract/datasets.ts';
import { readingText } from '../../contract/reading.ts';
import { printLine, printTable } from '../output.ts';

/** Lists longer than this are cut in text; `--json` has all of them. */
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
    report.duplicates.map((paths) => paths.join(' = ')),
  );
  printList(
    'identical files under two classes',
    report.conflicts.map(({ paths, classes }) => `${classes.join(', ')}: ${paths.join(' = ')}`),
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

function printList(title: string, lines: string[]): void {
  if (lines.length === 0) return;
  printLine(`\n${title} (${lines.length}):`);
  for (const line of lines.slice(0, LINES_SHOWN)) printLine(`  ${line.replaceAll('\n', '?')}`);
  const more = lines.length - LINES_SHOWN;
  if (more > 0) printLine(`  and ${more} more (--json lists all)`);
}
