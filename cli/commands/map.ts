import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { MapPoints } from '../../contract/analyses.ts';
import { mapSpecSchema } from '../../contract/analyses.ts';
import { analyse, sourceOf } from '../analyses.ts';
import { numberOption } from '../number-option.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';

interface MapOptions extends GlobalOptions {
  from: string;
  neighbours?: string;
  minDistance?: string;
  seed?: string;
  most?: string;
  csv?: string;
}

/** `carryover map`: the images of a data set laid out by what a network sees in them. */
export function register(program: Command): void {
  program
    .command('map')
    .description('lay out the images of a data set by features of a run, a checkpoint or pixels')
    .argument('<dataset>', 'name or id')
    .option('--from <source>', 'id of a run, name of a checkpoint, or "pixels"', 'pixels')
    .option('--neighbours <n>', 'of UMAP, 2 to 200 (default: 15)')
    .option('--min-distance <d>', 'of UMAP, 0 to 1 (default: 0.1)')
    .option('--seed <n>', 'the same seed gives the same map (default: 0)')
    .option('--most <images>', 'at most so many, the same share of every class (default: 20000)')
    .option('--csv <file>', 'write id, x, y, label and domain of every image')
    .option('--json', 'print the map as JSON')
    .action(
      action(async (dataset: string, options: MapOptions, command: Command) => {
        await map(dataset, { ...options, ...globalOptions(command) });
      }),
    );
}

async function map(dataset: string, options: MapOptions): Promise<void> {
  const { home, from, csv, json } = options;
  const { neighbours, minDistance, seed, most } = mapSpecSchema.shape;
  const numbers = {
    neighbours: numberOption('--neighbours', options.neighbours, neighbours),
    minDistance: numberOption('--min-distance', options.minDistance, minDistance),
    seed: numberOption('--seed', options.seed, seed),
    most: numberOption('--most', options.most, most),
  };
  await analyse(
    { home, dataset, command: 'map' },
    (workbench, { id }) => {
      const spec = { source: sourceOf(workbench, from), ...numbers };
      return workbench.handlers['maps.start']({ datasetId: id, spec });
    },
    async ({ handlers }, id) => {
      const points = await handlers['maps.get']({ id });
      if (csv !== undefined) await writeCsv(csv, points);
      if (json) printJson(points);
      else {
        printLine(
          `map ${id}: ${points.ids.length} images by ${points.dimensions} features of ${points.sourceName}`,
        );
      }
    },
  );
}

async function writeCsv(file: string, points: MapPoints): Promise<void> {
  const { writeFileAtomic } = await import('../../host/files.ts');
  const { asText, csvLine } = await import('../../host/csv.ts');
  const lines = points.ids.map((id, at) => {
    const names = [points.labelNames[points.label[at]!], points.domainNames[points.domain[at]!]];
    return csvLine([id, points.x[at]!, points.y[at]!, ...names.map((name) => asText(name ?? ''))]);
  });
  await writeFileAtomic(
    resolve(file),
    csvLine(['id', 'x', 'y', 'label', 'domain']) + lines.join(''),
  );
}
