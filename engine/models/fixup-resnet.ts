/**
 * Fixup-ResNet: residual networks without normalisation (Zhang, Dauphin and Ma, "Fixup
 * Initialization", ICLR 2019, arXiv 1901.09321), as the paper's released code trains them: the
 * head is not zero-initialised ("nzfc"). Parameter names are those of the authors' PyTorch code.
 */
import type { Value } from '../graph/types.ts';
import type { Initialiser, Model, ModelOptions } from './model.ts';
import { ONE, ZERO, channelsOf, globalPool, he, linear, torchDefault } from './layers.ts';
import { ModelBuilder } from './model.ts';
import type { ResNetDepth } from './resnet.ts';

/** Builds the network's forward pass. */
export function buildFixupResNet(depth: ResNetDepth, options: ModelOptions): Model {
  const { architecture, classes } = options;
  const m = new ModelBuilder(options);
  const images = m.images();
  const blocks = depth.stages.reduce((sum, count) => sum + count, 0);
  let x = m.stage('stem', () =>
    m.module('conv1', () => stem(m, images, architecture.width, architecture.stem)),
  );
  m.tap('stem', x);
  depth.stages.forEach((count, stage) => {
    const width = architecture.width * 2 ** stage;
    m.stage(`layer${stage + 1}`, () => {
      for (let index = 0; index < count; index++) {
        const stride = stage > 0 && index === 0 ? 2 : 1;
        const name = `layer${stage + 1}.${index}`;
        const block = depth.block === 'basic' ? basicBlock : bottleneck;
        x = m.namedModule(name, () => block(m, x, width, stride, blocks));
        m.tap(name, x);
      }
    });
  });
  return m.finish(images, head(m, globalPool(m, x), classes));
}

function bias(m: ModelBuilder, name: string): Value {
  return m.parameter(name, [1], ZERO, 'bias');
}

function filter(
  m: ModelBuilder,
  name: string,
  [filters, depth, side]: readonly [number, number, number],
  initialiser: Initialiser,
): Value {
  return m.parameter(`${name}.weight`, [filters, depth, side, side], initialiser);
}

function stem(m: ModelBuilder, images: Value, width: number, kind: 'small' | 'imagenet'): Value {
  const side = kind === 'small' ? 5 : 7;
  const depth = channelsOf(images);
  const weight = filter(m, 'conv1', [width, depth, side], torchDefault(depth * side * side));
  const geometry = { stride: 2, pad: (side - 1) / 2 };
  const x = m.g.relu(m.g.conv2d(images, weight, geometry, bias(m, 'bias1')));
  return kind === 'small' ? x : m.g.maxPool(x, { size: 3, stride: 2, pad: 1 });
}

/**
 * The scale of a branch's last convolution. It multiplies the filter instead of the (larger)
 * activation, which is the same function.
 */
function scaled(m: ModelBuilder, weight: Value): Value {
  return m.g.mul(weight, m.parameter('scale', [1], ONE, 'scale'));
}

/** Identity, or a strided 1x1 convolution where the shape changes. */
function shortcut(m: ModelBuilder, x: Value, shifted: Value, out: number, stride: number): Value {
  if (stride === 1 && channelsOf(x) === out) return x;
  const weight = filter(m, 'downsample', [out, channelsOf(x), 1], he(out, 1));
  return m.g.conv2d(shifted, weight, { stride, pad: 0 });
}

function basicBlock(
  m: ModelBuilder,
  x: Value,
  width: number,
  stride: number,
  blocks: number,
): Value {
  const { g } = m;
  const shifted = g.add(x, bias(m, 'bias1a'));
  const first = filter(m, 'conv1', [width, channelsOf(x), 3], he(width, 3, blocks ** -0.5));
  let out = g.relu(g.conv2d(shifted, first, { stride, pad: 1 }, bias(m, 'bias1b')));
  out = g.add(out, bias(m, 'bias2a'));
  const second = scaled(m, filter(m, 'conv2', [width, width, 3], ZERO));
  out = g.conv2d(out, second, { stride: 1, pad: 1 }, bias(m, 'bias2b'));
  return g.relu(g.add(out, shortcut(m, x, shifted, width, stride)));
}

function bottleneck(
  m: ModelBuilder,
  x: Value,
  width: number,
  stride: number,
  blocks: number,
): Value {
  const { g } = m;
  const factor = blocks ** -0.25;
  const shifted = g.add(x, bias(m, 'bias1a'));
  const first = filter(m, 'conv1', [width, channelsOf(x), 1], he(width, 1, factor));
  let out = g.relu(g.conv2d(shifted, first, { stride: 1, pad: 0 }, bias(m, 'bias1b')));
  out = g.add(out, bias(m, 'bias2a'));
  const second = filter(m, 'conv2', [width, width, 3], he(width, 3, factor));
  out = g.relu(g.conv2d(out, second, { stride, pad: 1 }, bias(m, 'bias2b')));
  out = g.add(out, bias(m, 'bias3a'));
  const third = scaled(m, filter(m, 'conv3', [width * 4, width, 1], ZERO));
  out = g.conv2d(out, third, { stride: 1, pad: 0 }, bias(m, 'bias3b'));
  return g.relu(g.add(out, shortcut(m, x, shifted, width * 4, stride)));
}

/** The paper's loader keeps `bias2` under a new head, so it belongs to the last stage before it. */
function head(m: ModelBuilder, pooled: Value, classes: number): Value {
  return m.module('fc', () => {
    const shifted = m.g.add(
      pooled,
      m.stage('layer4', () => bias(m, 'bias2')),
    );
    return m.stage('head', () => linear(m, 'fc', shifted, classes, { role: 'bias' }));
  });
}
