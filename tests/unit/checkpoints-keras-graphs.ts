import * as tf from '@tensorflow/tfjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Tensor = tf.SymbolicTensor;

function conv(
  x: Tensor,
  name: string,
  filters: number,
  { side = 1, stride = 1, padding = 'same' as 'same' | 'valid' } = {},
): Tensor {
  const options = { filters, kernelSize: side, strides: stride, padding, useBias: false, name };
  return tf.layers.conv2d(options).apply(x) as Tensor;
}

function norm(x: Tensor, name: string, epsilon: number): Tensor {
  return tf.layers.batchNormalization({ epsilon, name }).apply(x) as Tensor;
}

function relu(x: Tensor, maxValue?: number): Tensor {
  return tf.layers.reLU(maxValue === undefined ? {} : { maxValue }).apply(x) as Tensor;
}

function padded(x: Tensor, [near, far]: [number, number]): Tensor {
  const padding: [[number, number], [number, number]] = [
    [near, far],
    [near, far],
  ];
  return tf.layers.zeroPadding2d({ padding }).apply(x) as Tensor;
}

function head(x: Tensor, classes: number, name: string): Tensor {
  const pooled = tf.layers.globalAveragePooling2d({}).apply(x);
  return tf.layers.dense({ units: classes, name }).apply(pooled) as Tensor;
}

/** keras/src/applications/mobilenet_v2.py. */
export function kerasMobileNetV2(side: number, alpha: number, classes: number): tf.LayersModel {
  const epsilon = 1e-3;
  const input = tf.input({ shape: [side, side, 3] });
  const start = conv(input, 'Conv1', divisible(32 * alpha), { side: 3, stride: 2 });
  let x = relu(norm(start, 'bn_Conv1', epsilon), 6);
  MOBILE_BLOCKS.forEach(([filters, stride], block) => {
    x = invertedResidual(x, { filters: divisible(Math.floor(filters * alpha)), stride, block });
  });
  x = relu(norm(conv(x, 'Conv_1', 1280), 'Conv_1_bn', epsilon), 6);
  return tf.model({ inputs: input, outputs: head(x, classes, 'predictions') });
}

/** Filters and stride of each block. */
const MOBILE_BLOCKS: readonly (readonly [number, number])[] = [
  [16, 1],
  [24, 2],
  [24, 1],
  [32, 2],
  [32, 1],
  [32, 1],
  [64, 2],
  [64, 1],
  [64, 1],
  [64, 1],
  [96, 1],
  [96, 1],
  [96, 1],
  [160, 2],
  [160, 1],
  [160, 1],
  [320, 1],
];

function divisible(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

function invertedResidual(
  given: Tensor,
  { filters, stride, block }: { filters: number; stride: number; block: number },
): Tensor {
  const epsilon = 1e-3;
  const [, side = 0, , channels = 0] = given.shape as number[];
  const prefix = block === 0 ? 'expanded_conv_' : `block_${block}_`;
  let x = given;
  if (block > 0) {
    x = norm(conv(x, `${prefix}expand`, 6 * channels), `${prefix}expand_BN`, epsilon);
    x = relu(x, 6);
  }
  if (stride === 2) x = padded(x, side % 2 === 0 ? [0, 1] : [1, 1]);
  const depthwise = tf.layers.depthwiseConv2d({
    kernelSize: 3,
    strides: stride,
    padding: stride === 1 ? 'same' : 'valid',
    useBias: false,
    name: `${prefix}depthwise`,
  });
  x = relu(norm(depthwise.apply(x) as Tensor, `${prefix}depthwise_BN`, epsilon), 6);
  x = norm(conv(x, `${prefix}project`, filters), `${prefix}project_BN`, epsilon);
  if (channels !== filters || stride !== 1) return x;
  return tf.layers.add({ name: `${prefix}add` }).apply([given, x]) as Tensor;
}

/** keras/src/applications/densenet.py with other widths. */
export function kerasDenseNet121(side: number, width: number, classes: number): tf.LayersModel {
  const epsilon = 1.001e-5;
  const input = tf.input({ shape: [side, side, 3] });
  let x = conv(padded(input, [3, 3]), 'conv1_conv', width, {
    side: 7,
    stride: 2,
    padding: 'valid',
  });
  x = relu(norm(x, 'conv1_bn', epsilon));
  const pool = tf.layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'valid' });
  x = pool.apply(padded(x, [1, 1])) as Tensor;
  [6, 12, 24, 16].forEach((layers, index) => {
    for (let layer = 1; layer <= layers; layer++) {
      const name = `conv${index + 2}_block${layer}`;
      let fresh = relu(norm(x, `${name}_0_bn`, epsilon));
      fresh = conv(fresh, `${name}_1_conv`, 2 * width, { padding: 'valid' });
      fresh = relu(norm(fresh, `${name}_1_bn`, epsilon));
      fresh = conv(fresh, `${name}_2_conv`, width / 2, { side: 3 });
      x = tf.layers.concatenate({ name: `${name}_concat` }).apply([x, fresh]) as Tensor;
    }
    if (index < 3) x = transition(x, `pool${index + 2}`, epsilon);
  });
  x = relu(norm(x, 'bn', epsilon));
  return tf.model({ inputs: input, outputs: head(x, classes, 'fc1000') });
}

function transition(given: Tensor, name: string, epsilon: number): Tensor {
  const x = relu(norm(given, `${name}_bn`, epsilon));
  const halved = conv(x, `${name}_conv`, (x.shape[3] ?? 0) / 2, { padding: 'valid' });
  return tf.layers.averagePooling2d({ poolSize: 2, strides: 2 }).apply(halved) as Tensor;
}

/** Weights that keep activations of an order and differ everywhere; small variances, where epsilon counts. */
export function scramble(model: tf.LayersModel): void {
  let seed = 1;
  for (const layer of model.layers) {
    const drawn = layer.weights.map(({ shape, name }) => {
      const sides = shape as number[];
      const [mean, std] = spreadOf(name, sides);
      const values = tf.truncatedNormal(sides, mean, std, 'float32', seed++);
      return name.includes('variance') ? tf.add(tf.abs(values), 1e-4) : values;
    });
    if (drawn.length > 0) layer.setWeights(drawn);
  }
}

function spreadOf(name: string, shape: number[]): [number, number] {
  if (name.includes('gamma')) return [1, 0.2];
  if (name.includes('variance')) return [1, 0.5];
  if (shape.length === 1) return [0, 0.2];
  const isDepthwise = name.includes('depthwise');
  const fanIn = isDepthwise ? 9 : shape.slice(0, -1).reduce((a, b) => a * b, 1);
  return [0, Math.sqrt(2 / fanIn)];
}

/** Saves a model as TensorFlow.js does: model.json and its shard in a folder. */
export async function saveModel(model: tf.LayersModel, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      const { modelTopology, weightSpecs, weightData } = artifacts;
      const buffers = Array.isArray(weightData) ? weightData : [weightData!];
      writeFileSync(join(folder, 'w.bin'), Buffer.concat(buffers.map((data) => Buffer.from(data))));
      const weightsManifest = [{ paths: ['w.bin'], weights: weightSpecs }];
      const json = { format: 'layers-model', modelTopology, weightsManifest };
      writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' },
      });
    }),
  );
  return join(folder, 'model.json');
}
