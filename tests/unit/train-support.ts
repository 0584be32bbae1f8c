import type { ModelOptions } from '../../engine/models/model.ts';
import { stream } from '../../engine/random/streams.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import type { BatchSource } from '../../engine/train/loop.ts';

/** A source that also writes down what it was asked for. */
export interface TestSource extends BatchSource {
  readonly asked: { epoch: number; first: number; image: number }[];
}

/**
 * `count` noisy images, each with a bright square where its class has it: easy to learn, at any
 * side. Training order is shuffled and the noise drawn anew each epoch.
 */
export function blobs(count: number, options: ModelOptions, seed = 3): TestSource {
  const { batch, classes, architecture } = options;
  const asked: TestSource['asked'] = [];
  const make = (items: Int32Array, image: number, epoch: number): Batch => {
    const size = items.length;
    const images = new Float32Array(size * architecture.channels * image * image);
    const values = images.length / size;
    items.forEach((item, position) => {
      const random = stream(seed, 'noise', epoch, item);
      for (let i = 0; i < values; i++) {
        const [row, column] = [Math.floor(i / image) % image, i % image];
        const [first, last] = [item % classes, (item % classes) + 1].map(
          (k) => (k * image) / classes,
        );
        const bright = Math.min(row, column) >= first! && Math.max(row, column) < last!;
        images[position * values + i] = 0.3 * random.normal() + (bright ? 2 : 0);
      }
    });
    return { images, labels: items.map((item) => item % classes), size, ids: [...items] };
  };
  function* batches(order: Int32Array, first: number, image: number, epoch: number) {
    for (let at = first * batch; at < count; at += batch) {
      yield make(order.slice(at, at + batch), image, epoch);
    }
  }
  return {
    count,
    asked,
    async *training(epoch, first, image) {
      asked.push({ epoch, first, image });
      yield* batches(stream(seed, 'order', epoch).permutation(count), first, image, epoch);
    },
    async *evaluation() {
      const order = Int32Array.from({ length: count }, (_, i) => i);
      yield* batches(order, 0, architecture.image, 0);
    },
  };
}
