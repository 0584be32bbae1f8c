import type { Batch } from '../../engine/runtime/batch.ts';
import type { BatchSource } from '../../engine/train/loop.ts';

/** Bytes of images that are kept in memory at most. */
const BOUND = 512e6;

/**
 * A source that makes its evaluation batches once and keeps them in memory, for many weight sets on
 * the same images. Where all of them are over the bound, they are made anew each time.
 */
export function keepEvaluation(source: BatchSource, bound = BOUND): BatchSource {
  let whole: Batch[] | null = null;
  return {
    count: source.count,
    training: (epoch, first, image) => source.training(epoch, first, image),
    async *evaluation() {
      if (whole) {
        yield* whole;
        return;
      }
      const kept: Batch[] = [];
      for await (const batch of source.evaluation()) {
        const imageBytes = batch.images.byteLength / batch.size;
        if (imageBytes * source.count <= bound) kept.push(batch);
        yield batch;
      }
      if (kept.length > 0) whole = kept;
    },
  };
}
