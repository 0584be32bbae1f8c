import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import type { SessionSettings } from '../runtime/onnx/by-size.ts';
import { OnnxInference } from '../runtime/onnx/trainer.ts';
import type { BatchSource } from './loop.ts';

/** What a network's head is given of images, and their labels. */
export interface Features {
  /** [image, feature], in the source's order. */
  rows: Float32Array;
  labels: Int32Array;
  features: number;
}

const POOL = 'pool';

/** Features of a source's images after global pooling, as in evaluation. */
export async function pooledFeatures(
  options: ModelOptions,
  weights: Weights,
  source: Pick<BatchSource, 'count' | 'evaluation' | 'giveBack'>,
  settings: SessionSettings,
): Promise<Features> {
  const inference = await OnnxInference.create(options, weights, settings, [POOL]);
  const labels = new Int32Array(source.count);
  let rows = new Float32Array();
  let done = 0;
  try {
    for await (const batch of source.evaluation()) {
      const pooled = (await inference.run(batch.images, batch.size)).taps.get(POOL)!;
      const features = pooled.length / batch.size;
      if (done === 0) rows = new Float32Array(source.count * features);
      rows.set(pooled, done * features);
      labels.set(batch.labels, done);
      done += batch.size;
      source.giveBack?.(batch);
    }
  } finally {
    await inference.close();
  }
  return { rows, labels, features: rows.length / source.count };
}
