/** Where our training step's time goes: onnxruntime's own profile, summed by operator. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import type { ArchitectureSpec } from '../contract/architecture.ts';
import { targetsOf } from '../engine/runtime/batch.ts';
import { compileToOnnx } from '../engine/runtime/onnx/compile.ts';
import { MOMENTUM, buildTrainingStep } from '../engine/train/step.ts';
import { RATE } from './competitors.ts';
import { settingOf } from './setting.ts';
import { median } from './train-step.ts';

export interface OperatorTime {
  operator: string;
  /** Nodes of this operator in one step. */
  nodes: number;
  /** Of one step. */
  milliseconds: number;
  /** Of the sum over all operators. */
  share: number;
}

interface Event {
  cat: string;
  name: string;
  dur: number;
  args?: { op_name?: string };
}

export async function profileTrainStep(
  architecture: ArchitectureSpec,
  batch: number,
  rounds: number,
): Promise<OperatorTime[]> {
  const folder = await mkdtemp(join(tmpdir(), 'carryover-profile-'));
  try {
    await runProfiled(architecture, batch, rounds, join(folder, 'step'));
    const [file = ''] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as Event[];
    return summarise(events);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runProfiled(
  architecture: ArchitectureSpec,
  batch: number,
  rounds: number,
  profileFilePrefix: string,
): Promise<void> {
  const { options, training, start, batch: data } = settingOf(architecture, batch);
  const { graph } = buildTrainingStep(options, training);
  const session = await ort.InferenceSession.create(compileToOnnx(graph), {
    executionProviders: ['cpu'],
    intraOpNumThreads: cpus().length,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'extended',
    enableProfiling: true,
    profileFilePrefix,
    logSeverityLevel: 3,
  });
  const momentum = [...start.momentum].map(([name, m]) => [MOMENTUM + name, m] as const);
  const arrays = new Map<string, Float32Array>([
    ...start.weights,
    ...momentum,
    ...Object.entries(targetsOf(data, options)),
    ['images', data.images],
    ['learningRate', Float32Array.of(RATE)],
  ]);
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, shape } of [...graph.inputs, ...graph.parameters]) {
    feeds[name] = new ort.Tensor('float32', arrays.get(name) as Float32Array, shape);
  }
  for (let round = 0; round < rounds; round++) await session.run(feeds);
  session.endProfiling();
  await session.release();
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
