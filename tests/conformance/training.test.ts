/** Whole trainings in both runtimes: every choice of optimiser, loss and frozen stages. */
import { describe, expect, test } from 'vitest';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import { stream } from '../../engine/random/streams.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { startingFrom } from '../../engine/runtime/batch.ts';
import { OnnxEvaluator, OnnxInference, OnnxTrainer } from '../../engine/runtime/onnx/trainer.ts';
import { TfjsTrainer } from '../../engine/runtime/tfjs/trainer.ts';
import { drawMix, mixImages } from '../../engine/transforms/mixup.ts';
import { disagreement } from './support/agree.ts';

const optionsOf = (name: ArchitectureSpec['name']): ModelOptions => ({
  architecture: architectureSchema.parse({ name, width: 3, image: 20 }),
  classes: 4,
  batch: 5,
});
const options = optionsOf('fixup-resnet10');

/** Fixup starts its branches at zero, where many gradients vanish: every parameter is moved. */
function perturbed(seed: number, of = options): Weights {
  const random = stream(seed, 'perturbed');
  const weights = initialise(buildModel(of).parameters, seed);
  return new Map(
    [...weights].map(([name, data]) => [name, data.map((w) => w + random.uniform(-0.15, 0.15))]),
  );
}

function batchOf(size: number, seed: number): Batch {
  const random = stream(seed, 'batch');
  const images = new Float32Array(size * 3 * options.architecture.image ** 2);
  return {
    images: images.map(() => random.normal()),
    labels: Int32Array.from({ length: size }, () => random.randint(0, options.classes)),
    size,
  };
}

function mixed(batch: Batch, alpha: number): Batch {
  const mix = drawMix(stream(1, 'mixup'), alpha, batch.size);
  return { ...batch, images: mixImages(batch.images, mix), mix };
}

const classWeights = Float32Array.of(0.5, 1, 2, 4);

interface Case {
  title: string;
  name?: ArchitectureSpec['name'];
  training?: object;
  /** How many of the first stages. */
  frozen?: number;
}

const adamw = { kind: 'adamw', epsilon: 1e-3 };
const cases: Case[] = [
  {
    title: 'SGD, Nesterov, rates by stage',
    training: { optimiser: { nesterov: true }, 'fine-tuning': { 'rate-factor': 2.6 } },
  },
  {
    title: 'SGD, decoupled decay, smoothed labels',
    training: {
      optimiser: { decay: 'decoupled', 'weight-decay': 0.1 },
      loss: { 'label-smoothing': 0.1 },
    },
  },
  { title: 'AdamW, clipped', training: { optimiser: adamw, 'clip-norm': 0.5 } },
  { title: 'two stages frozen', frozen: 2 },
  { title: 'AdamW, only the head', training: { optimiser: adamw }, frozen: 5 },
  { title: 'BatchNorm', name: 'convnet' },
  {
    title: 'BatchNorm, AdamW, the stem frozen',
    name: 'convnet',
    training: { optimiser: adamw },
    frozen: 1,
  },
];

describe.each(cases)(
  '$title',
  ({ name = 'fixup-resnet10', training: settings, frozen: depth = 0 }) => {
    test('steps on full, ragged and mixed batches agree with TensorFlow.js', async () => {
      const training = trainingSchema.parse({ epochs: 1, lr: { peak: 1 }, ...settings });
      const given = optionsOf(name);
      const { stages, parameters } = buildModel(given);
      const frozen = new Set(stages.slice(0, depth));
      const state = startingFrom(perturbed(3, given));
      const ours = await OnnxTrainer.create({ ...given, frozen }, training, state, {
        threads: 1,
        classWeights,
      });
      const theirs = await TfjsTrainer.create({ ...given, frozen }, training, state, {
        classWeights,
      });
      try {
        const batches = [batchOf(5, 1), batchOf(2, 2), mixed(batchOf(5, 3), 0.7)];
        for (const [step, batch] of batches.entries()) {
          const at = [batch, 0.02, () => step + 1] as const;
          const [a, b] = [await ours.step(...at), await theirs.step(...at)];
          expect(a.logits).toHaveLength(batch.size * options.classes);
          expect(Math.abs(a.loss - b.loss) / a.loss).toBeLessThan(1e-4);
          expect(a.gradientNorm === null).toBe(training['clip-norm'] === undefined);
          const [norm, other] = [a.gradientNorm ?? 1, b.gradientNorm ?? 1];
          expect(Math.abs(norm - other) / norm).toBeLessThan(1e-3);
        }
        const [a, b] = [await ours.state(), await theirs.state()];
        expect([...b.optimiser.keys()].sort()).toEqual([...a.optimiser.keys()].sort());
        expect(disagreement(a.weights, b.weights).relative).toBeLessThan(1e-4);
        expect(disagreement(a.optimiser, b.optimiser).relative).toBeLessThan(1e-3);
        for (const { name: key, stage } of parameters) {
          const same = disagreement(
            new Map([['', state.weights.get(key) ?? []]]),
            new Map([['', a.weights.get(key) ?? []]]),
          );
          expect(same.relative === 0, key).toBe(frozen.has(stage));
        }
      } finally {
        await Promise.all([ours.close(), theirs.close()]);
      }
    });
  },
);

test('an example’s logits do not depend on the batch it is in, nor on how weights are given', async () => {
  const weights = perturbed(5);
  const whole = batchOf(7, 6);
  const evaluator = await OnnxEvaluator.create(options, { threads: 1 });
  const inference = await OnnxInference.create(options, weights, { threads: 1 }, ['pool']);
  try {
    const { logits } = await evaluator.run(weights, whole);
    const values = whole.images.length / 7;
    for (const [first, size] of [
      [0, 5],
      [5, 2],
      [3, 1],
    ] as const) {
      const images = whole.images.slice(first * values, (first + size) * values);
      const wanted = new Map([['logits', logits.slice(first * 4, (first + size) * 4)]]);
      const labels = whole.labels.slice(first, first + size);
      const evaluated = await evaluator.run(weights, { images, labels, size });
      const inferred = await inference.run(images, size);
      for (const { logits } of [evaluated, inferred]) {
        expect(disagreement(wanted, new Map([['logits', logits]])).relative).toBeLessThan(1e-5);
      }
      expect(inferred.taps.get('pool')).toHaveLength(size * 3 * 8);
    }
  } finally {
    await Promise.all([evaluator.close(), inference.close()]);
  }
});

test('an evaluator takes other weights at every call', async () => {
  const evaluator = await OnnxEvaluator.create(options, { threads: 1 });
  try {
    const batch = batchOf(5, 9);
    const [a, b] = [perturbed(1), perturbed(2)];
    const first = await evaluator.run(a, batch);
    expect((await evaluator.run(b, batch)).logits).not.toEqual(first.logits);
    expect((await evaluator.run(a, batch)).logits).toEqual(first.logits);
  } finally {
    await evaluator.close();
  }
});
