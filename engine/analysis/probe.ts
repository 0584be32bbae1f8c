/** Multinomial logistic regression. */

export interface ProbeOptions {
  /** Length of a row. */
  features: number;
  classes: number;
  /** Whether each feature is brought to mean 0 and deviation 1 first; absent: it is. */
  standardise?: boolean;
  /** Inverse strength of the L2 penalty (scikit-learn's C); the intercepts are not penalised. */
  inverseStrength?: number;
  /** How much each row counts (scikit-learn's sample_weight); absent: 1. */
  rowWeights?: ArrayLike<number>;
  /** Ends when no element of the mean loss's gradient is larger. */
  tolerance?: number;
  iterations?: number;
}

/** A trained probe. */
export interface Probe {
  features: number;
  classes: number;
  /** Of the rows it was trained on, where they were standardised. */
  means: Float64Array;
  /** 1 / standard deviation; 0 for a constant feature. */
  scales: Float64Array;
  /** [feature, class], then the intercepts. */
  weights: Float64Array;
}

const PAIRS = 10;

/**
 * Minimises C * sum of cross-entropies + |W|^2 / 2, scikit-learn's LogisticRegression (after a
 * StandardScaler), by L-BFGS (Nocedal and Wright, "Numerical Optimization", algorithm 7.5) in double
 * precision.
 * @param rows [row, feature]
 * @param labels class index of each row
 */
export function trainProbe(rows: Float32Array, labels: Int32Array, options: ProbeOptions): Probe {
  const { features, classes, inverseStrength = 1, tolerance = 1e-5, iterations = 200 } = options;
  const { means, scales } =
    options.standardise === false ? unmoved(features) : momentsOf(rows, features);
  const x = standardised(rows, { features, means, scales });
  const weighted = { labels, times: options.rowWeights ?? new Float64Array(labels.length).fill(1) };
  const total = Array.from(weighted.times).reduce((sum, each) => sum + each, 0);
  const penalty = 1 / (inverseStrength * total);
  const objective = (w: Float64Array, gradient: Float64Array): number =>
    meanLoss(x, weighted, { features, classes }, w, gradient) +
    addPenalty(w, gradient, features * classes, penalty);
  const weights = minimise(
    objective,
    new Float64Array((features + 1) * classes),
    tolerance,
    iterations,
  );
  return { features, classes, means, scales, weights };
}

/** Probabilities of each class: [row, class]. */
export function probeProbabilities(probe: Probe, rows: Float32Array): Float32Array {
  const { features, classes, weights } = probe;
  const x = standardised(rows, probe);
  const result = new Float32Array((x.length / features) * classes);
  const logits = new Float64Array(classes);
  for (let row = 0; row * features < x.length; row++) {
    logitsOf(x, row, weights, features, logits);
    softmax(logits);
    result.set(logits, row * classes);
  }
  return result;
}

const unmoved = (features: number): Pick<Probe, 'means' | 'scales'> => ({
  means: new Float64Array(features),
  scales: new Float64Array(features).fill(1),
});

/** Mean and 1 / standard deviation of each feature. */
export function momentsOf(rows: Float32Array, features: number): Pick<Probe, 'means' | 'scales'> {
  const count = rows.length / features;
  const means = new Float64Array(features);
  const squares = new Float64Array(features);
  for (let at = 0; at < rows.length; at += features) {
    for (let i = 0; i < features; i++) means[i]! += rows[at + i]! / count;
  }
  for (let at = 0; at < rows.length; at += features) {
    for (let i = 0; i < features; i++) squares[i]! += (rows[at + i]! - means[i]!) ** 2;
  }
  const scales = squares.map((square, i) => {
    const deviation = Math.sqrt(square / count);
    return deviation > 1e-7 * Math.abs(means[i]!) && deviation > 0 ? 1 / deviation : 0;
  });
  return { means, scales };
}

/** Rows as the probe sees them. */
export function standardised(
  rows: Float32Array,
  { features, means, scales }: Pick<Probe, 'features' | 'means' | 'scales'>,
): Float64Array {
  const x = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at += features) {
    for (let i = 0; i < features; i++) x[at + i] = (rows[at + i]! - means[i]!) * scales[i]!;
  }
  return x;
}

function logitsOf(
  x: Float64Array,
  row: number,
  w: Float64Array,
  features: number,
  logits: Float64Array,
): void {
  const classes = logits.length;
  const intercepts = features * classes;
  for (let c = 0; c < classes; c++) logits[c] = w[intercepts + c]!;
  for (let i = 0; i < features; i++) {
    const value = x[row * features + i]!;
    const from = i * classes;
    for (let c = 0; c < classes; c++) logits[c]! += value * w[from + c]!;
  }
}

/** In place; returns the logarithm of the sum of exponentials. */
function softmax(logits: Float64Array): number {
  let largest = -Infinity;
  for (const value of logits) if (value > largest) largest = value;
  let sum = 0;
  for (let c = 0; c < logits.length; c++) {
    logits[c] = Math.exp(logits[c]! - largest);
    sum += logits[c]!;
  }
  for (let c = 0; c < logits.length; c++) logits[c]! /= sum;
  return largest + Math.log(sum);
}

/** Weighted mean cross-entropy; its gradient is written. */
function meanLoss(
  x: Float64Array,
  { labels, times }: { labels: Int32Array; times: ArrayLike<number> },
  { features, classes }: { features: number; classes: number },
  w: Float64Array,
  gradient: Float64Array,
): number {
  gradient.fill(0);
  const logits = new Float64Array(classes);
  const intercepts = features * classes;
  let [loss, total] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    logitsOf(x, row, w, features, logits);
    const label = labels[row]!;
    const own = logits[label]!;
    const weight = times[row]!;
    total += weight;
    loss += weight * (softmax(logits) - own);
    logits[label]! -= 1;
    for (let c = 0; c < classes; c++) logits[c]! *= weight;
    for (let i = 0; i < features; i++) {
      const value = x[row * features + i]!;
      const to = i * classes;
      for (let c = 0; c < classes; c++) gradient[to + c]! += value * logits[c]!;
    }
    for (let c = 0; c < classes; c++) gradient[intercepts + c]! += logits[c]!;
  }
  for (let i = 0; i < gradient.length; i++) gradient[i]! /= total;
  return loss / total;
}

function addPenalty(w: Float64Array, gradient: Float64Array, count: number, penalty: number) {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += w[i]! ** 2;
    gradient[i]! += penalty * w[i]!;
  }
  return (penalty / 2) * sum;
}

type Objective = (w: Float64Array, gradient: Float64Array) => number;

/** A step and the change of the gradient along it. */
interface Pair {
  step: Float64Array;
  change: Float64Array;
  /** 1 / (step . change) */
  rho: number;
}

function minimise(
  objective: Objective,
  start: Float64Array,
  tolerance: number,
  iterations: number,
): Float64Array {
  const gradient = new Float64Array(start.length);
  let point = { w: start, gradient, loss: objective(start, gradient) };
  const pairs: Pair[] = [];
  for (let turn = 0; turn < iterations; turn++) {
    if (point.gradient.every((each) => Math.abs(each) <= tolerance)) break;
    const direction = descentFrom(point.gradient, pairs);
    const next = lineSearch(objective, point, direction, pairs.length === 0);
    if (next === null) break;
    const step = next.w.map((value, i) => value - point.w[i]!);
    const change = next.gradient.map((value, i) => value - point.gradient[i]!);
    const curvature = dot(step, change);
    if (curvature > 0) pairs.push({ step, change, rho: 1 / curvature });
    if (pairs.length > PAIRS) pairs.shift();
    point = next;
  }
  return point.w;
}

/** The two-loop recursion: minus the approximate inverse Hessian times the gradient. */
function descentFrom(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((each) => -each);
  const weights: number[] = [];
  for (const { step, change, rho } of pairs.toReversed()) {
    const weight = rho * dot(step, direction);
    weights.push(weight);
    addScaled(direction, change, -weight);
  }
  const last = pairs.at(-1);
  const scale = last ? 1 / (last.rho * dot(last.change, last.change)) : 1;
  for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  for (const { step, change, rho } of pairs) {
    addScaled(direction, step, (weights.pop() ?? 0) - rho * dot(change, direction));
  }
  return direction;
}

/** Backtracking until the loss falls enough (Armijo); null where it cannot in double precision. */
function lineSearch(
  objective: Objective,
  point: { w: Float64Array; gradient: Float64Array; loss: number },
  direction: Float64Array,
  first: boolean,
) {
  const slope = dot(point.gradient, direction);
  let length = first ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
  for (let tries = 0; tries < 30; tries++, length /= 2) {
    const w = point.w.map((value, i) => value + length * direction[i]!);
    const gradient = new Float64Array(w.length);
    const loss = objective(w, gradient);
    if (loss <= point.loss + 1e-4 * length * slope) return { w, gradient, loss };
  }
  return null;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}
