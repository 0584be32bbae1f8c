// npm run -s bench -- train-step|profile [--architecture NAME --width N --image N] [--json]
import { cpus, loadavg, release, totalmem } from 'node:os';
import { Command, Option } from 'commander';
import { ARCHITECTURES } from '../contract/architecture.ts';
import type { ArchitectureSpec } from '../contract/architecture.ts';
import { profileTrainStep } from './profile.ts';
import { measureTrainStep } from './train-step.ts';
import type { TrainStepResult } from './train-step.ts';

interface Choice {
  architecture?: ArchitectureSpec['name'];
  width: number;
  image: number;
  batch: number;
  rounds?: number;
  json?: boolean;
}

/** Measured when no architecture is named. The second is slow in TensorFlow.js: fewer rounds. */
const STANDARD: { architecture: ArchitectureSpec; rounds: number }[] = [
  { architecture: specOf('fixup-resnet10', 16, 48), rounds: 15 },
  { architecture: specOf('fixup-resnet18', 64, 64), rounds: 5 },
];

function specOf(name: ArchitectureSpec['name'], width: number, image: number): ArchitectureSpec {
  return { name, width, image, stem: 'small' };
}

function chosen({ architecture, width, image, rounds }: Choice) {
  const settings = architecture
    ? [{ architecture: specOf(architecture, width, image), rounds: 10 }]
    : STANDARD;
  return settings.map((setting) => ({ ...setting, rounds: rounds ?? setting.rounds }));
}

function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    /** Over the last minute, before the measurement: other work makes times worse. */
    load: loadavg()[0] ?? 0,
  };
}

async function trainStep(choice: Choice): Promise<void> {
  const before = machine();
  const results: TrainStepResult[] = [];
  for (const { architecture, rounds } of chosen(choice)) {
    results.push(await measureTrainStep(architecture, choice.batch, rounds));
  }
  if (choice.json) return print(JSON.stringify({ machine: before, results }));
  print(
    `${before.cpu}, ${before.cores} cores, ${before.system}, Node ${before.node}, load ${before.load}`,
  );
  results.forEach(printResult);
}

function printResult({ architecture, batch, timings, ratios }: TrainStepResult): void {
  const { name, width, image } = architecture;
  const rounds = timings[0]?.seconds.length;
  print(`\n${name}, width ${width}, ${image} px, batch ${batch}, median of ${rounds} rounds`);
  for (const { name, version, threads, imagesPerSecond, note } of timings) {
    const speed = imagesPerSecond.toFixed(1).padStart(8);
    const [who, where] = [
      name.padEnd(32),
      `${version}, ${threads} thread${threads === 1 ? '' : 's'}`,
    ];
    print(`  ${who}${speed} images/s   ${where}${note ? ` (${note})` : ''}`);
  }
  const torch = ratios.torch === null ? 'not measured' : ratios.torch.toFixed(2);
  print(`  ours / PyTorch ${torch}, ours / TensorFlow.js ${ratios.tfjs.toFixed(1)}`);
}

async function profile(choice: Choice): Promise<void> {
  const results = [];
  for (const { architecture, rounds } of chosen(choice)) {
    const operators = await profileTrainStep(architecture, choice.batch, rounds);
    results.push({ architecture, batch: choice.batch, rounds, operators });
  }
  if (choice.json) return print(JSON.stringify({ machine: machine(), results }));
  for (const { architecture, operators } of results) {
    print(`\n${architecture.name}, width ${architecture.width}, ${architecture.image} px`);
    for (const { operator, nodes, milliseconds, share } of operators) {
      const percent = `${(100 * share).toFixed(1)} %`.padStart(8);
      print(
        `  ${operator.padEnd(20)}${String(nodes).padStart(5)}${milliseconds.toFixed(2).padStart(10)} ms${percent}`,
      );
    }
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const positive = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`"${text}" is not a positive whole number`);
};

const program = new Command('bench').description('Measures carryover beside others.');
for (const [name, about, action] of [
  ['train-step', 'images/s of a training step: ours, TensorFlow.js, PyTorch', trainStep],
  ['profile', 'time of our training step by onnxruntime operator', profile],
] as const) {
  program
    .command(name)
    .description(about)
    .addOption(new Option('--architecture <name>', 'one network only').choices([...ARCHITECTURES]))
    .option('--width <channels>', 'of the first stage', positive, 16)
    .option('--image <pixels>', 'side', positive, 48)
    .option('--batch <images>', 'per step', positive, 32)
    .option('--rounds <count>', 'timed steps of each', positive)
    .option('--json', 'print everything, with the raw times')
    .action(action);
}
await program.parseAsync();
