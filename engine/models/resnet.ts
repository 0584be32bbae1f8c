/**
 * Residual networks with BatchNorm (He et al., "Deep Residual Learning", arXiv 1512.03385) as
 * torchvision builds them: the bottleneck's stride is in its 3x3 convolution ("v1.5"). Parameter
 * names are torchvision's.
 */
import type { Value } from '../graph/types.ts';
import { batchNorm, channelsOf, convolution, globalPool, linear } from './layers.ts';
import type { Model, ModelOptions } from './model.ts';
import { ModelBuilder } from './model.ts';

export interface ResNetDepth {
  block: 'basic' | 'bottleneck';
  /** Blocks in each of the four stages. */
  stages: readonly [number, number, number, number];
}

/** Builds the network's forward pass. */
export function buildResNet(depth: ResNetDepth, options: ModelOptions): Model {
  const { width, stem: kind } = options.architecture;
  const m = new ModelBuilder(options);
  const images = m.images();
  let x = m.stage('stem', () => m.module('conv1', () => stem(m, images, width, kind)));
  m.tap('stem', x);
  const block = depth.block === 'basic' ? basicBlock : bottleneck;
  depth.stages.forEach((count, stage) => {
    m.stage(`layer${stage + 1}`, () => {
      for (let index = 0; index < count; index++) {
        const stride = stage > 0 && index === 0 ? 2 : 1;
        const name = `layer${stage + 1}.${index}`;
        x = m.namedModule(name, () => block(m, x, width * 2 ** stage, stride));
        m.tap(name, x);
      }
    });
  });
  const pooled = globalPool(m, x);
  const head = () => linear(m, 'fc', pooled, options.classes);
  return m.finish(
    images,
    m.stage('head', () => m.module('fc', head)),
  );
}

/** small: 5x5, without pooling. */
function stem(m: ModelBuilder, images: Value, width: number, kind: 'small' | 'imagenet'): Value {
  const side = kind === 'small' ? 5 : 7;
  const x = convolution(m, 'conv1', images, { filters: width, side, stride: 2 });
  const activated = m.g.relu(batchNorm(m, 'bn1', x));
  return kind === 'small' ? activated : m.g.maxPool(activated, { size: 3, stride: 2, pad: 1 });
}

/** Identity, or a strided 1x1 convolution where the shape changes. */
function shortcut(m: ModelBuilder, x: Value, filters: number, stride: number): Value {
  if (stride === 1 && channelsOf(x) === filters) return x;
  const projected = convolution(m, 'downsample.0', x, { filters, side: 1, stride });
  return batchNorm(m, 'downsample.1', projected);
}

function basicBlock(m: ModelBuilder, x: Value, width: number, stride: number): Value {
  const { g } = m;
  let out = convolution(m, 'conv1', x, { filters: width, side: 3, stride });
  out = g.relu(batchNorm(m, 'bn1', out));
  out = batchNorm(m, 'bn2', convolution(m, 'conv2', out, { filters: width, side: 3 }));
  return g.relu(g.add(out, shortcut(m, x, width, stride)));
}

function bottleneck(m: ModelBuilder, x: Value, width: number, stride: number): Value {
  const { g } = m;
  let out = convolution(m, 'conv1', x, { filters: width, side: 1 });
  out = g.relu(batchNorm(m, 'bn1', out));
  out = convolution(m, 'conv2', out, { filters: width, side: 3, stride });
  out = g.relu(batchNorm(m, 'bn2', out));
  out = batchNorm(m, 'bn3', convolution(m, 'conv3', out, { filters: width * 4, side: 1 }));
  return g.relu(g.add(out, shortcut(m, x, width * 4, stride)));
}
