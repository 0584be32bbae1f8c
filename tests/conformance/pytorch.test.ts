/** Against numbers that PyTorch wrote (tests/reference/fixup_resnet.py). */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { trainingSchema } from '../../contract/study.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { startingFrom, targetsOf } from '../../engine/runtime/batch.ts';
import { OnnxTrainer } from '../../engine/runtime/onnx/trainer.ts';
import { GRADIENT, buildLossAndGradients } from '../../engine/train/step.ts';
import { formula } from './support/formula.ts';
import { fixupWeights } from './support/formula-weights.ts';
import { runOnnx } from './support/single.ts';
import type { Summary } from './support/summaries.ts';
import { expectClose, expectSummaries } from './support/summaries.ts';

interface Case {
  name: ArchitectureSpec['name'];
  width: number;
  stem: ArchitectureSpec['stem'];
  channels: 1 | 3;
  image: number;
  size: number;
  classes: number;
  rate: number;
  training: {
    momentum: number;
    weightDecay: number;
    clipNorm: number;
    multipliers: { bias: number; scale: number };
  };
  /** Of the first step. */
  gradients: Record<string, Summary>;
  logits: number[];
  trace: { loss: number; gradientNorm: number }[];
  /** Weights after the last step. */
  after: Record<string, Summary>;
}

const file = new URL('../reference/fixup-resnet-training.json', import.meta.url);
const { cases } = JSON.parse(await readFile(file, 'utf8')) as { cases: Case[] };

function batchOf({ size, channels, image, classes }: Case, step: number): Batch {
  return {
    images: formula(size * channels * image * image, 1000 + step).map((v) => v * 4),
    labels: Int32Array.from({ length: size }, (_, i) => (i * 7 + step) % classes),
    size,
  };
}

function optionsOf({ name, width, image, stem, channels, classes, size }: Case): ModelOptions {
  const architecture = architectureSchema.parse({ name, width, image, stem, channels });
  return { architecture, classes, batch: size };
}

describe.each(cases)('$name, width $width, $stem stem, $image px', (reference) => {
  const options = optionsOf(reference);
  const { graph, parameters } = buildLossAndGradients(options);
  const weights = fixupWeights(parameters);

  test('loss, logits and the norm and ends of every gradient are those of PyTorch', async () => {
    const batch = batchOf(reference, 0);
    const feeds = new Map([
      ...weights,
      ['images', batch.images] as const,
      ...Object.entries(targetsOf(batch, options)),
    ]);
    const outputs = await runOnnx(graph, feeds);
    expectClose(outputs.get('loss')?.[0] ?? NaN, reference.trace[0]?.loss ?? NaN);
    const logits = outputs.get('logits') as Float32Array;
    const scale = Math.max(...reference.logits.map(Math.abs));
    reference.logits.forEach((logit, i) => {
      expect(Math.abs((logits[i] ?? NaN) - logit) / scale).toBeLessThan(1e-4);
    });
    expect(parameters.map(({ name }) => name).sort()).toEqual(
      Object.keys(reference.gradients).sort(),
    );
    expectSummaries(reference.gradients, (name) => outputs.get(GRADIENT + name));
  });

  test('three steps of SGD: losses, gradient norms and weights are those of PyTorch', async () => {
    const { momentum, weightDecay, clipNorm, multipliers } = reference.training;
    const training = trainingSchema.parse({
      epochs: 1,
      optimiser: { momentum, 'weight-decay': weightDecay },
      lr: { peak: reference.rate },
      'lr-multipliers': multipliers,
      'clip-norm': clipNorm,
    });
    const trainer = await OnnxTrainer.create(options, training, startingFrom(weights), {
      threads: 1,
    });
    try {
      for (const [step, expected] of reference.trace.entries()) {
        const result = await trainer.step(batchOf(reference, step), reference.rate, () => step + 1);
        expectClose(result.loss, expected.loss);
        expectClose(result.gradientNorm ?? NaN, expected.gradientNorm);
      }
      const after = (await trainer.state()).weights;
      expectSummaries(reference.after, (name) => after.get(name));
    } finally {
      await trainer.close();
    }
  });
});
