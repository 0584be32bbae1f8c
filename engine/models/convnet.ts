/** A plain network to learn from: three blocks of convolution, BatchNorm, relu and pooling. */
import { batchNorm, channelsOf, convolution, globalPool, linear, torchDefault } from './layers.ts';
import type { Model, ModelOptions } from './model.ts';
import { ModelBuilder } from './model.ts';

/** Builds the network's forward pass; each block halves the side and doubles the channels. */
export function buildConvNet(options: ModelOptions): Model {
  const m = new ModelBuilder(options);
  const images = m.images();
  let x = images;
  ['stem', 'block2', 'block3'].forEach((stage, index) => {
    m.stage(stage, () => {
      const name = `block${index + 1}`;
      const filters = options.architecture.width * 2 ** index;
      x = m.namedModule(name, () => {
        const initialiser = torchDefault(channelsOf(x) * 9);
        const convolved = convolution(m, 'conv', x, { filters, side: 3, initialiser });
        const activated = m.g.relu(batchNorm(m, 'bn', convolved));
        return m.g.maxPool(activated, { size: 2, stride: 2, pad: 0 });
      });
      m.tap(name, x);
    });
  });
  const pooled = globalPool(m, x);
  const head = () => linear(m, 'fc', pooled, options.classes);
  return m.finish(
    images,
    m.stage('head', () => m.module('fc', head)),
  );
}
