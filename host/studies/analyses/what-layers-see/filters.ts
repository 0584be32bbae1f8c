/** The filters of the first layer, and how far training turned them. */
import type { ParameterSpec } from '../../../../engine/models/model.ts';
import type { Picture } from '../../../../engine/analysis/visual/pictures.ts';
import { filtersPicture } from '../../../../engine/analysis/visual/pictures.ts';
import { cosines } from '../../../../engine/analysis/visual/filters.ts';
import type { Channels } from '../../../../engine/transforms/colour.ts';
import type { Lab } from '../lab.ts';
import { drawn } from './drawing.ts';
import type { SeeJob, SeenFilters, Side } from './measured.ts';
import { weightsOf } from './networks.ts';

export async function seeFilters(job: SeeJob, lab: Lab): Promise<SeenFilters> {
  const first = firstFilter(lab.parameters(job.networks.a.result.run));
  const [count = 0, channels = 3, side = 1] = first.shape;
  const picture = (filters: Float32Array): Picture =>
    filtersPicture(filters, count, side, channels as Channels);
  const see = async (which: Side) => {
    const result = (await weightsOf(lab, job, which, 'result')).get(first.name)!;
    const start = (await weightsOf(lab, job, which, 'start')).get(first.name)!;
    return {
      cosines: cosines(result, start, count),
      pictures: {
        result: await drawn(lab, `filters-${which}`, picture(result)),
        start: await drawn(lab, `filters-${which}-start`, picture(start)),
      },
    };
  };
  const [a, b] = [await see('a'), await see('b')];
  return {
    count,
    cosines: { a: a.cosines, b: b.cosines },
    pictures: { a: a.pictures, b: b.pictures },
  };
}

/** The first convolution: it looks at the images. */
function firstFilter(parameters: readonly ParameterSpec[]): ParameterSpec {
  const found = parameters.find(({ shape }) => shape.length === 4);
  if (!found) throw new Error('a network without filters');
  return found;
}
