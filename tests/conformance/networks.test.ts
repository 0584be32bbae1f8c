/** Every architecture: onnxruntime, TensorFlow.js and finite differences in double precision. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ArchitectureName, ArchitectureSpec } from '../../contract/architecture.ts';
import { ARCHITECTURES, ARCHITECTURE_DEFAULTS } from '../../contract/architecture.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import type { ModelOptions, ParameterSpec } from '../../engine/models/model.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { targetsOf } from '../../engine/runtime/batch.ts';
import { OnnxSession } from '../../engine/runtime/onnx/session.ts';
import { tfjsForward, tfjsLossAndGradients } from '../../engine/runtime/tfjs/runtime.ts';
import {
  GRADIENT,
  UPDATED,
  buildForwardLoss,
  buildInference,
  buildLossAndGradients,
  trainedParameters,
} from '../../engine/train/step.ts';
import { disagreement } from './support/agree.ts';
import { slopeAlong } from './support/float64.ts';
import { onAKink } from './support/kinks.ts';
import { runOnnx } from './support/single.ts';

const TOLERANCE = 1e-4;
/** Of gradients: through BatchNorm rounding grows on the way back; a wrong rule is off by far more. */
const gradientTolerance = (name: string): number => (name.startsWith('fixup') ? TOLERANCE : 1e-3);
const SLOPE_TOLERANCE = 1e-3;

/**
 * Fixup starts its branches at zero, where many gradients vanish: every parameter is moved. The
 * shifts of BatchNorm are kept away from relu's kink: mostly open, or shut, which thin layers
 * cannot bear: all shut, they leave the next BatchNorm without a variance.
 */
function perturbed(
  { architecture }: ModelOptions,
  parameters: readonly ParameterSpec[],
  seed: number,
): Weights {
  const weights = initialise(parameters, seed);
  const random = new RandomState(seed);
  const shut = ['resnet18', 'resnet34'].includes(architecture.name) ? 0.25 : 0;
  const normed = new Set(parameters.map(({ name }) => name.replace(/running_var$/, '')));
  const draw = ({ name, shape }: ParameterSpec): ((w: number) => number) => {
    const ofNorm = normed.has(name.replace(/(weight|bias)$/, ''));
    if (ofNorm && name.endsWith('bias')) {
      return () => random.uniform(1.2, 2.5) * (random.uniform(0, 1) < shut ? -1 : 1);
    }
    if (ofNorm && name.endsWith('weight')) return () => random.uniform(0.4, 0.6);
    const reach = shape.length > 1 ? 0.7 / Math.sqrt(sizeOf(shape.slice(1))) : 0.15;
    return (w) => w + random.uniform(-reach, reach);
  };
  return new Map(
    parameters.map((spec) => [spec.name, (weights.get(spec.name) ?? none).map(draw(spec))]),
  );
}

const none = new Float32Array();

/** Normal images, random labels. */
function randomBatch({ architecture, classes, batch }: ModelOptions, seed: number): Batch {
  const random = new RandomState(seed);
  const images = new Float32Array(batch * architecture.channels * architecture.image ** 2);
  return {
    images: images.map(() => random.normal()),
    labels: Int32Array.from({ length: batch }, () => random.randint(0, classes)),
    size: batch,
  };
}

function feedsOf(options: ModelOptions, weights: Weights, batch: Batch): Map<string, Float32Array> {
  const targets = Object.entries(targetsOf(batch, options));
  return new Map([...weights, ['images', batch.images], ...targets]);
}

interface Range {
  /** Wide enough, now and then, for blocks of channels. */
  widths: readonly number[];
  images: readonly [number, number];
  /** BatchNorm wants several values per channel down to the last layer. */
  batches: readonly [number, number];
  runs: number;
}

const BATCH_NORM: Range = { widths: [3, 8], images: [32, 34], batches: [3, 4], runs: 1 };
const FIXUP: Range = { widths: [2, 4, 5], images: [16, 35], batches: [1, 4], runs: 2 };
const RANGES: Record<ArchitectureName, Range> = {
  'fixup-resnet10': { ...FIXUP, widths: [2, 5, 16], runs: 5 },
  'fixup-resnet18': FIXUP,
  'fixup-resnet34': { ...FIXUP, runs: 1 },
  'fixup-resnet50': FIXUP,
  resnet18: { ...BATCH_NORM, widths: [6, 8] },
  resnet34: { ...BATCH_NORM, widths: [5] },
  resnet50: { ...BATCH_NORM, widths: [2, 4] },
  mobilenetv2: { ...BATCH_NORM, widths: [8], images: [48, 56] },
  densenet121: { ...BATCH_NORM, widths: [4] },
  convnet: { ...BATCH_NORM, widths: [3, 8, 16], images: [16, 35], batches: [2, 4], runs: 5 },
};

function networks(name: ArchitectureName): fc.Arbitrary<ModelOptions> {
  const { widths, images, batches } = RANGES[name];
  const between = ([min, max]: readonly [number, number]) => fc.integer({ min, max });
  const { stem } = ARCHITECTURE_DEFAULTS[name];
  const hasStems = name !== 'mobilenetv2' && name !== 'convnet';
  const isFixup = name.startsWith('fixup');
  return fc.record({
    architecture: fc.record<ArchitectureSpec>({
      name: fc.constant(name),
      width: fc.constantFrom(...widths),
      image: between(images),
      stem: hasStems
        ? fc.constantFrom(...(isFixup ? STEMS : STEMS.slice(0, 1)))
        : fc.constant(stem),
      channels: fc.constantFrom(1, 3),
      dialect: name === 'mobilenetv2' ? fc.constantFrom(...DIALECTS) : fc.constant('torchvision'),
    }),
    classes: fc.integer({ min: 2, max: 6 }),
    batch: between(batches),
  });
}

const STEMS = ['small', 'imagenet'] as const;
const DIALECTS = ['torchvision', 'keras'] as const;
const seeds = fc.integer({ min: 0, max: 0xfffffff0 });

describe.each(ARCHITECTURES)('%s', (name) => {
  test('loss, every gradient and new statistics agree; the slope is that of double precision', async () => {
    const property = fc.asyncProperty(networks(name), seeds, async (options, seed) => {
      const { graph, parameters } = buildLossAndGradients(options);
      const weights = perturbed(options, parameters, seed);
      const batch = randomBatch(options, seed);
      const feeds = feedsOf(options, weights, batch);
      const forward = buildForwardLoss(options).graph;
      fc.pre(!(await onAKink(forward, feeds)));
      const ours = await runOnnx(graph, feeds);
      const theirs = await tfjsLossAndGradients(options, weights, batch);

      const loss = ours.get('loss')?.[0] as number;
      expect(Math.abs(loss - theirs.loss) / Math.abs(loss)).toBeLessThan(TOLERANCE);
      const trained = trainedParameters(parameters).map((p) => p.name);
      const gradients = new Map(
        trained.map((key) => [key, ours.get(GRADIENT + key) as Float32Array]),
      );
      expect([...theirs.gradients.keys()].sort()).toEqual([...trained].sort());
      const worst = disagreement(gradients, theirs.gradients);
      expect(worst.relative, worst.name).toBeLessThan(gradientTolerance(name));
      const slope = slopeAlong(forward, feeds, gradients);
      expect(Math.abs(slope.found / slope.expected - 1)).toBeLessThan(SLOPE_TOLERANCE);

      const updated = [...ours].filter(([key]) => key.startsWith(UPDATED));
      expect(updated).toHaveLength(parameters.length - trained.length);
      const outputs = new Map(updated);
      const wanted = await tfjsForward(
        { ...forward, outputs: only(forward.outputs, outputs) },
        feeds,
      );
      expect(disagreement(wanted, outputs).relative).toBeLessThan(TOLERANCE);
    });
    await fc.assert(property, { numRuns: RANGES[name].runs, maxSkipsPerRun: 200 });
  });

  test('inference agrees, with weights as inputs or compiled in as constants', async () => {
    const property = fc.asyncProperty(networks(name), seeds, async (options, seed) => {
      const taps = ['pool', [...buildModel(options).taps.keys()][0] as string];
      const { graph, parameters } = buildInference(options, taps);
      const weights = perturbed(options, parameters, seed);
      const images = new Map([['images', randomBatch(options, seed).images]]);
      const wanted = await tfjsForward(graph, new Map([...weights, ...images]));
      const session = await OnnxSession.create(graph, { threads: 1 });
      const constant = await OnnxSession.create(graph, { threads: 1, fixed: weights });
      try {
        const found = await session.run(new Map([...weights, ...images]));
        for (const outputs of [found, await constant.run(images)]) {
          expect([...outputs.keys()].sort()).toEqual([...new Set(['logits', ...taps])].sort());
          expect(disagreement(wanted, outputs).relative).toBeLessThan(TOLERANCE);
        }
      } finally {
        await Promise.all([session.close(), constant.close()]);
      }
    });
    await fc.assert(property, { numRuns: 1 });
  });
});

function only<T>(map: ReadonlyMap<string, T>, keys: ReadonlyMap<string, unknown>): Map<string, T> {
  return new Map([...map].filter(([key]) => keys.has(key)));
}

test('frozen stages normalise by their running statistics, which stay as they are', async () => {
  const options: ModelOptions = {
    architecture: {
      name: 'resnet18',
      width: 8,
      image: 32,
      stem: 'small',
      channels: 3,
      dialect: 'torchvision',
    },
    classes: 3,
    batch: 4,
  };
  const frozen = { ...options, frozen: new Set(['stem', 'layer1', 'layer2']) };
  const { graph, parameters } = buildLossAndGradients(frozen);
  const weights = perturbed(options, parameters, 3);
  const batch = randomBatch(options, 4);
  const ours = await runOnnx(graph, feedsOf(options, weights, batch));
  const theirs = await tfjsLossAndGradients(frozen, weights, batch);
  const named = (prefix: string): string[] =>
    [...ours.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const stagesOf = (names: string[]) =>
    new Set(parameters.filter(({ name }) => names.includes(name)).map(({ stage }) => stage));
  expect(stagesOf(named(GRADIENT))).toEqual(new Set(['layer3', 'layer4', 'head']));
  expect(stagesOf(named(UPDATED))).toEqual(new Set(['layer3', 'layer4']));
  const gradients = new Map(named(GRADIENT).map((key) => [key, ours.get(GRADIENT + key) ?? []]));
  expect(disagreement(gradients, theirs.gradients).relative).toBeLessThan(TOLERANCE);

  const taps = (given: ModelOptions) => {
    const model = buildModel(given);
    const outputs = ['layer2.1', 'layer4.1'].map((key) => [key, model.taps.get(key)!] as const);
    return runOnnx(model.g.finish(outputs), new Map([...weights, ['images', batch.images]]));
  };
  const evaluation = await taps({ ...options, mode: 'evaluation' });
  const partly = await taps(frozen);
  const training = await taps(options);
  expect(partly.get('layer2.1')).toEqual(evaluation.get('layer2.1'));
  expect(training.get('layer2.1')).not.toEqual(evaluation.get('layer2.1'));
  expect(partly.get('layer4.1')).not.toEqual(evaluation.get('layer4.1'));
});
