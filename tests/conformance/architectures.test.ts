/** Networks with BatchNorm against numbers that torchvision wrote (tests/reference/architectures.py). */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ArchitectureInput } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { targetsOf } from '../../engine/runtime/batch.ts';
import type { BatchSource } from '../../engine/train/loop.ts';
import { recalibrate } from '../../engine/train/recalibrate.ts';
import { GRADIENT, UPDATED, buildLossAndGradients } from '../../engine/train/step.ts';
import { formula } from './support/formula.ts';
import { normalisedWeights } from './support/formula-weights.ts';
import { runOnnx } from './support/single.ts';

interface Summary {
  norm: number;
  first: number;
  last: number;
}

interface Pass {
  logits: number[];
  loss: number;
  /** Of some of the parameters. */
  gradients: Record<string, Summary>;
}

interface Case extends Omit<ArchitectureInput, 'stem'> {
  classes: number;
  batch: number;
  /** Spread of the weights' formula for shifts and means. */
  shift: number;
  /** Of the images. */
  salt: number;
  channels: 1 | 3;
  evaluation: Pass;
  training: Pass;
  /** Running statistics after the training pass. */
  statistics: Record<string, Summary>;
  /** Running statistics averaged over three batches. */
  recalibrated?: Record<string, Summary>;
}

const file = new URL('../reference/architectures-values.json', import.meta.url);
const { cases } = JSON.parse(await readFile(file, 'utf8')) as { cases: Case[] };

function optionsOf({ name, width, image, channels, dialect, classes, batch }: Case): ModelOptions {
  const architecture = architectureSchema.parse({ name, width, image, channels, dialect });
  return { architecture, classes, batch };
}

function batchOf(reference: Case, salt: number, size = reference.batch): Batch {
  const { channels, image, classes } = reference;
  return {
    images: formula(size * channels * image * image, salt).map((v) => v * 4),
    labels: Int32Array.from({ length: size }, (_, i) => (i * 7) % classes),
    size,
  };
}

/** How far norm and ends are from the reference, as a share of `scale`. */
function distance(data: Float32Array | undefined, expected: Summary, scale: number): number {
  const { norm, first, last } = expected;
  const length = Math.sqrt((data ?? new Float32Array()).reduce((sum, v) => sum + v * v, 0));
  const found = [length, data?.[0] ?? NaN, data?.at(-1) ?? NaN];
  const off = [norm, first, last].map((value, i) => Math.abs(value - (found[i] ?? NaN)));
  return Math.max(...off) / scale;
}

function expectStatistics(
  expected: Record<string, Summary>,
  dataOf: (name: string) => Float32Array | undefined,
): void {
  for (const [name, summary] of Object.entries(expected)) {
    expect(distance(dataOf(name), summary, summary.norm), name).toBeLessThan(1e-4);
  }
}

describe.each(cases)('$name $dialect, width $width, $image px, $channels channels', (reference) => {
  const options = optionsOf(reference);

  test.each(['evaluation', 'training'] as const)('%s: logits, loss and gradients', async (mode) => {
    const { graph, parameters } = buildLossAndGradients({ ...options, mode });
    const batch = batchOf(reference, reference.salt);
    const targets = Object.entries(targetsOf(batch, options));
    const feeds = new Map([
      ...normalisedWeights(parameters, reference.shift),
      ['images', batch.images],
      ...targets,
    ]);
    const outputs = await runOnnx(graph, feeds);
    const expected = reference[mode];
    const scale = Math.max(...expected.logits.map(Math.abs));
    const logits = outputs.get('logits') ?? [];
    expect(logits).toHaveLength(expected.logits.length);
    expected.logits.forEach((logit, i) => {
      expect(Math.abs((logits[i] ?? NaN) - logit) / scale).toBeLessThan(1e-4);
    });
    const loss = outputs.get('loss')?.[0] ?? NaN;
    expect(Math.abs(loss - expected.loss) / expected.loss).toBeLessThan(1e-4);
    const largest = Math.max(...Object.values(expected.gradients).map(({ norm }) => norm));
    for (const [name, summary] of Object.entries(expected.gradients)) {
      const off = distance(
        outputs.get(GRADIENT + name),
        summary,
        Math.max(summary.norm, largest / 100),
      );
      expect(off, name).toBeLessThan(5e-4);
    }
    const updated = [...outputs.keys()].filter((name) => name.startsWith(UPDATED));
    const statistics = parameters.filter(({ role }) => role === 'statistic');
    expect(updated).toHaveLength(mode === 'training' ? statistics.length : 0);
    if (mode === 'training') {
      expectStatistics(reference.statistics, (name) => outputs.get(UPDATED + name));
    }
  });
});

describe('recalibration', () => {
  const reference = cases.find(({ recalibrated }) => recalibrated) as Case;
  const options = optionsOf(reference);
  const { parameters } = buildModel(options);
  const weights = normalisedWeights(parameters, reference.shift);
  const settings = { threads: 1 };

  const source = (sizes: readonly number[]): Pick<BatchSource, 'evaluation'> => ({
    async *evaluation() {
      for (const [step, size] of sizes.entries()) yield batchOf(reference, 2000 + step, size);
    },
  });

  test("statistics are PyTorch's cumulative averages; weights and the given map stay", async () => {
    const before = new Map(weights);
    const { batch } = reference;
    const renewed = await recalibrate(
      options,
      weights,
      source([batch, batch, batch - 1]),
      settings,
    );
    expectStatistics(reference.recalibrated ?? {}, (name) => renewed.get(name));
    expect(weights).toEqual(before);
    expect([...renewed.keys()].sort()).toEqual([...weights.keys()].sort());
    for (const { name, role } of parameters) {
      if (role === 'statistic') expect(renewed.get(name), name).not.toEqual(weights.get(name));
      else expect(renewed.get(name), name).toBe(weights.get(name));
    }
  });

  test('of no images is refused, with a way out', async () => {
    await expect(recalibrate(options, weights, source([]), settings)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('running_mean') as string,
    });
  });

  test('a network without statistics keeps its weights', async () => {
    const architecture = architectureSchema.parse({ name: 'fixup-resnet10', width: 2, image: 16 });
    const fixup = { architecture, classes: 2, batch: 2 };
    const given = initialise(buildModel(fixup).parameters, 1);
    expect(await recalibrate(fixup, given, source([]), settings)).toEqual(given);
  });
});
