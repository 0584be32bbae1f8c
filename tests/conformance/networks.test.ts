import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { initialise } from '../../engine/models/registry.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { targetsOf } from '../../engine/runtime/batch.ts';
import { OnnxSession } from '../../engine/runtime/onnx/session.ts';
import { OnnxEvaluator, OnnxTrainer } from '../../engine/runtime/onnx/trainer.ts';
import { tfjsForward, tfjsLossAndGradients } from '../../engine/runtime/tfjs/runtime.ts';
import { TfjsTrainer } from '../../engine/runtime/tfjs/trainer.ts';
import {
  GRADIENT,
  buildForwardLoss,
  buildInference,
  buildLossAndGradients,
} from '../../engine/train/step.ts';
import { disagreement } from './support/agree.ts';
import { onAKink } from './support/kinks.ts';
import { runOnnx } from './support/single.ts';

const TOLERANCE = 1e-4;

/** Fixup starts its branches at zero, where many gradients vanish: every parameter is moved. */
function perturbed(options: ModelOptions, seed: number): Weights {
  const weights = initialise(buildForwardLoss(options).parameters, seed);
  const random = new RandomState(seed);
  return new Map(
    [...weights].map(([name, data]) => [name, data.map((w) => w + random.uniform(-0.15, 0.15))]),
  );
}

/** Normal images, random labels, and a last batch that is not full. */
function randomBatch({ architecture, classes, batch }: ModelOptions, seed: number): Batch {
  const random = new RandomState(seed);
  const images = new Float32Array(batch * architecture.channels * architecture.image ** 2);
  return {
    images: images.map(() => random.normal()),
    labels: Int32Array.from({ length: batch }, () => random.randint(0, classes)),
    size: random.randint(1, batch + 1),
  };
}

const networks = (name: ArchitectureSpec['name']): fc.Arbitrary<ModelOptions> =>
  fc.record({
    architecture: fc.record({
      name: fc.constant(name),
      width: fc.integer({ min: 2, max: 5 }),
      image: fc.integer({ min: 16, max: 35 }),
      stem: fc.constantFrom('small', 'imagenet'),
      channels: fc.constantFrom(1, 3),
      dialect: fc.constant('torchvision'),
    }),
    classes: fc.integer({ min: 2, max: 6 }),
    batch: fc.integer({ min: 1, max: 4 }),
  });

const seeds = fc.integer({ min: 0, max: 0xfffffff0 });

test.each([
  ['fixup-resnet10', 8],
  ['fixup-resnet18', 3],
  ['fixup-resnet50', 3],
] as const)('%s: loss and every gradient agree', async (name, numRuns) => {
  const property = fc.asyncProperty(networks(name), seeds, async (options, seed) => {
    const weights = perturbed(options, seed);
    const batch = randomBatch(options, seed);
    const feeds = new Map([
      ...weights,
      ['images', batch.images] as const,
      ...Object.entries(targetsOf(batch, options)),
    ]);
    fc.pre(!(await onAKink(buildForwardLoss(options).graph, feeds)));

    const { graph, parameters } = buildLossAndGradients(options);
    const ours = await runOnnx(graph, feeds);
    const theirs = await tfjsLossAndGradients(options, weights, batch);

    const loss = ours.get('loss')?.[0] as number;
    expect(Math.abs(loss - theirs.loss) / Math.abs(loss)).toBeLessThan(TOLERANCE);
    const gradients = new Map(
      parameters.map((p) => [p.name, ours.get(GRADIENT + p.name) as Float32Array]),
    );
    expect([...theirs.gradients.keys()].sort()).toEqual([...gradients.keys()].sort());
    const worst = disagreement(gradients, theirs.gradients);
    expect(worst.relative, worst.name).toBeLessThan(TOLERANCE);
  });
  await fc.assert(property, { numRuns });
});

test('whole training steps agree: momentum, weight decay, multipliers, clipping', async () => {
  const property = fc.asyncProperty(networks('fixup-resnet10'), seeds, async (options, seed) => {
    const weights = perturbed(options, seed);
    const momentum = new Map([...weights].map(([name, w]) => [name, new Float32Array(w.length)]));
    const training = trainingSchema.parse({
      epochs: 1,
      optimiser: { 'weight-decay': 5e-3 },
      lr: { peak: 1 },
      'clip-norm': 0.25,
    });
    const ours = await OnnxTrainer.create(options, training, { weights, momentum }, 1);
    const theirs = await TfjsTrainer.create(options, training, { weights, momentum });
    try {
      for (const rate of [0.02, 0.01]) {
        const batch = randomBatch(options, seed + rate * 100);
        const [a, b] = [await ours.step(batch, rate), await theirs.step(batch, rate)];
        expect(Math.abs(a.loss - b.loss) / a.loss).toBeLessThan(TOLERANCE);
        expect(Math.abs(a.gradientNorm - b.gradientNorm) / a.gradientNorm).toBeLessThan(1e-3);
      }
      const [a, b] = [ours.state(), await theirs.state()];
      expect(disagreement(a.weights, b.weights).relative).toBeLessThan(TOLERANCE);
      expect(disagreement(weights, b.weights).relative).toBeGreaterThan(TOLERANCE);
    } finally {
      await Promise.all([ours.close(), theirs.close()]);
    }
  });
  await fc.assert(property, { numRuns: 4 });
});

test('inference: logits and taps agree, with weights as inputs or compiled in as constants', async () => {
  const architecture = architectureSchema.parse({ name: 'fixup-resnet10', width: 4, image: 24 });
  const options: ModelOptions = { architecture, classes: 5, batch: 3 };
  const weights = perturbed(options, 11);
  const batch = { ...randomBatch(options, 12), size: 3 };
  const { graph } = buildInference(options, ['layer1.0', 'pool']);
  const images = new Map([['images', batch.images]]);
  const wanted = await tfjsForward(graph, new Map([...weights, ...images]));
  const session = await OnnxSession.create(graph, { threads: 1 });
  const constant = await OnnxSession.create(graph, { threads: 1, fixed: weights });
  const evaluator = await OnnxEvaluator.create(options, 1);
  const found = await session.run(new Map([...weights, ...images]));
  const foundConstant = await constant.run(images);
  expect([...found.keys()].sort()).toEqual(['layer1.0', 'logits', 'pool']);
  for (const outputs of [found, foundConstant]) {
    expect(disagreement(wanted, outputs).relative).toBeLessThan(TOLERANCE);
  }
  expect((await evaluator.run(weights, batch)).logits).toEqual(found.get('logits'));
  for (const each of [session, constant, evaluator]) await each.close();
});
