import type { RateSearch } from '../../contract/api.ts';
import { writeFileAtomic } from '../../host/files.ts';
import type { Workbench } from '../../host/workbench.ts';
import { followJob } from '../follow.ts';
import { printJson, printLine } from '../output.ts';
import { rateCsv, svgPlot, textPlot } from './rate-plot.ts';

export interface FindRateOptions {
  arm: string;
  svg?: string;
  csv?: string;
}

/** Searches for a learning rate; Ctrl-C ends it. Throws what made it fail. */
export async function searchRate(
  workbench: Workbench,
  yaml: string,
  arm: string,
): Promise<RateSearch> {
  const { handlers } = workbench;
  const job = await handlers['studies.findRate']({ yaml, arm });
  return handlers['studies.rateSearch']({ id: await followJob(workbench, job, 'the search') });
}

/** What was found: plot and suggestion, or JSON; files where they are wanted. */
export async function printSearch(
  search: RateSearch,
  { svg, csv }: FindRateOptions,
  json: boolean,
): Promise<void> {
  if (svg !== undefined) await writeFileAtomic(svg, svgPlot(search));
  if (csv !== undefined) await writeFileAtomic(csv, rateCsv(search));
  if (json) {
    printJson(search);
    return;
  }
  printLine(`training loss (smoothed) of ${search.arm} against the learning rate\n`);
  printLine(textPlot(search));
  printLine(`\n${search.why}`);
  const { suggestion } = search;
  printLine(
    suggestion === null
      ? 'no suggestion: the loss falls nowhere'
      : `suggestion: training.lr.peak: ${Number(suggestion.toPrecision(2))}`,
  );
  for (const file of [svg, csv]) if (file !== undefined) printLine(`wrote ${file}`);
}
