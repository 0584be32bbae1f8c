import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import type { EpochMetrics } from '../../contract/runs.ts';
import type { CarryoverError } from '../../contract/errors.ts';
import { trainingSchema } from '../../contract/study.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import { startingFrom } from '../../engine/runtime/batch.ts';
import type { BatchSource, TrainingPoint, TrainingRun } from '../../engine/train/loop.ts';
import { startPoint, trainRun } from '../../engine/train/loop.ts';
import type { TestSource } from './train-support.ts';
import { blobs } from './train-support.ts';

const options: ModelOptions = {
  architecture: architectureSchema.parse({ name: 'fixup-resnet10', width: 2, image: 48 }),
  classes: 3,
  batch: 4,
};
const STEPS = 3;
const COUNT = 10; // the last batch has two images

function fresh(of = options): TrainingPoint {
  return startPoint(startingFrom(initialise(buildModel(of).parameters, 2)));
}

interface Trace {
  curve: EpochMetrics[];
  points: TrainingPoint[];
  phases: string[];
  train: TestSource;
}

/** Trains, keeping all that is reported; stops after `stopAfter` steps. */
async function trained(training: object, given: Partial<TrainingRun> = {}, stopAfter = Infinity) {
  const train = blobs(COUNT, options);
  const trace: Trace = { curve: [], points: [], phases: [], train };
  let steps = 0;
  const outcome = await trainRun({
    options,
    training: trainingSchema.parse({ epochs: 3, lr: { peak: 0.05 }, ...training }),
    train,
    validation: null,
    test: null,
    session: { threads: 1 },
    from: fresh(),
    hooks: {
      onPhase: (epoch, { image, frozen }) =>
        trace.phases.push(`${epoch}: ${image} px, ${frozen.size} frozen`),
      onStep: () => (steps += 1),
      onEpoch: async (metrics, next) => {
        trace.curve.push(metrics);
        trace.points.push(next);
      },
      shouldStop: () => steps >= stopAfter,
      onStop: async (point) => void trace.points.push(point),
    },
    ...given,
  });
  return { ...trace, outcome };
}

function bytes(weights: Weights | undefined): Buffer {
  const parts = [...(weights ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, data]) => data);
  return Buffer.concat(parts.map((p) => new Uint8Array(p.buffer, p.byteOffset, p.byteLength)));
}

const timeless = (metrics: EpochMetrics) => ({ ...metrics, seconds: 0 });

const practice = {
  optimiser: { kind: 'adamw' },
  lr: { peak: 0.01, schedule: 'one-cycle' },
  'fine-tuning': { 'unfreeze-every': 1, 'rate-factor': 1.5 },
  'image-sizes': [
    { from: 1, image: 32 },
    { from: 3, image: 48 },
  ],
};

describe('phases', () => {
  test('each has its own step and image side; the state is carried over', async () => {
    const { phases, train, curve, outcome } = await trained(practice);
    expect(phases).toEqual(['1: 32 px, 5 frozen', '2: 32 px, 4 frozen', '3: 48 px, 3 frozen']);
    expect(train.asked).toEqual([
      { epoch: 1, first: 0, image: 32 },
      { epoch: 2, first: 0, image: 32 },
      { epoch: 3, first: 0, image: 48 },
    ]);
    expect(curve.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
    expect(outcome?.train.accuracy).toBe(curve.at(-1)?.trainAccuracy);
  });

  test('frozen stages keep their start, bit for bit; those that joined do not', async () => {
    const { outcome } = await trained(practice);
    const { parameters } = buildModel(options);
    const start = fresh().state.weights;
    const moved = new Set(
      parameters
        .filter(({ name }) => {
          const [a, b] = [start.get(name), outcome?.weights.get(name)];
          return !a || !b || a.some((value, i) => value !== b[i]);
        })
        .map(({ stage }) => stage),
    );
    expect([...moved].sort()).toEqual(['head', 'layer3', 'layer4']);
  });

  test('a step without a change of phase is not compiled again', async () => {
    expect((await trained({})).phases).toEqual(['1: 48 px, 0 frozen']);
  });
});

test('where stages are frozen, each below the head learns 2.6 times more slowly; 1 is alike', async () => {
  const [unsaid, fastai, alike] = await Promise.all(
    [{}, { 'rate-factor': 2.6 }, { 'rate-factor': 1 }].map(async (factor) => {
      const tuning = { 'fine-tuning': { 'freeze-to': 'layer3', ...factor } };
      return bytes((await trained({ epochs: 1, ...tuning })).outcome?.weights);
    }),
  );
  expect(unsaid?.equals(fastai!)).toBe(true);
  expect(unsaid?.equals(alike!)).toBe(false);
  const plain = async (training: object) =>
    bytes((await trained({ epochs: 1, ...training })).outcome?.weights);
  expect(await plain({})).toEqual(await plain({ 'fine-tuning': { 'rate-factor': 1 } }));
});

describe('a stopped training goes on bit for bit', () => {
  // In the middle of an epoch, at its end (where the next phase begins), and in the last one.
  test.each([2, STEPS, STEPS + 1, 2 * STEPS, 3 * STEPS - 1])(
    'after %i steps',
    async (stopAfter) => {
      const whole = await trained(practice);
      const first = await trained(practice, {}, stopAfter);
      expect(first.outcome).toBeNull();
      const from = structuredClone(first.points.at(-1)) as TrainingPoint;
      const rest = await trained(practice, { from });
      const curve = [...first.curve, ...rest.curve];
      expect(curve.map(timeless)).toEqual(whole.curve.map(timeless));
      expect(bytes(rest.outcome?.weights).equals(bytes(whole.outcome?.weights))).toBe(true);
      const [a, b] = [rest, whole].map(({ points }) => bytes(points.at(-1)?.state.optimiser));
      expect(a?.equals(b as Buffer)).toBe(true);
    },
  );
});

test('running statistics go on bit for bit, too', async () => {
  const architecture = architectureSchema.parse({ name: 'convnet', width: 4, image: 48 });
  const withBatchNorm = { options: { ...options, architecture } };
  const fromStart = { ...withBatchNorm, from: fresh(withBatchNorm.options) };
  const tuning = { 'fine-tuning': { 'unfreeze-every': 1 } };
  const whole = await trained(tuning, fromStart);
  const first = await trained(tuning, fromStart, STEPS + 2);
  const from = structuredClone(first.points.at(-1)) as TrainingPoint;
  const rest = await trained(tuning, { ...withBatchNorm, from });
  expect(bytes(rest.outcome?.weights).equals(bytes(whole.outcome?.weights))).toBe(true);
  const [mean, start] = [whole.outcome?.weights, fromStart.from.state.weights].map((weights) =>
    weights?.get('block3.bn.running_mean'),
  );
  expect(mean).not.toEqual(start);
});

describe('validation', () => {
  const validation = blobs(7, options, 8);
  // Learns enough in three epochs for false labels to be worse than the start.
  const quick = {
    epochs: 12,
    optimiser: { kind: 'adamw' },
    lr: { peak: 0.03 },
    'early-stopping': { patience: 2 },
  };

  test('is reported after every epoch, evaluated or not', async () => {
    const { curve } = await trained({ 'evaluate-every': 2 }, { validation, test: validation });
    expect(curve.map(({ validationLoss }) => validationLoss !== null)).toEqual(Array(4).fill(true));
    expect(curve.map(({ testLoss }) => testLoss !== null)).toEqual([true, false, true, true]);
    expect(curve[3]?.validationLoss).toBe(curve[3]?.testLoss);
    expect(curve[3]?.validationAccuracy).toBe(curve[3]?.testAccuracy);
  });

  test('without one nothing is reported', async () => {
    const { curve, outcome } = await trained({});
    expect(curve.every(({ validationLoss }) => validationLoss === null)).toBe(true);
    expect(outcome?.validation).toBeNull();
  });

  test('early stopping ends the run, and the best weights are the outcome', async () => {
    const lured = worsening(validation, 3);
    const { curve, outcome, points } = await trained(quick, { validation: lured });
    expect(curve).toHaveLength(1 + 5);
    expect(outcome).toMatchObject({ epoch: 3, lastEpoch: 5 });
    expect(bytes(outcome?.weights).equals(bytes(points[3]?.state.weights))).toBe(true);
    expect(bytes(outcome?.weights).equals(bytes(points[5]?.state.weights))).toBe(false);
    expect(outcome?.train.accuracy).toBe(curve[3]?.trainAccuracy);
    expect(points[5]?.best).toMatchObject({ epoch: 3, loss: curve[3]?.validationLoss });
  });

  test('a resumed run knows the best of before, and does not train past its end', async () => {
    const lured = worsening(validation, 3);
    const whole = await trained(quick, { validation: lured });
    const from = structuredClone(whole.points[4]) as TrainingPoint;
    const rest = await trained(quick, { validation: worsening(validation, 3, 5), from });
    expect(rest.curve.map(({ epoch }) => epoch)).toEqual([5]);
    expect(bytes(rest.outcome?.weights).equals(bytes(whole.outcome?.weights))).toBe(true);
    const over = await trained(quick, { validation, from: whole.points[5]! });
    expect(over.curve).toEqual([]);
    expect(over.outcome).toMatchObject({ epoch: 3, lastEpoch: 5 });
    expect(bytes(over.outcome?.weights).equals(bytes(whole.outcome?.weights))).toBe(true);
  });

  test('early stopping never looks at the test side', async () => {
    const test = worsening(validation, 1);
    const { outcome } = await trained({ ...quick, epochs: 4 }, { validation, test });
    const other = await trained({ ...quick, epochs: 4 }, { validation, test: null });
    expect(outcome?.epoch).toBeGreaterThan(1);
    expect(outcome?.epoch).toBe(other.outcome?.epoch);
    expect(outcome?.lastEpoch).toBe(other.outcome?.lastEpoch);
  });

  test('early stopping without a validation side is refused', async () => {
    await expect(trained(quick)).rejects.toThrow('early stopping needs a validation split');
  });
});

/** Evaluates as `source` until evaluation `last` (counted from `first`), then with false labels. */
function worsening(source: BatchSource, last: number, first = 0): BatchSource {
  let evaluations = first;
  return {
    ...source,
    async *evaluation() {
      const wrong = evaluations++ > last;
      for await (const batch of source.evaluation()) {
        yield wrong ? { ...batch, labels: batch.labels.map((label) => (label + 1) % 3) } : batch;
      }
    },
  };
}

test('a loss that is not finite names the step, the images and the rate', async () => {
  const train = blobs(COUNT, options);
  const poisoned: BatchSource = {
    ...train,
    async *training(epoch, first, image) {
      let step = first;
      for await (const batch of train.training(epoch, first, image)) {
        step += 1;
        yield epoch === 2 && step === 3
          ? { ...batch, images: batch.images.fill(NaN), ids: [41, 42] }
          : batch;
      }
    },
  };
  await expect(trained({}, { train: poisoned })).rejects.toMatchObject({
    code: 'bad-input',
    message: 'the loss is NaN in epoch 2, step 3, at learning rate 0.05, on images 41, 42',
    detail: { images: [41, 42] },
  });
});

describe('a training whose last step breaks is no result', () => {
  const options10 = { ...options, batch: COUNT };
  const ids = Array.from({ length: COUNT }, (_, id) => id);
  // Of weights near the largest number only the logits break.
  const extremes: [number, RegExp][] = [
    [1e38, /^a logit is NaN after epoch 1, step 1, at learning rate 1e\+38, on images \d/],
    [
      1e39,
      /^a value of ".+" is (NaN|-?Infinity) after epoch 1, step 1, at learning rate 1e\+39, on/,
    ],
  ];

  test.each(
    extremes.flatMap((extreme) =>
      [{ epochs: 1 }, { epochs: 5, 'early-stopping': { patience: 1 } }].map(
        (training) => [...extreme, training] as const,
      ),
    ),
  )('at rate %d (%s), %j', async (peak, message, training) => {
    const epochs: number[] = [];
    const hooks = {
      onStep: () => undefined,
      onEpoch: async ({ epoch }: EpochMetrics) => void epochs.push(epoch),
      shouldStop: () => false,
      onStop: async () => undefined,
    };
    const failure = await trained(
      { ...training, lr: { peak } },
      {
        ...{ options: options10, train: blobs(COUNT, options10), from: fresh(options10) },
        ...{ validation: blobs(7, options10, 8), hooks },
      },
    ).catch((error: unknown) => error as CarryoverError);
    expect(failure).toMatchObject({ code: 'bad-input', message: expect.stringMatching(message) });
    const { detail } = failure as CarryoverError;
    expect([...(detail.images ?? [])].sort((a, b) => a - b)).toEqual(ids);
    expect(epochs).toEqual([0]);
  });

  test('nor are weights that are broken from the start', async () => {
    const from = fresh();
    from.state.weights.get('fc.weight')?.fill(NaN);
    await expect(trained({}, { from })).rejects.toThrow(
      'a logit is NaN where this training begins',
    );
  });
});

test('class weights and label smoothing change what is learnt', async () => {
  const plain = await trained({});
  const smoothed = await trained({ loss: { 'label-smoothing': 0.2 } });
  const session = { threads: 1, classWeights: Float32Array.of(1, 5, 1) };
  const weighted = await trained({}, { session });
  const losses = [plain, smoothed, weighted].map(({ curve }) => curve.at(-1)?.trainLoss);
  expect(new Set(losses).size).toBe(3);
});
