import type { ArchitectureName, ArchitectureSpec } from '../../contract/architecture.ts';
import { ARCHITECTURE_DEFAULTS } from '../../contract/architecture.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { stream } from '../random/streams.ts';
import { buildConvNet } from './convnet.ts';
import { buildDenseNet } from './densenet.ts';
import { buildFixupResNet } from './fixup-resnet.ts';
import { buildMobileNetV2 } from './mobilenetv2.ts';
import type { ResNetDepth } from './resnet.ts';
import { buildResNet } from './resnet.ts';
import type { Initialiser, Model, ModelOptions, ParameterSpec } from './model.ts';
import { sizeOf } from '../graph/types.ts';

type Build = (options: ModelOptions) => Model;

const BUILD: Record<ArchitectureName, Build> = {
  'fixup-resnet10': fixup({ block: 'basic', stages: [1, 1, 1, 1] }),
  'fixup-resnet18': fixup({ block: 'basic', stages: [2, 2, 2, 2] }),
  'fixup-resnet34': fixup({ block: 'basic', stages: [3, 4, 6, 3] }),
  'fixup-resnet50': fixup({ block: 'bottleneck', stages: [3, 4, 6, 3] }),
  resnet18: resNet({ block: 'basic', stages: [2, 2, 2, 2] }),
  resnet34: resNet({ block: 'basic', stages: [3, 4, 6, 3] }),
  resnet50: resNet({ block: 'bottleneck', stages: [3, 4, 6, 3] }),
  mobilenetv2: buildMobileNetV2,
  densenet121: buildDenseNet,
  convnet: buildConvNet,
};

/** Architectures with one stem only, so that `stem` has nothing to choose. */
const ONE_STEM: readonly ArchitectureName[] = ['mobilenetv2', 'convnet'];

function fixup(depth: ResNetDepth): Build {
  return (options) => buildFixupResNet(depth, options);
}

function resNet(depth: ResNetDepth): Build {
  return (options) => buildResNet(depth, options);
}

/** Whether the network normalises by running statistics. */
export function hasBatchNorm(architecture: ArchitectureSpec): boolean {
  const { parameters } = buildModel({ architecture, classes: 1, batch: 1, mode: 'evaluation' });
  return parameters.some(({ role }) => role === 'statistic');
}

/** Tensors by parameter name, running statistics among them. */
export type Weights = Map<string, Float32Array>;

/**
 * The forward pass of an architecture on a new graph.
 * @throws CarryoverError `bad-input` when the architecture has no such stem or dialect, or the image
 *   is too small for it
 */
export function buildModel(options: ModelOptions): Model {
  const { name, stem, dialect } = options.architecture;
  if (ONE_STEM.includes(name) && stem !== ARCHITECTURE_DEFAULTS[name].stem) {
    throw new CarryoverError('bad-input', `${name} has one stem, and it is not "${stem}"`, {
      value: stem,
      wayOut: 'leave architecture.stem out',
    });
  }
  if (dialect === 'keras' && name !== 'mobilenetv2') {
    throw new CarryoverError('bad-input', `${name} has no dialect "keras"`, {
      value: dialect,
      wayOut: 'leave architecture.dialect out; Keras weights fit mobilenetv2 only',
    });
  }
  return BUILD[name](options);
}

/**
 * Random start: one stream per parameter, `stream(seed, 'init', name)`, so that two networks
 * that differ in their head only have the same backbone.
 */
export function initialise(parameters: readonly ParameterSpec[], seed: number): Weights {
  return new Map(parameters.map((parameter) => [parameter.name, draw(parameter, seed)]));
}

function draw({ name, shape, initialiser }: ParameterSpec, seed: number): Float32Array {
  const data = new Float32Array(sizeOf(shape));
  if (initialiser.kind === 'constant') return data.fill(initialiser.value);
  const next = sampler(initialiser, seed, name);
  for (let i = 0; i < data.length; i++) data[i] = next();
  return data;
}

function sampler(
  initialiser: Exclude<Initialiser, { kind: 'constant' }>,
  seed: number,
  name: string,
): () => number {
  const random = stream(seed, 'init', name);
  if (initialiser.kind === 'normal') return () => random.normal() * initialiser.std;
  return () => random.uniform(-initialiser.bound, initialiser.bound);
}
