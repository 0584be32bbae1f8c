/**
 * Trains small networks on the CPU and with WebGPU, in a process that a crash may end:
 * `node webgpu-child.ts <case>`. Sends one `WebgpuResult` by IPC.
 */
import type { ArchitectureInput } from '../../../contract/architecture.ts';
import { architectureSchema } from '../../../contract/architecture.ts';
import { trainingSchema } from '../../../contract/study.ts';
import type { ModelOptions } from '../../../engine/models/model.ts';
import { buildModel, initialise } from '../../../engine/models/registry.ts';
import { RandomState } from '../../../engine/random/random-state.ts';
import type { Batch } from '../../../engine/runtime/batch.ts';
import { startingFrom } from '../../../engine/runtime/batch.ts';
import type { Comparison, Trained } from '../../../engine/runtime/devices/self-test.ts';
import { compare } from '../../../engine/runtime/devices/self-test.ts';
import type { OnnxDevice } from '../../../engine/runtime/onnx/session.ts';
import { OnnxEvaluator, OnnxTrainer } from '../../../engine/runtime/onnx/trainer.ts';

export interface WebgpuResult {
  /** After all steps, against the CPU. */
  stepped: Comparison;
  /** Carried over to another trainer half-way, by reading the state: against never carried over. */
  carried: Comparison;
  /** Largest difference of the logits in evaluation. */
  logits: number;
  /** Losses of the steps on the CPU. */
  losses: number[];
}

/** What is trained, by name. */
const CASES: Record<string, { architecture: ArchitectureInput; adam?: boolean }> = {
  'fixup-resnet10': { architecture: { name: 'fixup-resnet10', width: 4, image: 32 } },
  'resnet18 with AdamW': { architecture: { name: 'resnet18', width: 4, image: 64 }, adam: true },
};

const STEPS = 3;
const SIZE = 8;
const RATE = 0.01;

async function train(device: OnnxDevice, given: Case, carryAt: number | null): Promise<Trained> {
  const { options, training, batch } = given;
  let trainer = await OnnxTrainer.create(options, training, given.start, { device, threads: 2 });
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    losses.push((await trainer.step(batch, RATE, () => step)).loss);
    if (step !== carryAt) continue;
    const state = await trainer.state();
    await trainer.close();
    trainer = await OnnxTrainer.create(options, training, state, { device, threads: 2 });
  }
  const state = await trainer.state();
  await trainer.close();
  return { losses, state };
}

async function logitsOn(
  device: OnnxDevice,
  given: Case,
  { state }: Trained,
): Promise<Float32Array> {
  const evaluator = await OnnxEvaluator.create(given.options, { device, threads: 2 });
  await evaluator.run(state.weights, given.batch);
  const { logits } = await evaluator.run(state.weights, given.batch);
  await evaluator.close();
  return logits;
}

type Case = ReturnType<typeof caseOf>;

function caseOf({ architecture: given, adam = false }: (typeof CASES)[string]) {
  const architecture = architectureSchema.parse(given);
  const options: ModelOptions = { architecture, classes: 3, batch: SIZE };
  const random = new RandomState(5);
  const images = new Float32Array(SIZE * 3 * architecture.image ** 2).map(() => random.normal());
  const labels = Int32Array.from({ length: SIZE }, (_, i) => i % 3);
  const batch: Batch = { images, labels, size: SIZE };
  const training = trainingSchema.parse({
    epochs: 1,
    lr: { peak: RATE },
    'clip-norm': 1,
    ...(adam && { optimiser: { kind: 'adamw' } }),
  });
  const start = startingFrom(initialise(buildModel(options).parameters, 2));
  return { options, training, batch, start };
}

async function result(name: string): Promise<WebgpuResult> {
  const described = CASES[name];
  if (!described) throw new Error(`there is no case "${name}"`);
  const given = caseOf(described);
  const reference = await train('cpu', given, null);
  const stayed = await train('webgpu', given, null);
  const carried = await train('webgpu', given, 1);
  const [ours, theirs] = [
    await logitsOn('webgpu', given, stayed),
    await logitsOn('cpu', given, stayed),
  ];
  return {
    stepped: compare(stayed, reference),
    carried: compare(carried, stayed),
    logits: Math.max(...ours.map((value, i) => Math.abs(value - (theirs[i] ?? NaN)))),
    losses: reference.losses,
  };
}

process.send?.(await result(process.argv[2] ?? ''), () => process.exit(0));
