import type { ArchitectureName } from '../../contract/architecture.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { stream } from '../random/streams.ts';
import type { FixupDepth } from './fixup-resnet.ts';
import { buildFixupResNet } from './fixup-resnet.ts';
import type { Initialiser, Model, ModelOptions, ParameterSpec } from './model.ts';
import { sizeOf } from '../graph/types.ts';

type Build = (options: ModelOptions) => Model;

const BUILD: { [K in ArchitectureName]?: Build } = {
  'fixup-resnet10': fixup({ block: 'basic', stages: [1, 1, 1, 1] }),
  'fixup-resnet18': fixup({ block: 'basic', stages: [2, 2, 2, 2] }),
  'fixup-resnet34': fixup({ block: 'basic', stages: [3, 4, 6, 3] }),
  'fixup-resnet50': fixup({ block: 'bottleneck', stages: [3, 4, 6, 3] }),
};

function fixup(depth: FixupDepth): Build {
  return (options) => buildFixupResNet(depth, options);
}

/** Tensors by parameter name, running statistics among them. */
export type Weights = Map<string, Float32Array>;

/** The forward pass of an architecture on a new graph. */
export function buildModel(options: ModelOptions): Model {
  const { name } = options.architecture;
  const build = BUILD[name];
  if (!build) throw new CarryoverError('unsupported', `there is no architecture "${name}" yet`);
  return build(options);
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
