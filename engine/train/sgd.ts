import type { Training } from '../../contract/study.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/types.ts';
import type { ParameterRole } from '../models/model.ts';

export interface SgdParameter {
  value: Value;
  role: ParameterRole;
  gradient: Value;
  /** The running velocity, of the parameter's shape. */
  momentum: Value;
}

export interface SgdUpdate {
  parameter: Value;
  momentum: Value;
}

/** Global L2 norm of all gradients. */
export function gradientNorm(g: GraphBuilder, gradients: readonly Value[]): Value {
  const squares = gradients.map((gradient) => g.reduceSum(g.mul(gradient, gradient)));
  return g.sqrt(squares.reduce((sum, square) => g.add(sum, square)));
}

/**
 * Stochastic gradient descent as PyTorch's `torch.optim.SGD` (coupled weight decay, no dampening)
 * after `clip_grad_norm_`: g <- g min(1, clip / (|g| + 1e-6)); g <- g + decay w;
 * v <- momentum v + g; w <- w - rate multiplier v.
 */
export function sgdUpdates(
  g: GraphBuilder,
  parameters: readonly SgdParameter[],
  learningRate: Value,
  norm: Value,
  training: Training,
): SgdUpdate[] {
  const { momentum, 'weight-decay': decay } = training.optimiser;
  const clip = clipFactor(g, norm, training['clip-norm']);
  const rates = rateByRole(g, learningRate, training);
  const factor = g.constant(momentum);
  return parameters.map((parameter) => {
    const clipped = clip ? g.mul(parameter.gradient, clip) : parameter.gradient;
    const decayed =
      decay === 0 ? clipped : g.add(clipped, g.mul(parameter.value, g.constant(decay)));
    const velocity = g.add(g.mul(parameter.momentum, factor), decayed);
    const step = g.mul(velocity, rates[parameter.role]);
    return { parameter: g.sub(parameter.value, step), momentum: velocity };
  });
}

function clipFactor(g: GraphBuilder, norm: Value, limit: number | undefined): Value | null {
  if (limit === undefined) return null;
  return g.min(g.constant(1), g.div(g.constant(limit), g.add(norm, g.constant(1e-6))));
}

function rateByRole(
  g: GraphBuilder,
  rate: Value,
  training: Training,
): Record<ParameterRole, Value> {
  const multipliers = training['lr-multipliers'];
  return {
    weight: rate,
    bias: g.mul(rate, g.constant(multipliers.bias)),
    scale: g.mul(rate, g.constant(multipliers.scale)),
  };
}
