/**
 * Whether a device may be trusted with a training: the same steps of small networks on it and on
 * the CPU, compared number by number (docs/devices.md).
 */
import { availableParallelism } from 'node:os';
import type { ArchitectureInput } from '../../../contract/architecture.ts';
import { architectureSchema } from '../../../contract/architecture.ts';
import type { DeviceId, SelfTest } from '../../../contract/devices.ts';
import type { Training } from '../../../contract/study.ts';
import { trainingSchema } from '../../../contract/study.ts';
import { sizeOf } from '../../graph/types.ts';
import type { ModelOptions, ParameterSpec } from '../../models/model.ts';
import type { Weights } from '../../models/registry.ts';
import { buildModel, initialise } from '../../models/registry.ts';
import { stream } from '../../random/streams.ts';
import type { Batch, TrainingState } from '../batch.ts';
import { startingFrom } from '../batch.ts';
import { TfjsTrainer } from '../tfjs/trainer.ts';
import type { Trainer } from './trainer.ts';
import { createTrainer } from './trainer.ts';

/**
 * Largest relative difference that passes. Single precision leaves about 1e-5 after these steps; a
 * float16 or TF32 product leaves about 1e-2, a wrong kernel 1.
 */
export const TOLERANCE = 5e-3;

const SMALL: readonly ArchitectureInput[] = [
  { name: 'fixup-resnet10', width: 4, image: 32 },
  // Smaller images would leave BatchNorm's last variances to a handful of values, which magnify
  // what any two devices differ by.
  { name: 'resnet18', width: 4, image: 64 },
];
const SMALL_BATCH = 8;
const SMALL_STEPS = 2;
/** Large enough that arithmetic and not the calling of kernels takes the time. */
const TIMED: ArchitectureInput = { name: 'resnet18', image: 64 };
const TIMED_BATCH = 16;
const TIMED_STEPS = 5;
/** No further step is timed after this. */
const TIMED_MILLISECONDS = 5_000;
/** A device that takes this long for a step of a small network would take minutes for the timed one. */
const HOPELESS_MILLISECONDS = 250;
const CLASSES = 4;
const RATE = 0.01;

const training: Training = trainingSchema.parse({ epochs: 1, lr: { peak: RATE } });

export interface Comparison {
  difference: number;
  /** The number that differs most: `loss`, or a tensor of the state. */
  worst: string;
}

export interface Finding {
  selfTest: SelfTest;
  worst: string;
  /** Milliseconds of a step of a small network, when that is too slow for anything larger. */
  hopeless: number | null;
}

/**
 * Tests a device against the CPU; the CPU itself against TensorFlow.js's own differentiation.
 * @param tell is given the phase, for people
 */
export async function selfTest(device: DeviceId, tell: (phase: string) => void): Promise<Finding> {
  const against = device === 'cpu' ? "TensorFlow.js's" : "the CPU's";
  let found: Comparison = { difference: 0, worst: 'nothing' };
  let quickest = Infinity;
  for (const architecture of SMALL) {
    tell(`${architecture.name} against ${against} result`);
    const options = optionsOf(architecture, SMALL_BATCH);
    const here = await trained(await on(device, options), options);
    const there = await trained(await reference(device, options), options);
    found = worse(found, compare(here, there));
    quickest = Math.min(quickest, here.milliseconds);
  }
  const passed = found.difference <= TOLERANCE;
  const hopeless = quickest > HOPELESS_MILLISECONDS ? quickest : null;
  if (passed && hopeless === null) tell('timing a step of resnet18');
  const milliseconds = passed && hopeless === null ? await time(device) : null;
  const difference = Number.isFinite(found.difference) ? found.difference : null;
  const selfTest = { passed, difference, tolerance: TOLERANCE, milliseconds };
  return { selfTest, worst: found.worst, hopeless };
}

function optionsOf(architecture: ArchitectureInput, batch: number): ModelOptions {
  return { architecture: architectureSchema.parse(architecture), classes: CLASSES, batch };
}

function reference(device: DeviceId, options: ModelOptions): Promise<Trainer> {
  if (device !== 'cpu') return on('cpu', options);
  return TfjsTrainer.create(options, training, startOf(options));
}

function on(device: DeviceId, options: ModelOptions): Promise<Trainer> {
  const threads = availableParallelism();
  return createTrainer(options, training, startOf(options), { device, threads });
}

export interface Trained {
  losses: number[];
  state: TrainingState;
}

async function trained(
  trainer: Trainer,
  { architecture }: ModelOptions,
): Promise<Trained & { milliseconds: number }> {
  const batch = batchOf(SMALL_BATCH, architecture.image);
  const losses: number[] = [];
  let milliseconds = NaN;
  try {
    for (let step = 1; step <= SMALL_STEPS; step++) {
      const began = performance.now();
      losses.push((await trainer.step(batch, RATE, () => step)).loss);
      milliseconds = performance.now() - began;
    }
    return { losses, state: await trainer.state(), milliseconds };
  } finally {
    await trainer.close();
  }
}

/** Largest relative difference of losses, weights, running statistics and momenta (the gradients). */
export function compare(found: Trained, reference: Trained): Comparison {
  const arrays = ({ losses, state }: Trained): [string, Float32Array][] => [
    ['loss', Float32Array.from(losses)],
    ...state.weights,
    ...state.optimiser,
  ];
  const expected = new Map(arrays(reference));
  return arrays(found)
    .map(([worst, array]) => ({
      worst,
      difference: relativeDifference(array, expected.get(worst) ?? new Float32Array()),
    }))
    .reduce(worse);
}

/** max |a - b| / max |b|; not a number counts as infinite. */
function relativeDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  let [gap, scale] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    const distance = Math.abs((a[i] as number) - (b[i] as number));
    gap = Math.max(gap, Number.isNaN(distance) ? Infinity : distance);
    scale = Math.max(scale, Math.abs(b[i] as number));
  }
  return gap === 0 ? 0 : gap / scale;
}

function worse(a: Comparison, b: Comparison): Comparison {
  return b.difference > a.difference ? b : a;
}

/** Median milliseconds of a step. The first is not counted, unless it alone takes the time there is. */
async function time(device: DeviceId): Promise<number> {
  const options = optionsOf(TIMED, TIMED_BATCH);
  const trainer = await on(device, options);
  const batch = batchOf(TIMED_BATCH, options.architecture.image);
  const times: number[] = [];
  try {
    let spent = 0;
    for (let step = 0; step <= TIMED_STEPS && spent < TIMED_MILLISECONDS; step++) {
      const began = performance.now();
      await trainer.step(batch, RATE, () => step + 1);
      const took = performance.now() - began;
      spent += took;
      times.push(took);
    }
  } finally {
    await trainer.close();
  }
  const counted = (times.length > 1 ? times.slice(1) : times).sort((a, b) => a - b);
  return counted[Math.floor(counted.length / 2)] ?? NaN;
}

/** A random start in which nothing is 0 or 1 by rule, so that every gradient is alive. */
function startOf(options: ModelOptions): TrainingState {
  const { parameters } = buildModel(options);
  const drawn = initialise(parameters, 0);
  return startingFrom(new Map(parameters.map((spec) => [spec.name, alive(spec, drawn)])));
}

function alive({ name, shape, initialiser }: ParameterSpec, drawn: Weights): Float32Array {
  const values = drawn.get(name) ?? new Float32Array(sizeOf(shape));
  if (initialiser.kind !== 'constant') return values;
  const random = stream(0, 'self-test', name);
  return values.map((value) => value + random.uniform(-0.1, 0.1));
}

function batchOf(size: number, image: number): Batch {
  const random = stream(0, 'self-test', 'images', image);
  const images = Float32Array.from({ length: size * 3 * image * image }, () => random.normal());
  return { images, labels: Int32Array.from({ length: size }, (_, i) => i % CLASSES), size };
}
