/** Against fine-tuning that PyTorch did (tests/reference/make_fine_tuning.py). */
import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import type { ModelOptions, ParameterSpec } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { buildModel } from '../../engine/models/registry.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { startingFrom } from '../../engine/runtime/batch.ts';
import { OnnxEvaluator, OnnxTrainer } from '../../engine/runtime/onnx/trainer.ts';
import { phaseAt } from '../../engine/train/phases.ts';
import reference from '../reference/fine-tuning.json' with { type: 'json' };
import { formula } from './support/formula.ts';
import { expectClose, expectSummaries } from './support/summaries.ts';

/** Weights of about unit gain; BatchNorm's scale and variance around 1. */
function start(parameters: readonly ParameterSpec[]): Weights {
  const names = parameters.map(({ name }) => name).sort();
  return new Map(
    parameters.map(({ name, shape }) => {
      const values = formula(sizeOf(shape), names.indexOf(name));
      const fanIn = sizeOf(shape.slice(1));
      if (shape.length > 1) return [name, values.map((v) => v * Math.fround(4 / Math.sqrt(fanIn)))];
      const around = name.endsWith('.weight') || name.endsWith('running_var');
      return [name, values.map((v) => (around ? 1 + v * 0.5 : v * 0.25))];
    }),
  );
}

function batchOf(
  { image, classes }: { image: number; classes: number },
  size: number,
  step: number,
  salt: number,
): Batch {
  return {
    images: formula(size * 3 * image * image, salt + step).map((v) => v * 4),
    labels: Int32Array.from({ length: size }, (_, i) => (i * 7 + step) % classes),
    size,
  };
}

function difference(a: Weights, b: Weights, name: string): Float32Array {
  const [left, right] = [a.get(name), b.get(name)];
  return (left ?? new Float32Array()).map((value, i) => value - (right?.[i] ?? NaN));
}

describe.each(reference.cases)(
  '$name, $training.optimiser.kind, $frozen stages frozen',
  (expected) => {
    const { width, image, classes, batch, sizes, rate } = expected;
    const name = expected.name as ArchitectureSpec['name'];
    const architecture = architectureSchema.parse({ name, width, image });
    const options: ModelOptions = { architecture, classes, batch };
    const { parameters, stages, ...model } = buildModel(options);
    const weights = start(parameters);
    // A norm that is never reached: it is told, and changes nothing.
    const unclipped = { epochs: 1, lr: { peak: rate }, 'clip-norm': 1e9 };
    const training = trainingSchema.parse({ ...unclipped, ...expected.training });
    const { frozen } = phaseAt(training, architecture, stages, 1);

    test('losses, gradient norms, weights, running statistics and logits are PyTorch’s', async () => {
      expect(frozen.size).toBe(expected.frozen);
      const classWeights = Float32Array.from(expected.classWeights);
      const settings = { threads: 1, classWeights };
      const state = startingFrom(weights);
      const trainer = await OnnxTrainer.create({ ...options, frozen }, training, state, settings);
      const evaluator = await OnnxEvaluator.create(options, { threads: 1 });
      try {
        for (const [step, { loss, gradientNorm }] of expected.trace.entries()) {
          const given = batchOf(expected, sizes[step] ?? 0, step, 1000);
          const result = await trainer.step(given, rate, () => step + 1);
          expectClose(result.loss, loss);
          // A rounding that flips a ReLU or a maximum moves the gradient by more than itself.
          expectClose(result.gradientNorm ?? NaN, gradientNorm, 1e-3);
        }
        const after = (await trainer.state()).weights;
        expectSummaries(expected.moved, (key) => difference(after, weights, key), 1e-2);
        const { logits } = await evaluator.run(after, batchOf(expected, batch, 0, 3000));
        const scale = Math.max(...expected.logits.map(Math.abs));
        expected.logits.forEach((logit, i) => {
          expect(Math.abs((logits[i] ?? NaN) - logit) / scale).toBeLessThan(1e-4);
        });

        const moved = parameters.filter(({ name: key }) =>
          difference(after, weights, key).some((value) => value !== 0),
        );
        expect(moved.some(({ stage }) => frozen.has(stage))).toBe(false);
        const statistics = moved.filter(({ role }) => role === 'statistic');
        const live = [...model.statistics.keys()].filter(
          (key) => !frozen.has(parameters.find((spec) => spec.name === key)?.stage ?? ''),
        );
        expect(statistics.map(({ name: key }) => key).sort()).toEqual(live.sort());
      } finally {
        await Promise.all([trainer.close(), evaluator.close()]);
      }
    });
  },
);
