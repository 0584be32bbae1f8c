import type { Training } from '../../contract/study.ts';
import { gradients } from '../graph/gradients.ts';
import type { Graph, Value } from '../graph/types.ts';
import type { Model, ModelOptions, ParameterSpec } from '../models/model.ts';
import { buildModel } from '../models/registry.ts';
import { softmaxCrossEntropy } from './loss.ts';
import { gradientNorm, sgdUpdates } from './sgd.ts';

/** Prefix of a parameter's momentum among a training step's inputs. */
export const MOMENTUM = 'momentum/';
/** Prefix of a parameter's gradient among a loss graph's outputs. */
export const GRADIENT = 'gradient/';
/** Prefix of a parameter's new value among a training step's outputs. */
export const UPDATED = 'updated/';
/** Prefix of a parameter's new momentum among a training step's outputs. */
export const UPDATED_MOMENTUM = 'updated-momentum/';

export interface CompiledModel {
  graph: Graph;
  parameters: readonly ParameterSpec[];
}

interface LossParts {
  model: Model;
  loss: Value;
  parameters: Value[];
}

function withLoss(options: ModelOptions): LossParts {
  const model = buildModel(options);
  const { g } = model;
  const targets = g.input('targets', [options.batch, options.classes]);
  const exampleWeights = g.input('exampleWeights', [options.batch]);
  const loss = softmaxCrossEntropy(g, model.logits, targets, exampleWeights);
  const byName = new Map(
    g.finish([['loss', loss]]).parameters.map((parameter) => [parameter.name, parameter] as const),
  );
  return { model, loss, parameters: model.parameters.map((spec) => required(byName, spec.name)) };
}

function required<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`"${name}" does not take part in the loss`);
  return found;
}

/** Logits and taps from images. Inputs: images. Outputs: logits and every requested tap. */
export function buildInference(options: ModelOptions, taps: readonly string[] = []): CompiledModel {
  const { g, logits, taps: all, parameters } = buildModel(options);
  const tapped = taps.map((name) => [name, required(all, name)] as const);
  return { graph: g.finish([['logits', logits], ...tapped]), parameters };
}

/** Forward pass with the loss only. Inputs: images, targets, exampleWeights. Outputs: loss, logits. */
export function buildForwardLoss(options: ModelOptions): CompiledModel {
  const { model, loss } = withLoss(options);
  const graph = model.g.finish([
    ['loss', loss],
    ['logits', model.logits],
  ]);
  return { graph, parameters: model.parameters };
}

/** Forward and backward pass. Outputs: loss, logits, `gradient/<parameter>`. */
export function buildLossAndGradients(options: ModelOptions): CompiledModel {
  const { model, loss, parameters } = withLoss(options);
  const found = gradients(model.g, loss, parameters);
  const graph = model.g.finish([
    ['loss', loss],
    ['logits', model.logits],
    ...parameters.map((p, i) => [GRADIENT + p.name, found[i] as Value] as const),
  ]);
  return { graph, parameters: model.parameters };
}

/**
 * One whole training step. Inputs: images, targets, exampleWeights, learningRate, every parameter
 * and `momentum/<parameter>`. Outputs: loss, logits, gradientNorm, `updated/<parameter>` and
 * `updated-momentum/<parameter>`.
 */
export function buildTrainingStep(options: ModelOptions, training: Training): CompiledModel {
  const { model, loss, parameters } = withLoss(options);
  const { g } = model;
  const found = gradients(g, loss, parameters);
  const norm = gradientNorm(g, found);
  const learningRate = g.input('learningRate', []);
  const state = parameters.map((value, i) => ({
    value,
    role: (model.parameters[i] as ParameterSpec).role,
    gradient: found[i] as Value,
    momentum: g.input(MOMENTUM + value.name, value.shape),
  }));
  const updates = sgdUpdates(g, state, learningRate, norm, training);
  const graph = g.finish([
    ['loss', loss],
    ['logits', model.logits],
    ['gradientNorm', norm],
    ...updates.flatMap(({ parameter, momentum }, i) => {
      const { name } = parameters[i] as Value;
      return [[UPDATED + name, parameter] as const, [UPDATED_MOMENTUM + name, momentum] as const];
    }),
  ]);
  return { graph, parameters: model.parameters };
}
