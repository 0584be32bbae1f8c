/** Against PyTorch's losses (tests/reference/make_training.py), in both runtimes. */
import { describe, expect, test } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import { gradients } from '../../engine/graph/gradients.ts';
import type { Value } from '../../engine/graph/types.ts';
import { targetsOf } from '../../engine/runtime/batch.ts';
import { tfjsGradients } from '../../engine/runtime/tfjs/runtime.ts';
import { classWeightsOf } from '../../engine/train/class-weights.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from '../../engine/train/loss.ts';
import { findingTarget, maskedTargets, parseFinding } from '../../engine/train/uncertain.ts';
import { runOnnx } from '../conformance/support/single.ts';
import reference from '../reference/training.json' with { type: 'json' };

type Feeds = Record<string, Float32Array>;
type Loss = (g: GraphBuilder, logits: Value) => Value;

/** Loss and its gradient by the logits, by our differentiation and by TensorFlow.js's. */
async function both(shape: number[], loss: Loss, feeds: Feeds) {
  const g = new GraphBuilder();
  const logits = g.parameter('logits', shape);
  const value = loss(g, logits);
  const forward = g.finish([['loss', value]]);
  const backward = g.finish([
    ['loss', value],
    ['gradient', gradients(g, value, [logits])[0] as Value],
  ]);
  const given = new Map(Object.entries(feeds));
  const ours = await runOnnx(backward, given);
  const theirs = await tfjsGradients(forward, given);
  return [
    { loss: ours.get('loss')?.[0], gradient: ours.get('gradient') },
    { loss: theirs.outputs.get('loss')?.[0], gradient: theirs.gradients.get('logits') },
  ];
}

function expectEqual(
  found: { loss: number | undefined; gradient: Float32Array | undefined },
  wanted: { loss: number; gradient: number[] },
): void {
  expect(Math.abs((found.loss ?? NaN) - wanted.loss) / wanted.loss).toBeLessThan(1e-6);
  wanted.gradient.forEach((value, i) => {
    expect(Math.abs((found.gradient?.[i] ?? NaN) - value), `element ${i}`).toBeLessThan(1e-6);
  });
}

describe.each(reference.softmax)('softmax cross-entropy, $name', (expected) => {
  test('is CrossEntropyLoss(weight, label_smoothing), with its gradient', async () => {
    const { labels, smoothing, classWeights, mix } = expected;
    const batch = {
      labels: Int32Array.from(labels),
      size: labels.length,
      ...(mix && { mix: { partner: Int32Array.from(mix.partner), lambda: mix.lambda } }),
    };
    const settings = { smoothing, classWeights: classWeights && Float32Array.from(classWeights) };
    const feeds = {
      logits: Float32Array.from(expected.logits),
      ...targetsOf(batch, { classes: 4 }, settings),
    };
    const loss: Loss = (g, logits) =>
      softmaxCrossEntropy(g, logits, g.input('targets', [5, 4]), g.input('exampleWeights', [5]));
    for (const found of await both([5, 4], loss, feeds)) expectEqual(found, expected);
  });
});

const sigmoid: Loss = (g, logits) =>
  sigmoidCrossEntropy(g, logits, g.input('targets', [4, 3]), g.input('mask', [4, 3]));

describe.each(reference.sigmoid)('sigmoid cross-entropy, $name', (expected) => {
  test('is BCEWithLogitsLoss over the labels that count, with its gradient', async () => {
    const feeds = {
      logits: Float32Array.from(expected.logits),
      targets: Float32Array.from(expected.targets),
      mask: Float32Array.from(expected.mask),
    };
    for (const found of await both([4, 3], sigmoid, feeds)) expectEqual(found, expected);
  });
});

test('a batch without a single label that counts has neither loss nor gradient', async () => {
  const feeds = { logits: new Float32Array(12).fill(5), targets: new Float32Array(12) };
  for (const found of await both([4, 3], sigmoid, { ...feeds, mask: new Float32Array(12) })) {
    expect(found.loss).toBeCloseTo(0, 12);
    expect(found.gradient?.every((value) => value === 0)).toBe(true);
  }
});

describe('uncertain labels', () => {
  const cells = ['1.0', '0.0', '-1.0', ''];
  const rows = (blank: 'zeros' | 'ignore') =>
    cells
      .map(parseFinding)
      .map((finding) =>
        (['ignore', 'zeros', 'ones'] as const).map((policy) =>
          findingTarget(finding, policy, blank),
        ),
      );

  test('are left out, negative or positive by label; what is not mentioned is negative', () => {
    const { targets, mask } = maskedTargets(rows('zeros'), 3);
    expect([...targets]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect([...mask]).toEqual([1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1]);
  });

  test('what is not mentioned is left out where asked', () => {
    const { mask } = maskedTargets(rows('ignore'), 3);
    expect([...mask]).toEqual([1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0]);
  });

  test('a cell that is no label, and a row of another length, are named', () => {
    expect(() => parseFinding('2')).toThrow('"2" is not a label');
    expect(() => maskedTargets([[1], [1, 0]], 1)).toThrow('example 1 has 2 findings, not 1');
  });
});

describe('class weights', () => {
  const names = ['cat', 'dog', 'owl'];

  test('balanced: every class has the same sum of weights, and their mean over images is 1', () => {
    const labels = [0, 0, 0, 0, 1, 2, 2, 2];
    const weights = classWeightsOf('balanced', names, labels) ?? new Float32Array();
    const sums = names.map((_, k) => labels.filter((label) => label === k).length * weights[k]!);
    sums.forEach((sum) => expect(sum).toBeCloseTo(8 / 3, 5));
  });

  test('given: by name, 1 for the others; none: null', () => {
    expect([...(classWeightsOf({ dog: 3 }, names, []) ?? [])]).toEqual([1, 3, 1]);
    expect(classWeightsOf('none', names, [0])).toBeNull();
  });

  test('a class that is not there is named, with those that are', () => {
    expect(() => classWeightsOf({ bird: 2 }, names, [])).toThrow(CarryoverError);
    expect(() => classWeightsOf({ bird: 2 }, names, [])).toThrow('there is no class "bird"');
  });
});
