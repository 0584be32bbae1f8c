import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { stream } from '../random/streams.ts';
import type { FixupDepth } from './fixup-resnet.ts';
import { buildFixupResNet } from './fixup-resnet.ts';
import type { Initialiser, Model, ModelOptions, ParameterSpec } from './model.ts';
import { sizeOf } from '../graph/types.ts';

const FIXUP_DEPTHS: Record<ArchitectureSpec['name'], FixupDepth> = {
  'fixup-resnet10': { block: 'basic', stages: [1, 1, 1, 1] },
  'fixup-resnet18': { block: 'basic', stages: [2, 2, 2, 2] },
  'fixup-resnet34': { block: 'basic', stages: [3, 4, 6, 3] },
  'fixup-resnet50': { block: 'bottleneck', stages: [3, 4, 6, 3] },
};

/** Tensors by parameter name. */
export type Weights = Map<string, Float32Array>;

/** The head is what fine-tuning re-initialises: `fc.weight` and `fc.bias`, as in the paper's loader. */
export function isHead(parameter: string): boolean {
  return parameter.startsWith('fc.');
}

/** The forward pass of an architecture on a new graph. */
export function buildModel(options: ModelOptions): Model {
  return buildFixupResNet(FIXUP_DEPTHS[options.architecture.name], options);
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
