/** Whole trainings in both runtimes: every choice of optimiser, loss and frozen stages. */
import { describe, expect, test } from 'vitest';
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

const options: ModelOptions = {
  architecture: architectureSchema.parse({ name: 'fixup-resnet10', width: 3, image: 20 }),
  classes: 4,
  batch: 5,
};

/** Fixup starts its branches at zero, where many gradients vanish: every parameter is moved. */
function perturbed(seed: number): Weights {
  const random = stream(seed, 'perturbed');
  const weights = initialise(buildModel(options).parameters, seed);
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

describe.each([
  ['SGD, Nesterov', { optimiser: { nesterov: true, 'weight-decay': 5e-3 } }, 0],
  ['SGD, decoupled decay', { optimiser: { decay: 'decoupled', 'weight-decay': 0.1 } }, 0],
  ['AdamW', { optimiser: { kind: 'adamw', epsilon: 1e-3 }, 'clip-norm': 0.5 }, 0],
  ['label smoothing and rates by stage', { loss: { 'label-smoothing': 0.1 }, rate: 2.6 }, 0],
  ['two stages frozen', {}, 2],
  ['only the head, AdamW', { optimiser: { kind: 'adamw', epsilon: 1e-3 } }, 5],
] as const)(
  '%s',
  (_, { rate = 1, ...settings }: Record<string, unknown> & { rate?: number }, depth) => {
    test('steps on full, ragged and mixed batches agree with TensorFlow.js', async () => {
      const training = trainingSchema.parse({
        ...{ epochs: 1, lr: { peak: 1 }, 'fine-tuning': { 'rate-factor': rate } },
        ...settings,
      });
      const frozen = new Set(buildModel(options).stages.slice(0, depth));
      const state = startingFrom(perturbed(3));
      const given = [{ ...options, frozen }, training, state] as const;
      const ours = await OnnxTrainer.create(...given, { threads: 1, classWeights });
      const theirs = await TfjsTrainer.create(...given, { classWeights });
      try {
        const batches = [batchOf(5, 1), batchOf(2, 2), mixed(batchOf(5, 3), 0.7)];
        for (const [step, batch] of batches.entries()) {
          const at = [batch, 0.02, () => step + 1] as const;
          const [a, b] = [await ours.step(...at), await theirs.step(...at)];
          expect(a.logits).toHaveLength(batch.size * options.classes);
          expect(Math.abs(a.loss - b.loss) / a.loss).toBeLessThan(1e-4);
          expect(Math.abs(a.gradientNorm - b.gradientNorm) / a.gradientNorm).toBeLessThan(1e-3);
        }
        const [a, b] = [await ours.state(), await theirs.state()];
        expect([...b.optimiser.keys()].sort()).toEqual([...a.optimiser.keys()].sort());
        expect(disagreement(a.weights, b.weights).relative).toBeLessThan(1e-4);
        expect(disagreement(a.optimiser, b.optimiser).relative).toBeLessThan(1e-3);
        expect(disagreement(state.weights, b.weights).relative).toBeGreaterThan(1e-4);
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
