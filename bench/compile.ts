/** Seconds from an architecture's name to a session that trains it, part by part. */
import { buildModel } from '../engine/models/registry.ts';
import { blockSize } from '../engine/runtime/onnx/block-size.ts';
import { compileGraph } from '../engine/runtime/onnx/compile.ts';
import { OnnxSession } from '../engine/runtime/onnx/session.ts';
import { buildLossAndGradients, buildTrainingStep } from '../engine/train/step.ts';
import type { Bench, Choice, Setting } from './bench.ts';
import { chosen, median, networkOf, timed, titleOf } from './bench.ts';
import { networkAtStart } from './network.ts';

const SETTINGS: readonly Setting[] = [
  { architecture: networkOf('resnet50', 64), rounds: 7 },
  { architecture: networkOf('resnet18', 64), rounds: 7 },
  { architecture: networkOf('densenet121', 64), rounds: 7 },
];

const PARTS = ['model', 'gradients', 'update', 'encoding', 'session'] as const;
type Part = (typeof PARTS)[number];

interface Result extends Setting {
  batch: number;
  nodes: number;
  bytes: number;
  /** Medians. `model`, `gradients` and `update` are what each adds to the one before. */
  seconds: Record<Part, number>;
  /** Of graph (model, gradients and update), encoding and session together: median, and the first. */
  total: number;
  first: number;
  rounds: number;
}

/** Creating a session encodes the graph too: its own time is what is over the encoding's. */
async function once(setting: Setting, { batch, threads, device }: Choice) {
  const { options, training } = networkAtStart(setting.architecture, batch);
  const model = await timed(async () => buildModel(options));
  const gradients = await timed(async () => buildLossAndGradients(options));
  const step = await timed(async () => buildTrainingStep(options, training));
  const { graph } = step.result;
  const created = await timed(() => OnnxSession.create(graph, { threads, device }));
  await created.result.close();
  const portable = device !== 'cpu';
  const block = portable ? 0 : await blockSize();
  const encoded = await timed(async () => compileGraph(graph, { portable, block }));
  return {
    seconds: {
      model: model.seconds,
      gradients: Math.max(0, gradients.seconds - model.seconds),
      update: Math.max(0, step.seconds - gradients.seconds),
      encoding: encoded.seconds,
      session: Math.max(0, created.seconds - encoded.seconds),
    },
    total: step.seconds + created.seconds,
    bytes: encoded.result.model.length,
    nodes: graph.values.length,
  };
}

async function measure(setting: Setting, choice: Choice): Promise<Result> {
  const rounds: Awaited<ReturnType<typeof once>>[] = [];
  for (let round = 0; round < setting.rounds; round++) rounds.push(await once(setting, choice));
  const middle = (part: Part): number => median(rounds.map(({ seconds }) => seconds[part]));
  return {
    ...setting,
    batch: choice.batch,
    nodes: rounds[0]?.nodes ?? 0,
    bytes: rounds[0]?.bytes ?? 0,
    seconds: Object.fromEntries(PARTS.map((part) => [part, middle(part)])) as Result['seconds'],
    total: median(rounds.map(({ total }) => total)),
    first: rounds[0]?.total ?? NaN,
  };
}

export const compile: Bench = {
  name: 'compile',
  about: 'seconds from an architecture to a session that trains it',
  async run(choice) {
    const results: Result[] = [];
    for (const setting of chosen(choice, SETTINGS)) results.push(await measure(setting, choice));
    const lines = results.flatMap(
      ({ architecture, batch, seconds, total, first, nodes, bytes }) => [
        '',
        `${titleOf(architecture)}, batch ${batch}: ${total.toFixed(2)} s (first ${first.toFixed(2)} s)`,
        `  ${PARTS.map((part) => `${part} ${(1000 * seconds[part]).toFixed(0)} ms`).join(', ')}`,
        `  ${nodes} values in the graph, ${(bytes / 2 ** 20).toFixed(1)} MiB encoded`,
      ],
    );
    return { results, lines };
  },
};
