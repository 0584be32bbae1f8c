import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { buildModel } from '../../engine/models/registry.ts';
import { phaseAt, trainableStages, trainedSince } from '../../engine/train/phases.ts';
import { buildTrainingStep } from '../../engine/train/step.ts';

const STAGES = ['stem', 'layer1', 'layer2', 'head'];
const base = { epochs: 9, lr: { peak: 0.1 } };
const tuning = (fineTuning: object) => trainingSchema.parse({ ...base, 'fine-tuning': fineTuning });
const trained = (fineTuning: object, epoch: number) =>
  [...trainableStages(tuning(fineTuning), STAGES, epoch)].join(' ');

describe('stages that train', () => {
  test('all, when nothing is said', () => {
    expect(trained({}, 1)).toBe('stem layer1 layer2 head');
  });

  test('those above freeze-to, in every epoch', () => {
    expect(trained({ 'freeze-to': 'layer1' }, 1)).toBe('layer2 head');
    expect(trained({ 'freeze-to': 'layer1' }, 9)).toBe('layer2 head');
  });

  test('gradual unfreezing goes from the head downwards', () => {
    const epochs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(epochs.map((epoch) => trained({ 'unfreeze-every': 2 }, epoch))).toEqual([
      'head',
      'head',
      'head',
      'layer2 head',
      'layer2 head',
      'layer1 layer2 head',
      'layer1 layer2 head',
      'stem layer1 layer2 head',
      'stem layer1 layer2 head',
      'stem layer1 layer2 head',
    ]);
  });

  test('freeze-to is the first state of gradual unfreezing', () => {
    const both = { 'freeze-to': 'stem', 'unfreeze-every': 3 };
    expect(trained(both, 3)).toBe('layer1 layer2 head');
    expect(trained(both, 4)).toBe('stem layer1 layer2 head');
  });

  test.each(['head', 'layer9'])('"%s" cannot be frozen; the error names what can', (stage) => {
    const training = tuning({ 'freeze-to': stage });
    expect(() => trainableStages(training, STAGES, 1)).toThrow(`"${stage}" cannot be frozen`);
    expect(() => phaseAt(training, { image: 32 }, STAGES, 1)).toThrow(
      expect.objectContaining({
        detail: expect.objectContaining({
          value: stage,
          wayOut: 'stages of this architecture below its head: stem, layer1, layer2',
        }) as object,
      }),
    );
  });

  test('a stage trains since the first epoch that has it, or never', () => {
    for (const fineTuning of [
      {},
      { 'freeze-to': 'layer1' },
      { 'unfreeze-every': 2 },
      { 'freeze-to': 'layer1', 'unfreeze-every': 3 },
    ]) {
      for (const stage of STAGES) {
        const epochs = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        const first = epochs.find((epoch) =>
          trainableStages(tuning(fineTuning), STAGES, epoch).has(stage),
        );
        expect(trainedSince(tuning(fineTuning), STAGES, stage)).toBe(first ?? Infinity);
      }
    }
  });
});

test('phases: the side of the images by epoch, the last being the architecture’s', () => {
  const sizes = [
    { from: 1, image: 32 },
    { from: 4, image: 48 },
    { from: 6, image: 64 },
  ];
  const training = trainingSchema.parse({ ...base, 'image-sizes': sizes });
  const sides = [1, 3, 4, 5, 6, 9].map((e) => phaseAt(training, { image: 64 }, STAGES, e).image);
  expect(sides).toEqual([32, 32, 48, 48, 64, 64]);
  const late = trainingSchema.parse({ ...base, 'image-sizes': [{ from: 3, image: 32 }] });
  expect(phaseAt(late, { image: 64 }, STAGES, 2).image).toBe(64);
  expect(phaseAt(tuning({}), { image: 64 }, STAGES, 5)).toEqual({ image: 64, frozen: new Set() });
});

describe('the compiled step', () => {
  const options: ModelOptions = {
    architecture: architectureSchema.parse({ name: 'fixup-resnet18', width: 4, image: 32 }),
    classes: 3,
    batch: 2,
  };
  const training = trainingSchema.parse(base);
  const { stages, parameters } = buildModel(options);
  const step = (frozen: readonly string[]) =>
    buildTrainingStep({ ...options, frozen: new Set(frozen) }, training).graph;
  const filterGradients = (frozen: readonly string[]) =>
    step(frozen).values.filter(({ operation }) => operation.kind === 'conv2dFilterGradient').length;
  const filtersOf = (frozen: readonly string[]) =>
    parameters.filter(({ shape, stage }) => shape.length === 4 && !frozen.includes(stage)).length;

  test('has gradients for the filters of the stages that train, and for no other', () => {
    stages.slice(0, -1).forEach((_, last) => {
      const frozen = stages.slice(0, last + 1);
      expect(filterGradients(frozen), `frozen to ${frozen.at(-1)}`).toBe(filtersOf(frozen));
    });
    expect(filterGradients([])).toBe(filtersOf([]));
  });

  test('gets smaller with every stage that is frozen', () => {
    const nodes = stages.map((_, count) => step(stages.slice(0, count)).values.length);
    expect(nodes).toEqual([...nodes].sort((a, b) => b - a));
    expect(new Set(nodes).size).toBe(nodes.length);
    expect(nodes.at(-1)).toBeLessThan(nodes[0]! / 2);
  });

  test('with only the head trained, nothing flows back into the convolutions', () => {
    const kinds = step(stages.slice(0, -1)).values.map(({ operation }) => operation.kind);
    expect(kinds).toContain('conv2d');
    expect(kinds.filter((kind) => kind.endsWith('Gradient'))).toEqual([]);
  });

  test('changes the parameters and slots of trained stages only', () => {
    const frozen = stages.slice(0, 3);
    const updated = [...step(frozen).outputs.keys()].filter((name) => name.startsWith('updated/'));
    const names = parameters.filter(({ stage }) => !frozen.includes(stage)).map(({ name }) => name);
    const wanted = names.flatMap((name) => [`updated/${name}`, `updated/momentum/${name}`]);
    expect(updated.sort()).toEqual(wanted.sort());
  });
});
