import { rateFactor, type Training } from '../../contract/study.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/types.ts';
import type { ParameterSpec } from '../models/model.ts';
import type { StepsOf } from '../runtime/batch.ts';

type Optimiser = Training['optimiser'];
type Of<K extends Optimiser['kind']> = Extract<Optimiser, { kind: K }>;

/** What an optimiser remembers of each parameter. */
export type Slot = 'momentum' | 'first-moment' | 'second-moment';

/** A parameter in training. */
export interface Trained {
  spec: ParameterSpec;
  value: Value;
  gradient: Value;
}

/** A state tensor's new value, by the name that the state knows it by. */
export type Update = readonly [name: string, value: Value];

/** The slots of each parameter under an optimiser; all start at zero. */
export function slotsOf({ kind }: Optimiser): readonly Slot[] {
  return kind === 'sgd' ? ['momentum'] : ['first-moment', 'second-moment'];
}

/** The name of a slot in the state. */
export function slotName(slot: Slot, parameter: string): string {
  return `${slot}/${parameter}`;
}

const FIRST_CORRECTION = 'first-correction/';
const SECOND_CORRECTION = 'second-correction/';

/**
 * The scalars that change from step to step, by input name: learningRate and, for AdamW, each
 * trained stage's bias corrections 1 - beta^steps, which single precision cannot take in the graph.
 */
export function stepScalars(
  { optimiser }: Pick<Training, 'optimiser'>,
  trainable: Iterable<string>,
  learningRate: number,
  stepsOf: StepsOf,
): Map<string, Float32Array> {
  const scalars = new Map([['learningRate', Float32Array.of(learningRate)]]);
  if (optimiser.kind === 'sgd') return scalars;
  const [first, second] = optimiser.betas;
  for (const stage of trainable) {
    const steps = stepsOf(stage);
    scalars.set(FIRST_CORRECTION + stage, Float32Array.of(1 - first ** steps));
    scalars.set(SECOND_CORRECTION + stage, Float32Array.of(1 - second ** steps));
  }
  return scalars;
}

/** Global L2 norm of all gradients. */
export function gradientNorm(g: GraphBuilder, parameters: readonly Trained[]): Value {
  const squares = parameters.map(({ gradient }) => g.reduceSum(g.mul(gradient, gradient)));
  return g.sqrt(squares.reduce((sum, square) => g.add(sum, square)));
}

/**
 * One step of the optimiser on every parameter: new parameters and new slots. Declares the inputs
 * of `stepScalars` and every slot. Gradients are clipped first, as by `clip_grad_norm_`:
 * g <- g min(1, clip / (|g| + 1e-6)).
 * @param norm of `gradientNorm`; null where nothing is clipped
 * @param stages the architecture's, from the stem to the head
 */
export function optimiserUpdates(
  g: GraphBuilder,
  parameters: readonly Trained[],
  norm: Value | null,
  training: Training,
  stages: readonly string[],
): Update[] {
  const clip = clipFactor(g, norm, training['clip-norm']);
  const rateOf = rates(g, training, stages);
  const clipped = parameters.map(({ spec, value, gradient }) => ({
    spec,
    value,
    gradient: clip ? g.mul(gradient, clip) : gradient,
  }));
  const { optimiser } = training;
  const rule = optimiser.kind === 'sgd' ? sgd(g, optimiser) : adamw(g, optimiser);
  return clipped.flatMap((parameter) => rule(parameter, rateOf(parameter.spec)));
}

type Rule = (parameter: Trained, rate: Value) => Update[];

/**
 * PyTorch's `torch.optim.SGD` without dampening: v <- momentum v + g; w <- w - rate v, or with
 * Nesterov's w - rate (g + momentum v). Coupled decay: g <- g + decay w before all; decoupled
 * (Loshchilov and Hutter, arXiv 1711.05101): w <- w - rate decay w.
 */
function sgd(g: GraphBuilder, optimiser: Of<'sgd'>): Rule {
  const { momentum, nesterov, decay: kind, 'weight-decay': decay } = optimiser;
  const coupled = kind === 'coupled' && decay > 0;
  return ({ spec, value, gradient }, rate) => {
    const name = slotName('momentum', spec.name);
    const pull = coupled ? g.add(gradient, g.mul(value, g.constant(decay))) : gradient;
    const velocity = g.add(g.mul(g.input(name, spec.shape), g.constant(momentum)), pull);
    const step = nesterov ? g.add(pull, g.mul(velocity, g.constant(momentum))) : velocity;
    const kept = coupled ? value : decayed(g, value, rate, decay);
    return [
      [spec.name, g.sub(kept, g.mul(step, rate))],
      [name, velocity],
    ];
  };
}

/**
 * PyTorch's `torch.optim.AdamW`: w <- w - rate decay w; m <- b1 m + (1 - b1) g;
 * v <- b2 v + (1 - b2) g^2; w <- w - rate / c1 m / (sqrt(v) / sqrt(c2) + epsilon), where
 * c = 1 - b^steps.
 */
function adamw(g: GraphBuilder, optimiser: Of<'adamw'>): Rule {
  const { betas, epsilon, 'weight-decay': decay } = optimiser;
  const correction = once((name: string) => g.input(name, []));
  const averaged = (old: Value, fresh: Value, beta: number): Value =>
    g.add(g.mul(old, g.constant(beta)), g.mul(fresh, g.constant(1 - beta)));
  return ({ spec, value, gradient }, rate) => {
    const [first, second] = slotsOf(optimiser).map((slot) => slotName(slot, spec.name)) as [
      string,
      string,
    ];
    const mean = averaged(g.input(first, spec.shape), gradient, betas[0]);
    const square = averaged(g.input(second, spec.shape), g.mul(gradient, gradient), betas[1]);
    const [c1, c2] = [
      correction(FIRST_CORRECTION + spec.stage),
      correction(SECOND_CORRECTION + spec.stage),
    ];
    const scale = g.add(g.div(g.sqrt(square), g.sqrt(c2)), g.constant(epsilon));
    const step = g.mul(g.div(mean, scale), g.div(rate, c1));
    return [
      [spec.name, g.sub(decayed(g, value, rate, decay), step)],
      [first, mean],
      [second, square],
    ];
  };
}

function decayed(g: GraphBuilder, value: Value, rate: Value, decay: number): Value {
  if (decay === 0) return value;
  return g.mul(value, g.sub(g.constant(1), g.mul(rate, g.constant(decay))));
}

function clipFactor(g: GraphBuilder, norm: Value | null, limit: number | undefined): Value | null {
  if (limit === undefined || !norm) return null;
  return g.min(g.constant(1), g.div(g.constant(limit), g.add(norm, g.constant(1e-6))));
}

/** The learning rate of a parameter: by its role, and by how far its stage is from the head. */
function rates(
  g: GraphBuilder,
  training: Training,
  stages: readonly string[],
): (spec: ParameterSpec) => Value {
  const { 'lr-multipliers': byRole, 'fine-tuning': fineTuning } = training;
  const learningRate = g.input('learningRate', []);
  const scaled = once((multiplier: number) =>
    multiplier === 1 ? learningRate : g.mul(learningRate, g.constant(multiplier)),
  );
  const factor = rateFactor(fineTuning);
  return ({ role, stage }) => {
    const ofRole = role === 'bias' || role === 'scale' ? byRole[role] : 1;
    const below = stages.length - 1 - stages.indexOf(stage);
    return scaled(ofRole / factor ** below);
  };
}

/** `make`, which keeps what it has made by key. */
function once<K>(make: (key: K) => Value): (key: K) => Value {
  const made = new Map<K, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
