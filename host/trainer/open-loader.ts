import { join } from 'node:path';
import type { ModelOptions } from '../../engine/models/model.ts';
import { storedSize } from '../../engine/transforms/augment.ts';
import type { DecodedSplit } from './batches.ts';
import { ensureDecoded } from './decoded.ts';
import { Loader } from './loader.ts';
import { checkPresent } from './present.ts';
import type { ItemList, TrainerJob, TrainerMessage } from './protocol.ts';

/** Images are fed as RGB. */
export const CHANNELS = 3;

/** What a job's network looks like to the engine. */
export function modelOptions(job: TrainerJob): ModelOptions {
  return {
    architecture: job.architecture,
    channels: CHANNELS,
    classes: job.classNames.length,
    batch: job.training.batch,
  };
}

/** Makes sure that a job's pixels are decoded, and starts its loader thread. */
export async function openLoader(
  job: TrainerJob,
  send: (message: TrainerMessage) => void,
): Promise<Loader> {
  const total = job.train.paths.length + (job.test?.paths.length ?? 0);
  const decode = async (items: ItemList, before: number): Promise<DecodedSplit> => {
    await checkPresent(items.paths);
    const size = storedSize(job.recipe, job.architecture.image);
    const folder = join(job.cacheFolder, 'decoded');
    const file = await ensureDecoded(items, job.recipe, size, folder, (done) => {
      if (done % 100 === 0) send({ type: 'preparing', done: before + done, total });
    });
    return { file, labels: items.labels };
  };
  const train = await decode(job.train, 0);
  const test = job.test && (await decode(job.test, job.train.paths.length));
  return new Loader(job, train, test);
}
