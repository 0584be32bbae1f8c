// The scorecard of a study that was run, as Markdown for docs/reproduction.
// Usage: node scripts/run.mjs bench/scorecard.ts REPORT_FOLDER
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { RunDetail } from '../contract/runs.ts';
import type { StudyAnalysis } from '../contract/study-analyses.ts';
import type { StudyResults } from '../contract/study-results.ts';
import type { StudySpec } from '../contract/study.ts';
import { measuredText, ruleText } from '../host/studies/report/analyses.ts';

/** `results.json` of a report. */
interface Written {
  study: { id: string; name: string };
  dataset: { name: string; contentHash: string };
  spec: StudySpec;
  results: StudyResults;
  runs: RunDetail[];
  analyses: StudyAnalysis[];
}

async function main(folder: string | undefined): Promise<void> {
  if (folder === undefined) throw new Error('name the folder of the report');
  const file = join(resolve(folder), 'results.json');
  const written = JSON.parse(await readFile(file, 'utf8')) as Written;
  print([...scorecard(written), '', ...arms(written), '', ...about(written)].join('\n'));
}

function scorecard({ results }: Written): string[] {
  const rows = results.claims.map((judged) => {
    const { claim, source, quantity, measured, verdict } = judged;
    const where = source === undefined ? '' : ` (${source})`;
    const found = measured ? measuredText(measured) : 'nothing';
    return `| ${claim}${where} | ${found} | \`${quantity}\` | ${ruleText(judged)} | **${verdict}** |`;
  });
  return ['| claim | measured | quantity | rule | verdict |', '|---|---|---|---|---|', ...rows];
}

function arms({ results }: Written): string[] {
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const rows = results.arms.map(({ arm, shuffle, accuracy, optimisationSpeed: speed }) => {
    const values = accuracy.values.map(share).join(', ');
    return `| ${shuffle} | ${arm} | ${share(accuracy.mean)} | ${values} | ${speed?.mean.toFixed(3) ?? ''} |`;
  });
  const heading = '| shuffle | arm | test accuracy | by seed | optimisation speed |';
  return [heading, '|---|---|---|---|---|', ...rows];
}

function about({ study, dataset, spec, runs, analyses }: Written): string[] {
  const versions = new Set(runs.map((run) => JSON.stringify(run.versions)));
  const devices = new Set(runs.map(({ device }) => device));
  const seconds = runs.flatMap(({ curve }) => curve).reduce((sum, each) => sum + each.seconds, 0);
  const analysed = analyses.reduce((sum, each) => sum + each.seconds, 0);
  return [
    `- Study \`${study.id}\` (${study.name}), data set ${dataset.name}, content \`${dataset.contentHash}\``,
    `- Seeds ${spec.seeds.join(', ')}; ${runs.length} runs, ${(seconds / 60).toFixed(0)} minutes of training by their own clocks; analyses ${(analysed / 60).toFixed(0)} minutes`,
    `- Device ${[...devices].join(', ')}; versions ${[...versions].join(', ')}`,
    ...analyses.map(({ id, name, seconds: own }) => `- ${name}: \`${id}\`, ${own.toFixed(0)} s`),
  ];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main(process.argv[2]);
