import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { architectureSchema } from '../../contract/architecture.ts';
import { trainingSchema } from '../../contract/study.ts';
import { GraphBuilder } from '../../engine/graph/builder.ts';
import type { ModelOptions } from '../../engine/models/model.ts';
import { initialise } from '../../engine/models/registry.ts';
import { startingFrom } from '../../engine/runtime/batch.ts';
import { loadTensorflowGpu } from '../../engine/runtime/tfjs/gpu.ts';
import { tfjsForward, tfjsLossAndGradients } from '../../engine/runtime/tfjs/runtime.ts';
import { TfjsTrainer } from '../../engine/runtime/tfjs/trainer.ts';
import { buildForwardLoss, buildLossAndGradients } from '../../engine/train/step.ts';

const options: ModelOptions = {
  architecture: architectureSchema.parse({
    name: 'fixup-resnet10',
    width: 2,
    image: 16,
    stem: 'imagenet',
  }),
  classes: 3,
  batch: 2,
};
const weights = initialise(buildForwardLoss(options).parameters, 0);
const batch = {
  images: new Float32Array(2 * 3 * 16 * 16).fill(0.5),
  labels: Int32Array.of(0, 2),
  size: 2,
};

test('frees every tensor: nothing is left after gradients and after a closed trainer', async () => {
  const training = trainingSchema.parse({ epochs: 1, lr: { peak: 0.1 }, 'clip-norm': 1 });
  const { numTensors } = tf.memory();
  await tfjsLossAndGradients(options, weights, batch);
  expect(tf.memory().numTensors).toBe(numTensors);

  const trainer = await TfjsTrainer.create(options, training, startingFrom(weights));
  const held = tf.memory().numTensors;
  await trainer.step(batch, 0.1, () => 1);
  await trainer.step(batch, 0.1, () => 2);
  expect(tf.memory().numTensors).toBe(held);
  await trainer.close();
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('refuses a graph that we have differentiated, and names the node', async () => {
  const { graph } = buildLossAndGradients(options);
  const feeds = new Map([...graph.inputs, ...graph.parameters].map((v) => [v.name, zerosFor(v)]));
  await expect(tfjsForward(graph, feeds)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringMatching(/node ".+" is a \w+Gradient/) as string,
  });
});

test('names an input that was not given', async () => {
  const g = new GraphBuilder();
  const graph = g.finish([['y', g.exp(g.input('images', [2]))]]);
  await expect(tfjsForward(graph, new Map())).rejects.toMatchObject({
    code: 'bad-input',
    message: 'no value was given for input "images"',
  });
});

test('TensorFlow itself either runs graphs, or says why it cannot and what to do', async () => {
  const state = loadTensorflowGpu();
  if (!state.awake) {
    expect(state.reason).toContain('@tensorflow/tfjs-node-gpu');
    expect(state.wayOut).not.toBe('');
  }
  expect(tf.getBackend()).toBe(state.awake ? 'tensorflow' : 'cpu');
  const g = new GraphBuilder();
  const graph = g.finish([['y', g.relu(g.input('x', [3]))]]);
  const outputs = await tfjsForward(graph, new Map([['x', Float32Array.of(-1, 0, 2)]]));
  expect([...(outputs.get('y') ?? [])]).toEqual([0, 0, 2]);
});

function zerosFor({ shape }: { shape: readonly number[] }): Float32Array {
  return new Float32Array(shape.reduce((product, side) => product * side, 1));
}
