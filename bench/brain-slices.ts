// Builds the sample set `brain-slices` from Debian's packages and says what is in it.
// Usage: node scripts/run.mjs bench/brain-slices.ts FOLDER
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import { buildSample } from '../host/samples/build.ts';
import recipe from '../resources/samples/brain-slices.json' with { type: 'json' };

async function main(folderName: string | undefined): Promise<void> {
  if (folderName === undefined) throw new Error('name the folder to build the set in');
  const started = performance.now();
  const { folder, built } = await buildSample(recipe.name, {
    samplesFolder: resolve(folderName),
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(built ? `built in ${seconds} s: ${folder}` : `there already: ${folder}`);
  const table = await readFile(join(folder, 'labels.csv'), 'utf8');
  const rows: Record<string, string>[] = parse(table, { columns: true });
  for (const [domain, own] of Map.groupBy(rows, (row) => row['Domain'] ?? '')) {
    const views = [...Map.groupBy(own, (row) => row['View'])];
    print(
      `${domain}: ${own.length} (${views.map(([view, of]) => `${view} ${of.length}`).join(', ')})`,
    );
    for (const finding of Object.keys(recipe.findings)) {
      const count = (value: string) => own.filter((row) => row[finding] === value).length;
      print(`  ${finding}: 1 ${count('1')}, -1 ${count('-1')}, 0 ${count('0')}`);
    }
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main(process.argv[2]);
