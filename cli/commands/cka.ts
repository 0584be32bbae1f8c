import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { CarryoverError } from '../../contract/errors.ts';
import type { FeatureComparison } from '../../engine/analysis/compare-features.ts';
import { compareFeatures } from '../../engine/analysis/compare-features.ts';
import type { Features } from '../../engine/analysis/gram.ts';
import { readNpy } from '../../engine/formats/npy.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';

interface CkaOptions extends GlobalOptions {
  biased?: boolean;
  permutations: number;
  replicates: number;
  seed: number;
}

/** `carryover cka A.npy B.npy`: similarity of features made by any program. */
export function register(program: Command): void {
  program
    .command('cka')
    .description('similarity (linear CKA) of features of the same images, made by any program')
    .argument('<a>', 'NumPy array: rows are images, further axes are flattened')
    .argument('<b>', 'NumPy array of other features of the same images, in the same order')
    .option('--biased', 'the estimator that is near 1 for few images with many features')
    .option('--permutations <number>', 'of the null; 0: none', parseCount, 200)
    .option('--replicates <number>', 'half-samples of the interval; 0: none', parseCount, 1000)
    .option('--seed <number>', 'seed of null and interval', parseSeed, 0)
    .option('--json', 'print JSON')
    .action(
      action(async (a: string, b: string, options: CkaOptions, command: Command) => {
        await compare(a, b, { ...options, ...globalOptions(command) });
      }),
    );
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number from 0 to 999999');
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff) return Number(text);
  throw new InvalidArgumentError('a seed is a whole number from 0 to 4294967295');
}

async function compare(pathA: string, pathB: string, options: CkaOptions): Promise<void> {
  const [a, b] = [readFeatures(pathA), readFeatures(pathB)];
  if (a.rows !== b.rows) {
    throw new CarryoverError(
      'bad-input',
      `${pathA} has ${a.rows} images (rows), ${pathB} has ${b.rows}`,
      {
        file: pathB,
        value: String(b.rows),
        wayOut: 'give features of the same images in the same order',
      },
    );
  }
  const { biased, permutations, replicates, seed, json } = options;
  const estimator = biased ? 'biased' : 'unbiased';
  const found = await compareFeatures(a, b, { estimator, permutations, replicates, seed });
  if (json) printJson(found);
  else print(pathA, pathB, found);
}

/** @throws bad-input that names the file */
function readFeatures(path: string): Features {
  const { shape, data: values } = readNpy(path);
  const [rows = 0, ...rest] = shape;
  const dimensions = rest.reduce((product, side) => product * side, 1);
  const refuse = (what: string, value: string, wayOut: string): never => {
    throw new CarryoverError('bad-input', `${path}: ${what}`, { file: path, value, wayOut });
  };
  if (shape.length < 2 || dimensions === 0) {
    refuse(
      `its shape [${shape.join(', ')}] has no features`,
      String(shape),
      'save an array [image, feature]',
    );
  }
  if (rows < 4) refuse(`${rows} images; CKA needs 4 or more`, String(rows), 'take more images');
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    const [row, column] = [Math.floor(wrong / dimensions), wrong % dimensions];
    const what = `the value in row ${row}, column ${column} is ${values[wrong]} in single precision`;
    refuse(what, String(values[wrong]), 'leave out images with values that are not finite');
  }
  return { values, rows, dimensions };
}

function print(pathA: string, pathB: string, found: FeatureComparison): void {
  const { cka, n, dimensions, estimator, form, interval } = found;
  printLine(`A: ${pathA} (${dimensions[0]} features)\nB: ${pathB} (${dimensions[1]} features)\n`);
  if (cka === null) {
    printLine('CKA is not defined: the features of one side are the same for all images.');
    return;
  }
  const range = interval ? `  95 % interval ${interval.map(digits).join(' .. ')}` : '';
  printLine(`CKA (linear, ${estimator})  ${digits(cka)}${range}`);
  printLine(`images                 ${n}${form === 'minibatches' ? ', in minibatches' : ''}`);
  if (found.null) {
    const { permutations, mean, upper, p } = found.null;
    printLine(
      `null                   mean ${digits(mean)}, 95th percentile ${digits(upper)}, p ${digits(p)} (${permutations} permutations)`,
    );
  }
  if (estimator === 'biased') {
    printLine('\nBiased: far from 0 even for unrelated features, as the null shows; no interval.');
  }
}

function digits(value: number): string {
  return value.toFixed(4);
}
