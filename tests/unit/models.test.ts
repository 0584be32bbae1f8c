import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';

interface Case {
  name: ArchitectureSpec['name'];
  stem: ArchitectureSpec['stem'];
  classes: number;
  total: number;
  shapes: Record<string, number[]>;
}

const file = new URL('../reference/fixup-resnet-parameters.json', import.meta.url);
const { cases } = JSON.parse(await readFile(file, 'utf8')) as { cases: Case[] };

function options(
  name: ArchitectureSpec['name'],
  rest: Partial<ArchitectureSpec> & { classes?: number } = {},
): ModelOptions {
  const { classes = 10, ...architecture } = rest;
  const defaults = architectureSchema.parse({ name, width: 16, image: 32, stem: 'small' });
  return { architecture: { ...defaults, ...architecture }, classes, batch: 2 };
}

describe.each(cases)(
  '$name with $stem stem and $classes classes',
  ({ name, stem, ...expected }) => {
    const { parameters } = buildModel(
      options(name, { width: 64, image: 64, stem, classes: expected.classes }),
    );

    test('has the parameter names and shapes of the PyTorch network', () => {
      const shapes = Object.fromEntries(parameters.map((p) => [p.name, [...p.shape]]));
      expect(shapes).toEqual(expected.shapes);
    });

    test('has as many parameters', () => {
      const total = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
      expect(total).toBe(expected.total);
    });
  },
);

test.each([
  ['fixup-resnet10', 4],
  ['fixup-resnet18', 8],
  ['fixup-resnet34', 16],
  ['fixup-resnet50', 16],
] as const)('%s has %i blocks, each a module between stem and head', (name, blocks) => {
  const { parameters } = buildModel(options(name));
  const modules = [...new Set(parameters.map(({ module }) => module))];
  expect(modules).toHaveLength(blocks + 2);
  expect([modules[0], modules[1], modules.at(-1)]).toEqual(['conv1', 'layer1.0', 'fc']);
});

test('Fixup stages: the head is what the paper re-initialises, without the bias before it', () => {
  const { parameters, stages, statistics } = buildModel(options('fixup-resnet18'));
  expect(stages).toEqual(['stem', 'layer1', 'layer2', 'layer3', 'layer4', 'head']);
  const inStage = (wanted: string) =>
    parameters.filter(({ stage }) => stage === wanted).map(({ name }) => name);
  expect(inStage('stem')).toEqual(['conv1.weight', 'bias1']);
  expect(inStage('head')).toEqual(['fc.weight', 'fc.bias']);
  expect(inStage('layer4')).toContain('bias2');
  expect(inStage('layer2').every((name) => name.startsWith('layer2.'))).toBe(true);
  expect(statistics.size).toBe(0);
});

test('activations halve and widen stage by stage', () => {
  const { taps } = buildModel(options('fixup-resnet50', { image: 64, stem: 'imagenet' }));
  const shapeOf = (name: string) => taps.get(name)?.shape;
  expect(shapeOf('stem')).toEqual([2, 16, 16, 16]);
  expect(shapeOf('layer1.2')).toEqual([2, 64, 16, 16]);
  expect(shapeOf('layer4.2')).toEqual([2, 512, 2, 2]);
  expect(shapeOf('pool')).toEqual([2, 512]);
  expect(shapeOf('logits')).toEqual([2, 10]);
});

describe('initialisation', () => {
  function statistics(data: Float32Array) {
    const mean = data.reduce((sum, w) => sum + w, 0) / data.length;
    const variance = data.reduce((sum, w) => sum + (w - mean) ** 2, 0) / data.length;
    const most = data.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    return { mean, std: Math.sqrt(variance), most };
  }

  /** Standard deviations of Fixup: He by fan-out, times blocks^(-1/2) or ^(-1/4) in branches. */
  const byRule = (shape: readonly number[], factor: number): number =>
    factor * Math.sqrt(2 / ((shape[0] ?? 0) * (shape[2] ?? 0) * (shape[3] ?? 0)));

  const branches = {
    'fixup-resnet18': { 'conv1.weight': 8 ** -0.5, 'conv2.weight': 0, 'downsample.weight': 1 },
    'fixup-resnet50': {
      'conv1.weight': 16 ** -0.25,
      'conv2.weight': 16 ** -0.25,
      'conv3.weight': 0,
      'downsample.weight': 1,
    },
  };

  test.each(Object.entries(branches))('%s follows the Fixup rules', (name, factors) => {
    const { parameters } = buildModel(options(name as ArchitectureSpec['name'], { width: 32 }));
    const weights = initialise(parameters, 3);
    const inBlocks = parameters.filter((p) => p.module.startsWith('layer'));
    for (const { name: full, shape, module } of inBlocks) {
      const { mean, std } = statistics(weights.get(full) as Float32Array);
      const short = full.slice(module.length + 1);
      const factor = (factors as Record<string, number>)[short];
      if (factor === undefined) {
        expect([mean, std], full).toEqual([short === 'scale' ? 1 : 0, 0]);
        continue;
      }
      const expected = byRule(shape, factor);
      // four standard errors of a mean and of a standard deviation
      const slack = 4 / Math.sqrt(sizeOf(shape));
      expect(Math.abs(mean), full).toBeLessThanOrEqual(slack * expected);
      expect(Math.abs(std - expected), full).toBeLessThanOrEqual(slack * expected);
    }
  });

  test('stem and head are uniform as PyTorch draws them', () => {
    const { parameters } = buildModel(options('fixup-resnet10', { width: 64, classes: 100 }));
    const weights = initialise(parameters, 3);
    for (const [name, fanIn] of [
      ['conv1.weight', 75],
      ['fc.weight', 512],
      ['fc.bias', 512],
    ] as const) {
      const { mean, std, most } = statistics(weights.get(name) as Float32Array);
      const bound = 1 / Math.sqrt(fanIn);
      expect(most).toBeLessThanOrEqual(Math.fround(bound));
      expect(most).toBeGreaterThan(0.9 * bound);
      expect(Math.abs(std - bound / Math.sqrt(3))).toBeLessThan(0.15 * bound);
      expect(Math.abs(mean)).toBeLessThan(0.25 * bound);
    }
  });

  const draw = (seed: number, classes = 10) =>
    initialise(buildModel(options('fixup-resnet10', { classes })).parameters, seed);

  test('depends on the seed and on nothing else', () => {
    expect(draw(4)).toEqual(draw(4));
    expect(draw(4).get('conv1.weight')).not.toEqual(draw(5).get('conv1.weight'));
    const first = draw(4);
    expect(first.get('layer1.0.conv1.weight')?.slice(0, 9)).not.toEqual(
      first.get('layer2.0.conv1.weight')?.slice(0, 9),
    );
  });

  test('gives the same backbone under another head', () => {
    const [ten, four] = [draw(4, 10), draw(4, 4)];
    const { parameters } = buildModel(options('fixup-resnet10'));
    const backbone = parameters.filter(({ stage }) => stage !== 'head');
    for (const { name } of backbone) expect(four.get(name), name).toEqual(ten.get(name));
    expect(four.get('fc.weight')).toHaveLength(4 * 128);
    expect(backbone.length).toBeGreaterThan(0.9 * parameters.length);
  });
});
