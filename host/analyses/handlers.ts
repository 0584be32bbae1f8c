import type { Handlers } from '../../contract/api.ts';
import type { HostContext } from '../context.ts';
import { getMap, listMaps, startMap } from './map.ts';
import { nearestImages } from './nearest.ts';
import { getSuspects, listSuspects, startSuspects } from './suspects.ts';

type AnalysesHandlers = Pick<
  Handlers,
  Extract<keyof Handlers, `maps.${string}` | `suspects.${string}`> | 'images.neighbours'
>;

export function analysesHandlers(context: HostContext): AnalysesHandlers {
  return {
    'maps.start': ({ datasetId, spec }) => startMap(context, datasetId, spec),
    'maps.list': ({ datasetId }) => listMaps(context, datasetId),
    'maps.get': ({ id }) => getMap(context, id),
    'images.neighbours': (body) => nearestImages(context, body),
    'suspects.start': ({ datasetId, spec }) => startSuspects(context, datasetId, spec),
    'suspects.list': ({ datasetId }) => listSuspects(context, datasetId),
    'suspects.get': ({ id }) => getSuspects(context, id),
  };
}
