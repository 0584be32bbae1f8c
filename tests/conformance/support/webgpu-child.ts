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
import type { Batch, TrainingState } from '../../../engine/runtime/batch.ts';
import { startingFrom } from '../../../engine/runtime/batch.ts';
import type { Comparison, Trained } from '../../../engine/runtime/devices/self-test.ts';
import { compare } from '../../../engine/runtime/devices/self-test.ts';
import type { OnnxDevice } from '../../../engine/runtime/onnx/session.ts';
import { OnnxEvaluator, OnnxTrainer } from '../../../engine/runtime/onnx/trainer.ts';

export interface WebgpuResult {
  /** After all steps, against the CPU. */
  stepped: Comparison;
  /** Carried over to another trainer half-way, by reading the state: against never carried over. */
  carried: Comparison | null;
  /** Largest difference of the logits in evaluation. */
  logits: number;
  /** Losses of the steps on the CPU. */
  losses: number[];
}

/** What is trained, by name. Carried over is what has the larger state; shaders take most of a test. */
const CASES: Record<string, { architecture: ArchitectureInput; adam?: boolean }> = {
  'fixup-resnet10': {
    architecture: { name: 'fixup-resnet10', width: 4, image: 16, stem: 'imagenet' },
  },
  'convnet with AdamW': { architecture: { name: 'convnet', width: 4, image: 16 }, adam: true },
};

const STEPS = 2;
const SIZE = 4;
const RATE = 0.01;

/** Trains from after step `done`; reads the state after every step, which leaves it on the device. */
async function train(
  device: OnnxDevice,
  { options, training, batch, start }: Case,
  { done, states }: { done: number; states: TrainingState[] } = { done: 0, states: [] },
) {
  const from = states[done - 1] ?? start;
  const trainer = await OnnxTrainer.create(options, training, from, { device, threads: 2 });
  const losses: number[] = [];
  const reached: TrainingState[] = [];
  for (let step = done + 1; step <= STEPS; step++) {
    losses.push((await trainer.step(batch, RATE, () => step)).loss);
    reached.push(await trainer.state());
  }
  await trainer.close();
  return { losses, states: reached };
}

const endOf = ({ losses, states }: { losses: number[]; states: TrainingState[] }): Trained => ({
  losses: losses.slice(-1),
  state: states.at(-1) as TrainingState,
});

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
  const { adam = false } = described;
  const given = caseOf(described);
  const reference = await train('cpu', given);
  const whole = await train('webgpu', given);
  const carried = adam ? await train('webgpu', given, { done: 1, states: whole.states }) : null;
  const stayed = endOf(whole);
  const [ours, theirs] = [
    await logitsOn('webgpu', given, stayed),
    await logitsOn('cpu', given, stayed),
  ];
  return {
    stepped: compare(stayed, endOf(reference)),
    carried: carried && compare(endOf(carried), stayed),
    logits: Math.max(...ours.map((value, i) => Math.abs(value - (theirs[i] ?? NaN)))),
    losses: reference.losses,
  };
}

process.send?.(await result(process.argv[2] ?? ''), () => process.exit(0));
