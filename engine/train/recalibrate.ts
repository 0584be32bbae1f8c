import { CarryoverError } from '../../contract/errors.ts';
import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import { buildModel } from '../models/registry.ts';
import type { SessionSettings } from '../runtime/onnx/by-size.ts';
import { SessionsBySize } from '../runtime/onnx/by-size.ts';
import type { CompiledModel } from './step.ts';
import type { BatchSource } from './loop.ts';

/**
 * Running statistics made anew for given weights, as is needed after weights were averaged: each
 * becomes the plain average of the batches' own means and unbiased variances, every batch counting
 * the same (PyTorch's BatchNorm with `momentum=None`, its `update_bn`). All else is left as it is.
 * @param source its images in order, not augmented
 * @returns new weights; the same tensors where the network has no running statistics
 * @throws CarryoverError `bad-input` when the source is empty
 */
export async function recalibrate(
  options: ModelOptions,
  weights: Weights,
  source: Pick<BatchSource, 'evaluation'>,
  settings: SessionSettings,
): Promise<Weights> {
  const statistics = buildMoments(options).graph.outputs;
  if (statistics.size === 0) return new Map(weights);
  const averages = new Map([...statistics.keys()].map((name) => [name, new Average()]));
  const sessions = new SessionsBySize(
    (batch) => buildMoments({ ...options, batch }),
    () => settings,
  );
  try {
    for await (const { images, size } of source.evaluation()) {
      const session = await sessions.at(size);
      const moments = await session.run(new Map([...weights, ['images', images]]));
      moments.forEach((data, name) => averages.get(name)?.add(data));
    }
  } finally {
    await sessions.close();
  }
  const renewed = [...averages].map(([name, average]) => [name, average.result(name)] as const);
  return new Map([...weights, ...renewed]);
}

/** Inputs: images. Outputs: the batch's moments by the names of the running statistics. */
function buildMoments(options: ModelOptions): CompiledModel {
  const everywhere = { ...options, mode: 'training', frozen: new Set<string>() } as const;
  const { g, moments, parameters, stages } = buildModel(everywhere);
  return { graph: g.finish(moments), parameters, stages };
}

/** A mean of arrays, kept in double precision. */
class Average {
  #sum: Float64Array | null = null;
  #count = 0;

  add(data: Float32Array): void {
    const sum = (this.#sum ??= new Float64Array(data.length));
    for (let i = 0; i < data.length; i++) sum[i] = (sum[i] ?? 0) + (data[i] ?? 0);
    this.#count += 1;
  }

  result(name: string): Float32Array {
    if (this.#sum) return Float32Array.from(this.#sum, (sum) => sum / this.#count);
    throw new CarryoverError('bad-input', `no batch gives "${name}" a variance`, {
      wayOut: 'recalibrate on more images, in batches of at least 2',
    });
  }
}
