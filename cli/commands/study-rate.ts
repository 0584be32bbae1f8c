import type { RateSearch } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { writeFileAtomic } from '../../host/files.ts';
import type { Workbench } from '../../host/workbench.ts';
import { printJson, printLine, progressLine } from '../output.ts';
import { rateCsv, svgPlot, textPlot } from './rate-plot.ts';

export interface FindRateOptions {
  arm: string;
  svg?: string;
  csv?: string;
}

/** Searches for a learning rate; Ctrl-C ends it. Throws what made it fail. */
export async function searchRate(
  { context, handlers }: Workbench,
  yaml: string,
  arm: string,
): Promise<RateSearch> {
  const job = await handlers['studies.findRate']({ yaml, arm });
  const line = progressLine();
  const unsubscribe = context.events.subscribe((event) => {
    if (event.type === 'job' && event.job.id === job.id && event.job.progress) {
      line.show(event.job.progress);
    }
  });
  const cancel = (): void => void context.jobs.cancel(job.id);
  process.on('SIGINT', cancel);
  try {
    const { status, failure, result } = await context.jobs.wait(job.id);
    if (status === 'done' && result !== null)
      return await handlers['studies.rateSearch']({ id: result });
    if (failure) throw new CarryoverError(failure.code, failure.message, failure.detail);
    throw new CarryoverError('cancelled', `the search is ${status}`);
  } finally {
    process.off('SIGINT', cancel);
    unsubscribe();
    line.end();
  }
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
