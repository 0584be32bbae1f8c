/** Where our training step's time goes: onnxruntime's own profile, summed by operator. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startingFrom } from '../engine/runtime/batch.ts';
import { OnnxTrainer } from '../engine/runtime/onnx/trainer.ts';
import type { Bench, Choice, Setting } from './bench.ts';
import { SMALL, STANDARD, chosen, median, titleOf } from './bench.ts';
import { RATE, networkAtStart } from './network.ts';

interface OperatorTime {
  operator: string;
  /** Nodes of this operator in one step. */
  nodes: number;
  /** Of one step. */
  milliseconds: number;
  /** Of the sum over all operators. */
  share: number;
}

interface Result extends Setting {
  batch: number;
  operators: OperatorTime[];
}

interface Event {
  cat: string;
  name: string;
  dur: number;
  args?: { op_name?: string };
}

async function measure(setting: Setting, choice: Choice): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-profile-'));
  try {
    await runProfiled(setting, choice, join(folder, 'step'));
    const [file = ''] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as Event[];
    return { ...setting, batch: choice.batch, operators: summarise(events) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runProfiled(
  { architecture, rounds }: Setting,
  { batch, threads, device }: Choice,
  profile: string,
): Promise<void> {
  const { options, training, weights, batch: data } = networkAtStart(architecture, batch);
  const session = { threads, device, profile };
  const trainer = await OnnxTrainer.create(options, training, startingFrom(weights), session);
  for (let round = 1; round <= rounds; round++) await trainer.step(data, RATE, () => round);
  await trainer.close();
}

/** The median over the rounds of every node, summed by operator. */
function summarise(events: readonly Event[]): OperatorTime[] {
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const nodes = [...Map.groupBy(kernels, (event) => event.name).values()].map((rounds) => ({
    operator: rounds[0]?.args?.op_name ?? 'unknown',
    milliseconds: median(rounds.map((event) => event.dur)) / 1000,
  }));
  const total = sum(nodes);
  return [...Map.groupBy(nodes, (node) => node.operator)]
    .map(([operator, its]) => {
      const milliseconds = sum(its);
      return { operator, nodes: its.length, milliseconds, share: milliseconds / total };
    })
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

function sum(nodes: readonly { milliseconds: number }[]): number {
  return nodes.reduce((total, { milliseconds }) => total + milliseconds, 0);
}

export const profile: Bench = {
  name: 'profile',
  about: 'time of our training step by onnxruntime operator',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, [SMALL, ...STANDARD])) {
      results.push(await measure(setting, choice));
    }
    const lines = results.flatMap(({ architecture, operators }) => [
      '',
      titleOf(architecture),
      ...operators.map(lineOf),
    ]);
    return { results, lines };
  },
};

function lineOf({ operator, nodes, milliseconds, share }: OperatorTime): string {
  const percent = `${(100 * share).toFixed(1)} %`.padStart(8);
  const time = `${milliseconds.toFixed(2).padStart(10)} ms`;
  return `  ${operator.padEnd(20)}${String(nodes).padStart(5)}${time}${percent}`;
}
