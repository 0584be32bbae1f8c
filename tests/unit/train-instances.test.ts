import { describe, expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import { coralAligned } from '../../engine/analysis/coral.ts';
import { probeProbabilities, trainProbe } from '../../engine/analysis/probe.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import { stream } from '../../engine/random/streams.ts';
import { startingFrom, targetsOf } from '../../engine/runtime/batch.ts';
import { OnnxInference, OnnxTrainer } from '../../engine/runtime/onnx/trainer.ts';
import { withCoralHead, withHead } from '../../engine/train/coral-head.ts';
import { pooledFeatures } from '../../engine/train/features.ts';
import { startPoint, trainRun, type TrainingPoint } from '../../engine/train/loop.ts';
import { blobs } from './train-support.ts';

const optionsOf = (name: string) => ({
  architecture: architectureSchema.parse({ name, width: 4, image: 24 }),
  classes: 3,
  batch: 8,
});
const threads = { threads: 1 };

describe('weights of examples', () => {
  const labels = Int32Array.of(0, 1, 1, 0);
  const given = (...weights: number[]) => ({
    ...{ labels, size: 4, weights: Float32Array.from(weights) },
  });
  const sum = (values: Float32Array) => values.reduce((all, each) => all + each, 0);

  test('multiply the targets, whatever they come to in a batch', () => {
    const light = targetsOf(given(1, 0.5, 0, 0.25), { classes: 2 });
    expect([...light.targets]).toEqual([1, 0, 0, 0.5, 0, 0, 0.25, 0]);
    expect(sum(light.exampleWeights)).toBe(4);
    const heavy = targetsOf(given(1, 9, 0, 2), { classes: 2 });
    expect([...heavy.targets]).toEqual([1, 0, 0, 9, 0, 0, 2, 0]);
    expect(sum(heavy.exampleWeights)).toBe(4);
  });

  test('go with those of classes, and are mixed with the partner', () => {
    const settings = { smoothing: 0, classWeights: Float32Array.of(2, 4) };
    const weighted = given(1, 0.5, 0.5, 1);
    const { targets, exampleWeights } = targetsOf(weighted, { classes: 2 }, settings);
    expect([...targets]).toEqual([2, 0, 0, 2, 0, 2, 2, 0]);
    expect([...exampleWeights]).toEqual([2, 4, 4, 2]);
    const mix = { partner: Int32Array.of(1, 0, 3, 2), lambda: 0.75 };
    const mixed = targetsOf({ ...weighted, mix }, { classes: 2 });
    expect([...mixed.targets.subarray(0, 2)]).toEqual([0.75, 0.125]);
  });

  test('of 1 change nothing', () => {
    const settings = { smoothing: 0.1, classWeights: Float32Array.of(0.3, 1.7) };
    const { weights, ...plain } = given(1, 1, 1, 1);
    expect(targetsOf({ ...plain, weights }, { classes: 2 }, settings)).toEqual(
      targetsOf(plain, { classes: 2 }, settings),
    );
  });

  test('a step’s loss is the mean of single losses worked out from the logits', async () => {
    const options = { ...optionsOf('convnet'), classes: 2, batch: 4 };
    const training = trainingSchema.parse({ epochs: 1, lr: { peak: 0.1 } });
    const weights = initialise(buildModel(options).parameters, 1);
    const trainer = await OnnxTrainer.create(options, training, startingFrom(weights), threads);
    const random = stream(2, 'pixels');
    const images = Float32Array.from({ length: 4 * 3 * 24 * 24 }, () => random.normal());
    const own = [0.5, 0, 1.25, 1];
    const { loss, logits } = await trainer.step({ images, ...given(...own) }, 0.1, () => 1);
    await trainer.close();
    const singles = Array.from(labels, (label, i) => {
      const [a, b] = [logits[2 * i]!, logits[2 * i + 1]!];
      return Math.log(Math.exp(a) + Math.exp(b)) - [a, b][label]!;
    });
    const worked = singles.reduce((all, each, i) => all + own[i]! * each, 0) / 4;
    expect(loss).toBeCloseTo(worked, 5);
  });
});

describe('a head from a probe', () => {
  test.each(['fixup-resnet10', 'resnet18', 'mobilenetv2', 'densenet121', 'convnet'])(
    '%s decides as the probe does on its pooled features',
    async (name) => {
      const base = optionsOf(name);
      const options = { ...base, architecture: { ...base.architecture, image: 32 } };
      const { parameters } = buildModel({ ...options, mode: 'evaluation' });
      const weights = initialise(parameters, 5);
      if (weights.has('bias2')) weights.set('bias2', Float32Array.of(0.375));
      const source = blobs(24, options);
      const { rows, labels, features } = await pooledFeatures(options, weights, source, threads);
      const probe = trainProbe(rows, labels, { features, classes: 3 });
      const changed = withHead(parameters, weights, probe);
      const network = await OnnxInference.create(options, changed, threads);
      const told = probeProbabilities(probe, rows);
      let at = 0;
      for await (const { images, size } of source.evaluation()) {
        const { logits } = await network.run(images, size);
        for (let row = 0; row < size; row++, at++) {
          const exps = [0, 1, 2].map((c) => Math.exp(logits[row * 3 + c]!));
          const total = exps.reduce((sum, each) => sum + each, 0);
          exps.forEach((each, c) => expect(each / total).toBeCloseTo(told[at * 3 + c]!, 4));
        }
      }
      await network.close();
      const head = parameters.filter(({ stage }) => stage === 'head').map((each) => each.name);
      for (const { name: each } of parameters) {
        expect(changed.get(each) === weights.get(each), each).toBe(!head.includes(each));
      }
    },
  );

  test('of CORAL is the probe of the aligned features, and knows no label of the target', async () => {
    const options = optionsOf('fixup-resnet10');
    const { parameters } = buildModel({ ...options, mode: 'evaluation' });
    const weights = initialise(parameters, 5);
    const [source, target] = [blobs(24, options), blobs(16, options, 9)];
    const [from, to] = [
      await pooledFeatures(options, weights, source, threads),
      await pooledFeatures(options, weights, target, threads),
    ];
    const { features } = from;
    const aligned = coralAligned(from.rows, to.rows, features);
    const probe = trainProbe(aligned, from.labels, { features, classes: 3 });
    const made = await withCoralHead(options, weights, { source, target }, threads);
    expect(made).toEqual(withHead(parameters, weights, probe));
    const unlabelled = {
      ...target,
      async *evaluation() {
        for await (const batch of target.evaluation())
          yield { ...batch, labels: new Int32Array(batch.size) };
      },
    };
    expect(await withCoralHead(options, weights, { source, target: unlabelled }, threads)).toEqual(
      made,
    );
  });
});

describe('a training on other images than those it is about', () => {
  const options = optionsOf('convnet');
  const training = trainingSchema.parse({ epochs: 2, batch: 8, lr: { peak: 0.05 } });
  const train = blobs(10, options);
  const learn = blobs(24, options, 9);
  const run = async (adapt?: Parameters<typeof trainRun>[0]['adapt'], from?: TrainingPoint) => {
    const points: TrainingPoint[] = [];
    const steps: number[] = [];
    const weights = initialise(buildModel(options).parameters, 1);
    const outcome = await trainRun({
      ...{ options, training, train, learn, validation: null, test: null, session: threads },
      ...(adapt && { adapt }),
      from: from ?? startPoint(startingFrom(weights)),
      hooks: {
        onStep: ({ stepsPerEpoch }) => steps.push(stepsPerEpoch),
        onEpoch: async (_, next) => void points.push(next),
        shouldStop: () => false,
        onStop: async () => undefined,
      },
    });
    return { outcome: outcome!, points, steps };
  };

  test('takes its steps on them and is evaluated on its own', async () => {
    train.asked.length = 0;
    const { outcome, steps } = await run();
    expect(steps).toEqual([3, 3, 3, 3, 3, 3]);
    expect(train.asked).toEqual([]);
    expect(learn.asked.slice(-2)).toEqual([
      { epoch: 1, first: 0, image: 24 },
      { epoch: 2, first: 0, image: 24 },
    ]);
    expect(outcome.train.logits).toHaveLength(10 * 3);
  });

  test('is changed once, after its last epoch, and goes on from there as it is', async () => {
    let times = 0;
    const adapt = async (weights: ReadonlyMap<string, Float32Array>) => {
      times += 1;
      return new Map([...weights, ['fc.bias', Float32Array.of(0, 50, 0)]]);
    };
    const { outcome, points } = await run(adapt);
    expect(times).toBe(1);
    const argmax = (row: number) =>
      [0, 1, 2].toSorted(
        (a, b) => outcome.train.logits[row * 3 + b]! - outcome.train.logits[row * 3 + a]!,
      )[0];
    expect([...Array(10).keys()].map(argmax)).toEqual(Array(10).fill(1));
    const again = await run(adapt, points.at(-1));
    expect(times).toBe(1);
    expect(again.outcome.weights).toEqual(outcome.weights);
    const before = await run(adapt, points[1]);
    expect(before.outcome.weights).toEqual(outcome.weights);
  });
});
