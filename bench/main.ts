// npm run -s bench -- NAME [options] [--json]
import { cpus } from 'node:os';
import { Command, Option } from 'commander';
import { ARCHITECTURES } from '../contract/architecture.ts';
import { DEVICE_IDS } from '../contract/devices.ts';
import type { Bench, Choice } from './bench.ts';
import { machine } from './bench.ts';
import { browse } from './browse.ts';
import { compile } from './compile.ts';
import { evaluations } from './evaluations.ts';
import { importing } from './import.ts';
import { inference } from './inference.ts';
import { input } from './input.ts';
import { map } from './map.ts';
import { memory } from './memory.ts';
import { profile } from './profile.ts';
import { trainStep } from './train-step.ts';

const BENCHES: readonly Bench[] = [
  trainStep,
  inference,
  memory,
  input,
  compile,
  evaluations,
  importing,
  profile,
  browse,
  map,
];

async function run(bench: Bench, choice: Choice): Promise<void> {
  const { line, ...about } = machine();
  const { results, lines } = await bench.run(choice);
  const text = choice.json
    ? JSON.stringify({ bench: bench.name, machine: about, results })
    : [line, ...lines].join('\n');
  process.stdout.write(`${text}\n`);
}

const positive = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`"${text}" is not a positive whole number`);
};

const devices = DEVICE_IDS.filter((id) => id !== 'tfjs-gpu');
const program = new Command('bench').description('Measures carryover beside others.');
for (const bench of BENCHES) {
  program
    .command(bench.name)
    .description(bench.about)
    .addOption(new Option('--architecture <name>', 'one network only').choices(ARCHITECTURES))
    .option('--width <channels>', 'of the first stage', positive)
    .addOption(new Option('--stem <kind>', 'first layer').choices(['small', 'imagenet']))
    .option('--image <pixels>', 'side, with --architecture', positive, 64)
    .option('--batch <images>', 'per step', positive, 32)
    .option('--images <count>', 'of the data set', positive)
    .option('--rounds <count>', 'timed rounds of each', positive)
    .option('--threads <count>', 'of ours on the processor', positive, cpus().length)
    .addOption(new Option('--device <id>', 'that ours runs on').choices(devices).default('cpu'))
    .option('--no-tfjs', 'leave TensorFlow.js out, which is very slow')
    .option(
      '--sample <name>',
      'real images: of this sample set, or an absolute path',
      'icon-domains',
    )
    .option('--json', 'print everything, with the raw times')
    .action((choice: Choice) => run(bench, choice));
}
await program.parseAsync();
