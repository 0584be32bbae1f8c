/**
 * DenseNet-121 (Huang et al., arXiv 1608.06993) as torchvision builds it. Parameter names are
 * torchvision's. The growth rate is half the width.
 */
import type { Value } from '../graph/types.ts';
import type { ConvolutionOptions } from './layers.ts';
import { ZERO, batchNorm, channelsOf, convolution, globalPool, linear } from './layers.ts';
import type { Initialiser, Model, ModelOptions } from './model.ts';
import { ModelBuilder } from './model.ts';

/** Layers of each dense block. */
const BLOCKS = [6, 12, 24, 16] as const;
/** Channels of a layer's 1x1 convolution, as a multiple of the growth rate. */
const BOTTLENECK = 4;

/** Builds the network's forward pass. */
export function buildDenseNet(options: ModelOptions): Model {
  const m = new ModelBuilder(options);
  const { width } = options.architecture;
  const images = m.images();
  const growth = Math.max(1, Math.floor(width / 2));
  const normed = m.g.scope('features', () => {
    let x = m.tap(
      'stem',
      m.stage('stem', () => stem(m, images, width)),
    );
    BLOCKS.forEach((layers, index) => {
      const name = `denseblock${index + 1}`;
      m.stage(name, () => {
        x = m.tap(name, denseBlock(m, name, x, layers, growth));
        if (index < BLOCKS.length - 1) x = transition(m, `transition${index + 1}`, x);
      });
    });
    const last = () => m.module('features.norm5', () => batchNorm(m, 'norm5', x));
    return m.stage(`denseblock${BLOCKS.length}`, last);
  });
  const pooled = globalPool(m, m.g.relu(normed));
  const head = () => linear(m, 'classifier', pooled, options.classes, { bias: ZERO });
  return m.finish(
    images,
    m.stage('head', () => m.module('classifier', head)),
  );
}

/** He's normal by fan-in. */
function convolve(
  m: ModelBuilder,
  name: string,
  x: Value,
  options: Omit<ConvolutionOptions, 'initialiser'>,
): Value {
  const fanIn = channelsOf(x) * options.side ** 2;
  const initialiser: Initialiser = { kind: 'normal', std: Math.sqrt(2 / fanIn) };
  return convolution(m, name, x, { ...options, initialiser });
}

function stem(m: ModelBuilder, images: Value, width: number): Value {
  const small = m.options.architecture.stem === 'small';
  const activated = m.module('features.conv0', () => {
    const side = small ? 5 : 7;
    const x = convolve(m, 'conv0', images, { filters: width, side, stride: 2 });
    return m.g.relu(batchNorm(m, 'norm0', x));
  });
  return small ? activated : m.g.maxPool(activated, { size: 3, stride: 2, pad: 1 });
}

/** Each layer is given all that came before it, and adds `growth` channels. */
function denseBlock(
  m: ModelBuilder,
  name: string,
  x: Value,
  layers: number,
  growth: number,
): Value {
  let all = x;
  for (let index = 1; index <= layers; index++) {
    const layer = `${name}.denselayer${index}`;
    const fresh = m.namedModule(layer, () => denseLayer(m, all, growth));
    all = m.g.concat([all, fresh], 1);
  }
  return all;
}

function denseLayer(m: ModelBuilder, x: Value, growth: number): Value {
  const { g } = m;
  let out = g.relu(batchNorm(m, 'norm1', x));
  out = convolve(m, 'conv1', out, { filters: BOTTLENECK * growth, side: 1 });
  out = g.relu(batchNorm(m, 'norm2', out));
  return convolve(m, 'conv2', out, { filters: growth, side: 3 });
}

function transition(m: ModelBuilder, name: string, x: Value): Value {
  return m.namedModule(name, () => {
    const out = m.g.relu(batchNorm(m, 'norm', x));
    const halved = { filters: Math.floor(channelsOf(x) / 2), side: 1 };
    return m.g.averagePool(convolve(m, 'conv', out, halved), 2);
  });
}
