import type { Lab, Measure } from '../lab.ts';
import type { Searched } from './channels.ts';
import { seeChannels } from './channels.ts';
import { seeFilters } from './filters.ts';
import { seeMaps } from './maps.ts';
import type { Seen, SeeJob } from './measured.ts';

/** Memory for the training images that are looked through, and bounds on their number. */
const MEMORY = 256 * 2 ** 20;
const [FEWEST, MOST] = [64, 2000];

export const measure: Measure<SeeJob, Seen> = async (job, lab) => {
  const maps =
    job.disagreements.length === 0 ? null : await lab.memo('maps', () => seeMaps(job, lab));
  const filters = await seeFilters(job, lab);
  const searched = await searchedImages(job, lab);
  return {
    filters,
    maps,
    channels: {
      a: await lab.memo('channels of a', () => seeChannels(job, lab, 'a', searched)),
      b: await lab.memo('channels of b', () => seeChannels(job, lab, 'b', searched)),
    },
    searched: searched.rows.length,
  };
};

async function searchedImages({ networks }: SeeJob, lab: Lab): Promise<Searched> {
  const { run } = networks.a.result;
  const { image, channels } = lab.options(run).architecture;
  const bytes = 4 * channels * image * image;
  const most = Math.min(MOST, Math.max(FEWEST, Math.floor(MEMORY / bytes)));
  const images = { run, split: 'train', most } as const;
  return { batches: await lab.batches(images), rows: lab.rows(images) };
}
