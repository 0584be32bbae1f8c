/**
 * What is sent back from networks to images, against PyTorch (tests/reference/make_visual.py) and
 * TensorFlow.js, which differentiates by itself.
 */
import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import type { ArchitectureInput } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import {
  buildAnswer,
  buildDeconvnet,
  buildGradCam,
  mapsOf,
} from '../../engine/analysis/visual/graphs.ts';
import { oneHot } from '../../engine/analysis/visual/maximise.ts';
import type { PerItem } from '../../engine/analysis/visual/session.ts';
import { VisualSession } from '../../engine/analysis/visual/session.ts';
import type { Graph } from '../../engine/graph/types.ts';
import { sizeOf } from '../../engine/graph/types.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import type { Weights } from '../../engine/models/registry.ts';
import { buildModel } from '../../engine/models/registry.ts';
import { interpret } from '../../engine/runtime/tfjs/interpret.ts';
import { toTensors } from '../../engine/runtime/tfjs/runtime.ts';
import { disagreement } from './support/agree.ts';
import { formula } from './support/formula.ts';
import { fixupWeights, normalisedWeights } from './support/formula-weights.ts';

interface Kept {
  size: number;
  norm: number;
  values: [at: number, value: number][];
}

interface Case extends ArchitectureInput {
  classes: number;
  batch: number;
  channels: 1 | 3;
  shift: number;
  salt: number;
  tap: string;
  /** By image: where the deconvnet's signal starts. */
  peaks: { channel: number; position: number }[];
  /** Grad-CAM of the label's logit, and that logit's slope along the images. */
  cam: Kept;
  slope: Kept;
  signal: Kept;
  /** Means of the first peak's channel. */
  answer: Kept;
}

const file = new URL('../reference/visual.json', import.meta.url);
const { cases } = JSON.parse(await readFile(file, 'utf8')) as { cases: Case[] };

function setUp({ name, width, image, stem, channels, classes, batch, shift, salt }: Case) {
  const architecture = architectureSchema.parse({ name, width, image, stem, channels });
  const options: ModelOptions = { architecture, classes, batch };
  const { parameters } = buildModel({ ...options, mode: 'evaluation' });
  const weights = name.startsWith('fixup')
    ? fixupWeights(parameters)
    : normalisedWeights(parameters, shift);
  const images = formula(batch * channels * image * image, salt).map((v) => v * 4);
  const labels = Array.from({ length: batch }, (_, i) => (i * 7) % classes);
  return { options, weights, images, classes: oneHot(labels, classes) };
}

async function run(graph: Graph, weights: Weights, given: PerItem, count: number) {
  const session = await VisualSession.create(graph);
  try {
    return await session.run(await session.place(weights), given, count);
  } finally {
    await session.close();
  }
}

function expectKept(found: Float32Array | undefined, { size, norm, values }: Kept): void {
  expect(found).toHaveLength(size);
  const length = Math.hypot(...(found ?? []));
  expect(Math.abs(length - norm) / norm).toBeLessThan(1e-3);
  const scale = Math.max(norm / Math.sqrt(size), ...values.map(([, value]) => Math.abs(value)));
  for (const [at, value] of values) {
    expect(Math.abs((found?.[at] ?? NaN) - value) / scale, `value ${at}`).toBeLessThan(1e-3);
  }
}

describe.each(cases)('$name, width $width, $image px, $tap', (reference) => {
  const { options, weights, images, classes } = setUp(reference);
  const { batch, tap, peaks } = reference;
  const [, channels = 0, rows = 0, columns = 0] = mapsOf(options).get(tap) ?? [];

  test("Grad-CAM is PyTorch's", async () => {
    const found = await run(buildGradCam(options, tap), weights, { images, classes }, batch);
    expectKept(found.get('cam'), reference.cam);
  });

  test("the slope of a logit along the images is PyTorch's", async () => {
    const graph = buildAnswer(options, 'logits');
    const found = await run(graph, weights, { images, channels: classes }, batch);
    expectKept(found.get('slope'), reference.slope);
  });

  test("a channel's answer is PyTorch's", async () => {
    const asked = oneHot(Array<number>(batch).fill(peaks[0]?.channel ?? 0), channels);
    const found = await run(buildAnswer(options, tap), weights, { images, channels: asked }, batch);
    expectKept(found.get('answer'), reference.answer);
  });

  test("the deconvnet's signal is that of PyTorch", async () => {
    const at = peaks.map(({ channel, position }) => channel * rows * columns + position);
    const start = oneHot(at, channels * rows * columns);
    const found = await run(buildDeconvnet(options, tap), weights, { images, start }, batch);
    expectKept(found.get('signal'), reference.signal);
  });
});

describe.each(cases.filter(({ width }) => (width ?? 64) <= 16))(
  '$name, width $width, $tap',
  (reference) => {
    test("the slope of a channel's answer is what TensorFlow.js differentiates", async () => {
      const { options, weights, images } = setUp(reference);
      const { tap, batch } = reference;
      const graph = buildAnswer(options, tap);
      const channels = oneHot(
        reference.peaks.map(({ channel }) => channel),
        mapsOf(options).get(tap)?.[1] ?? 0,
      );
      const found = await run(graph, weights, { images, channels }, batch);
      const expected = await tfjsSlope(
        graph,
        new Map([...weights, ['channels', channels]]),
        images,
      );
      const worst = disagreement(
        new Map([['slope', expected]]),
        new Map([['slope', found.get('slope') as Float32Array]]),
      );
      expect(worst.relative).toBeLessThan(1e-3);
    });
  },
);

/** The slope of the sum of the graph's answers along its images. */
async function tfjsSlope(
  { inputs, parameters, values, outputs }: Graph,
  feeds: ReadonlyMap<string, Float32Array>,
  images: Float32Array,
): Promise<Float32Array> {
  await tf.ready();
  const answer = outputs.get('answer');
  if (!answer) throw new Error('no answer');
  // What TensorFlow.js can read: the forward pass, without our own slope.
  const needed = new Set([answer]);
  for (const value of [...values].reverse()) {
    if (needed.has(value)) value.inputs.forEach((input) => needed.add(input));
  }
  const forward: Graph = {
    ...{ inputs, parameters, outputs: new Map([['answer', answer]]) },
    values: values.filter((value) => needed.has(value)),
  };
  const shape = inputs.find(({ name }) => name === 'images')?.shape ?? [];
  expect(sizeOf(shape)).toBe(images.length);
  const slope = tf.tidy(() => {
    const given = toTensors([...inputs, ...parameters], feeds);
    const sum = (x: tf.Tensor): tf.Tensor => {
      const found = interpret(forward, new Map([...given, ['images', x]]));
      return tf.sum(found.get('answer') as tf.Tensor);
    };
    return tf.grad(sum)(tf.tensor(images, [...shape]));
  });
  const data = Float32Array.from(await slope.data());
  slope.dispose();
  return data;
}
