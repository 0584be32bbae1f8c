import { coralAligned } from '../analysis/coral.ts';
import { trainProbe, type Probe } from '../analysis/probe.ts';
import type { ModelOptions, ParameterSpec } from '../models/model.ts';
import { buildModel, type Weights } from '../models/registry.ts';
import type { SessionSettings } from '../runtime/onnx/by-size.ts';
import { pooledFeatures } from './features.ts';
import type { BatchSource } from './loop.ts';

/**
 * A network whose head is learnt anew (`trainProbe`) on its features of labelled source images, made
 * to have the mean and covariance of those of target images, whose labels are not looked at (CORAL;
 * Sun, Feng and Saenko 2016, arXiv 1511.05547). All below the head is left as it is.
 * @returns new weights
 */
export async function withCoralHead(
  options: ModelOptions,
  weights: Weights,
  { source, target }: { source: BatchSource; target: BatchSource },
  settings: SessionSettings,
): Promise<Weights> {
  const from = await pooledFeatures(options, weights, source, settings);
  const to = await pooledFeatures(options, weights, target, settings);
  const { features } = from;
  const rows = coralAligned(from.rows, to.rows, features);
  const probe = trainProbe(rows, from.labels, { features, classes: options.classes });
  const { parameters } = buildModel({ ...options, batch: 1, mode: 'evaluation' });
  return withHead(parameters, weights, probe);
}

/**
 * A probe of pooled features as the head of their network: with W, b, means m and scales s of the
 * probe, and a constant c that the network adds to the features (Fixup's scalar; else 0), the head is
 * W s and b - W s (m + c).
 * @returns new weights; all but the head's are the same tensors
 */
export function withHead(
  parameters: readonly ParameterSpec[],
  weights: Weights,
  { features, classes, means, scales, weights: own }: Probe,
): Weights {
  const head = parameters.filter(({ stage }) => stage === 'head');
  const [weight, bias] = [2, 1].map((rank) => head.find(({ shape }) => shape.length === rank)!);
  const before = parameters.find(
    ({ module, stage }) => module === weight!.module && stage !== 'head',
  );
  const added = before ? weights.get(before.name)![0]! : 0;
  const folded = new Float32Array(classes * features);
  const intercepts = new Float32Array(classes);
  for (let c = 0; c < classes; c++) {
    let intercept = own[features * classes + c]!;
    for (let i = 0; i < features; i++) {
      const scaled = own[i * classes + c]! * scales[i]!;
      folded[c * features + i] = scaled;
      intercept -= scaled * (means[i]! + added);
    }
    intercepts[c] = intercept;
  }
  return new Map([...weights, [weight!.name, folded], [bias!.name, intercepts]]);
}
