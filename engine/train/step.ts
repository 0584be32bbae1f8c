import type { Training } from '../../contract/study.ts';
import { gradients } from '../graph/gradients.ts';
import type { Graph, Value } from '../graph/types.ts';
import type { Model, ModelOptions, ParameterSpec } from '../models/model.ts';
import { buildModel } from '../models/registry.ts';
import { sigmoidCrossEntropy, softmaxCrossEntropy } from './loss.ts';
import type { Trained } from './optimiser.ts';
import { gradientNorm, optimiserUpdates } from './optimiser.ts';

/** Prefix of a parameter's gradient among a loss graph's outputs. */
export const GRADIENT = 'gradient/';
/** Prefix of a state tensor's new value among a graph's outputs. */
export const UPDATED = 'updated/';

export interface CompiledModel {
  graph: Graph;
  parameters: readonly ParameterSpec[];
  /** From the stem to the head. */
  stages: readonly string[];
}

type Outputs = (readonly [name: string, value: Value])[];

interface LossParts {
  model: Model;
  loss: Value;
  /** loss, logits, `updated/<running statistic>`. */
  outputs: Outputs;
}

function withLoss(options: ModelOptions): LossParts {
  const model = buildModel(options);
  const { g, logits, statistics } = model;
  const targets = g.input('targets', [options.batch, options.classes]);
  const sigmoid = options.loss === 'sigmoid';
  const weights = sigmoid ? [options.batch, options.classes] : [options.batch];
  const exampleWeights = g.input('exampleWeights', weights);
  const crossEntropy = sigmoid ? sigmoidCrossEntropy : softmaxCrossEntropy;
  const loss = crossEntropy(g, logits, targets, exampleWeights);
  const updated = [...statistics].map(([name, value]) => [UPDATED + name, value] as const);
  return { model, loss, outputs: [['loss', loss], ['logits', logits], ...updated] };
}

function finished({ g, parameters, stages }: Model, outputs: Outputs): CompiledModel {
  return { graph: g.finish(outputs), parameters, stages };
}

function required<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name);
  if (found === undefined) throw new Error(`"${name}" does not take part in the loss`);
  return found;
}

/** The parameters that are trained: all but running statistics and what is in frozen stages. */
export function trainedParameters(
  parameters: readonly ParameterSpec[],
  frozen: ReadonlySet<string> = new Set(),
): ParameterSpec[] {
  return parameters.filter(({ role, stage }) => role !== 'statistic' && !frozen.has(stage));
}

/** Adds the backward pass, which goes no further down than the last trained stage. */
function withGradients({ model, loss }: LossParts, frozen?: ReadonlySet<string>): Trained[] {
  const { g, parameters } = model;
  const inLoss = g.finish([['loss', loss]]).parameters.map((value) => [value.name, value] as const);
  const byName = new Map(inLoss);
  const specs = trainedParameters(parameters, frozen);
  const values = specs.map(({ name }) => required(byName, name));
  const found = gradients(g, loss, values);
  return specs.map((spec, i) => ({
    spec,
    value: values[i] as Value,
    gradient: found[i] as Value,
  }));
}

/**
 * Logits and taps from images, as in evaluation. Inputs: images. Outputs: logits and every
 * requested tap.
 */
export function buildInference(options: ModelOptions, taps: readonly string[] = []): CompiledModel {
  const model = buildModel({ ...options, mode: 'evaluation' });
  const tapped = taps.map((name) => [name, required(model.taps, name)] as const);
  return finished(model, [['logits', model.logits], ...tapped]);
}

/**
 * Forward pass with the loss only, in the options' mode. Inputs: images, targets, exampleWeights.
 * Outputs: loss, logits, and in training `updated/<running statistic>`.
 */
export function buildForwardLoss(options: ModelOptions): CompiledModel {
  const { model, outputs } = withLoss(options);
  return finished(model, outputs);
}

/**
 * Forward and backward pass. Outputs: those of `buildForwardLoss` and `gradient/<parameter>` of
 * every trained parameter.
 */
export function buildLossAndGradients(options: ModelOptions): CompiledModel {
  const parts = withLoss(options);
  const found = withGradients(parts, options.frozen).map(
    ({ spec, gradient }) => [GRADIENT + spec.name, gradient] as const,
  );
  return finished(parts.model, [...parts.outputs, ...found]);
}

/**
 * One whole training step of the stages that are not in `options.frozen`. Inputs: images, targets
 * [batch, class], exampleWeights [batch], the scalars of `stepScalars`, and the state by name.
 * Outputs: loss, logits, gradientNorm where it is clipped (to know it takes all gradients at once),
 * and `updated/<name>` of every state tensor that changes
 * (weights, running statistics, the optimiser's slots).
 */
export function buildTrainingStep(options: ModelOptions, training: Training): CompiledModel {
  const parts = withLoss({ ...options, mode: 'training' });
  const { model } = parts;
  const trained = withGradients(parts, options.frozen);
  const norm = training['clip-norm'] === undefined ? null : gradientNorm(model.g, trained);
  const updates = optimiserUpdates(model.g, trained, norm, training, model.stages).map(
    ([name, value]) => [UPDATED + name, value] as const,
  );
  const clipping = norm ? ([['gradientNorm', norm]] as const) : [];
  return finished(model, [...parts.outputs, ...clipping, ...updates]);
}
