import type { Command } from 'commander';
import { Argument, InvalidArgumentError, Option } from 'commander';
import { ARCHITECTURES } from '../../contract/architecture.ts';
import { action, globalOptions } from '../output.ts';
import type {
  ExportOptions,
  ImportOptions,
  InspectOptions,
  LogitsOptions,
  RecalibrateOptions,
} from './weights-actions.ts';

const ARCHITECTURE = () =>
  new Option('--architecture <name>', 'default: the one that fits best').choices(ARCHITECTURES);
const JSON_OPTION = ['--json', 'print JSON'] as const;

/** `carryover weights …`: bring checkpoints, look into them, take them away again. */
export function register(program: Command): void {
  const weights = program
    .command('weights')
    .description('bring weights from other programs, look into them, export them');
  registerInspect(weights);
  registerImport(weights);
  registerList(weights);
  registerRemove(weights);
  registerExport(weights);
  registerRecalibrate(weights);
  registerLogits(weights);
}

function registerInspect(weights: Command): void {
  weights
    .command('inspect')
    .description('say what a weights file holds and how it meets an architecture; stores nothing')
    .addArgument(fileArgument())
    .addOption(ARCHITECTURE())
    .option(...JSON_OPTION)
    .action(
      action(async (file: string, options: InspectOptions, command: Command) => {
        const { inspect } = await import('./weights-actions.ts');
        await inspect(file, { ...options, ...globalOptions(command) });
      }),
    );
}

function registerImport(weights: Command): void {
  weights
    .command('import')
    .description('bring a weights file into the workbench as a checkpoint that studies can name')
    .addArgument(fileArgument())
    .requiredOption('--name <name>', 'how studies will call it')
    .addOption(ARCHITECTURE())
    .option('--size <pixels>', 'side of the images it was trained on', parseSize)
    .option('--mean <r,g,b>', 'mean per channel, of values in [0, 1]', parseTriple)
    .option('--std <r,g,b>', 'standard deviation per channel, above 0', parsePositives)
    .addOption(
      new Option('--interpolation <kind>', 'how its images were resized').choices([
        'bilinear',
        'bicubic',
      ]),
    )
    .option('--crop <share>', 'size / side of the resized image before the centre crop', parseShare)
    .option('--licence <text>', 'under which terms the weights are')
    .option('--loose', 'take what matches although tensors are missing or left over')
    .option(...JSON_OPTION)
    .action(
      action(async (file: string, options: ImportOptions, command: Command) => {
        const { importFile } = await import('./weights-actions.ts');
        await importFile(file, { ...options, ...globalOptions(command) });
      }),
    );
}

function registerList(weights: Command): void {
  weights
    .command('list')
    .description('list the imported checkpoints, or show one with its report')
    .argument('[checkpoint]', 'name or id')
    .option(...JSON_OPTION)
    .action(
      action(async (checkpoint: string | undefined, _: unknown, command: Command) => {
        const { list } = await import('./weights-actions.ts');
        await list(checkpoint, globalOptions(command));
      }),
    );
}

function registerRemove(weights: Command): void {
  weights
    .command('remove')
    .description('forget a checkpoint that nothing uses; the file it came from stays')
    .argument('<checkpoint>', 'name or id')
    .option(...JSON_OPTION)
    .action(
      action(async (checkpoint: string, _: unknown, command: Command) => {
        const { remove } = await import('./weights-actions.ts');
        await remove(checkpoint, globalOptions(command));
      }),
    );
}

function registerExport(weights: Command): void {
  weights
    .command('export')
    .description('write the weights of a run or a checkpoint for other programs')
    .addArgument(new Argument('<source>', 'id of a run, or name or id of a checkpoint'))
    .addOption(
      new Option('--format <format>', 'safetensors, or onnx: an inference graph')
        .choices(['safetensors', 'onnx'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <file>', 'file to write')
    .option('--size <pixels>', 'side of the images that an ONNX graph takes', parseSize)
    .option(...JSON_OPTION)
    .action(
      action(async (source: string, options: ExportOptions, command: Command) => {
        const { exportFile } = await import('./weights-actions.ts');
        await exportFile(source, { ...options, ...globalOptions(command) });
      }),
    );
}

function registerRecalibrate(weights: Command): void {
  weights
    .command('recalibrate')
    .description('make a checkpoint with BatchNorm’s running statistics anew, on your images')
    .addArgument(new Argument('<source>', 'id of a run, or name or id of a checkpoint'))
    .requiredOption('--data <set>', 'name or id of the data set')
    .option('--domain <name>', 'default: all its domains')
    .option('--batch <images>', 'images whose moments are taken together', parseCount, 32)
    .requiredOption('--name <name>', 'how studies will call the new checkpoint')
    .option(...JSON_OPTION)
    .action(
      action(async (source: string, options: RecalibrateOptions, command: Command) => {
        const { recalibrate } = await import('./weights-actions.ts');
        await recalibrate(source, { ...options, ...globalOptions(command) });
      }),
    );
}

function registerLogits(weights: Command): void {
  weights
    .command('logits')
    .description('run a weights file on an array and write its raw logits, to check an import')
    .addArgument(fileArgument())
    .addOption(ARCHITECTURE())
    .requiredOption('--input <npy>', 'float32, images x channels x rows x columns, normalised')
    .requiredOption('--out <npy>', 'file to write: float32, images x classes')
    .option(...JSON_OPTION)
    .action(
      action(async (file: string, options: LogitsOptions, command: Command) => {
        const { logits } = await import('./weights-actions.ts');
        await logits(file, { ...options, ...globalOptions(command) });
      }),
    );
}

function fileArgument(): Argument {
  return new Argument('<file>', 'safetensors, .pth/.pt, model.json, .h5, .keras or .onnx');
}

function parseTriple(text: string): [number, number, number] {
  const [r, g, b, ...more] = text.split(',').map((part) => (part.trim() ? Number(part) : NaN));
  const values = [r, g, b].filter((value) => value !== undefined && Number.isFinite(value));
  if (values.length === 3 && more.length === 0) return values as [number, number, number];
  throw new InvalidArgumentError('give three numbers, such as 0.485,0.456,0.406');
}

function parsePositives(text: string): [number, number, number] {
  const values = parseTriple(text);
  if (values.every((value) => value > 0)) return values;
  throw new InvalidArgumentError('images are divided by it: give three numbers above 0');
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number from 1 to 9999');
}

function parseSize(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a size is a whole number of pixels');
}

function parseShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('a share is a number above 0, 1 at most');
}
