import { join } from 'node:path';
import type { FeatureSource } from '../../contract/analyses.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import { buildModel } from '../../engine/models/registry.ts';
import { cacheBound } from '../cache.ts';
import type { Source } from '../checkpoints/export.ts';
import { readSource } from '../checkpoints/export.ts';
import { feedingOf } from '../checkpoints/recalibrate.ts';
import { checkpointFile, findCheckpoint } from '../checkpoints/store.ts';
import type { HostContext } from '../context.ts';
import { canonicalJson } from '../studies/identity.ts';
import { weightsFile } from '../studies/run-files.ts';
import { runSummary } from '../studies/run-rows.ts';
import type { LoaderJob } from '../trainer/batches.ts';
import type { ItemList } from '../trainer/protocol.ts';
import type { FeaturesJob } from './protocol.ts';

/** Side of the grey images whose pixels are features. */
const PIXELS = 32;
const BATCH = 32;

type Place = Pick<HostContext, 'db' | 'home'>;

/** A source of features that can be used. */
export interface Origin {
  /** For people. */
  name: string;
  /** Changes whenever the features would. */
  key: string;
  /** What the child is given, without its images. */
  feeding: Pick<LoaderJob, 'recipe' | 'shuffle' | 'seed' | 'architecture'>;
  network: FeaturesJob['network'];
}

/** What features of a source are called by: checkpoints by their id, whatever they were named by. */
export function namedSource({ db }: Pick<HostContext, 'db'>, source: FeatureSource) {
  if ('checkpoint' in source) {
    const { id, name } = findCheckpoint(db, source.checkpoint);
    return { source: { checkpoint: id } as FeatureSource, name };
  }
  if ('pixels' in source) return { source, name: 'plain pixels' };
  const { arm, seed, shuffle, studies } = runSummary(db, source.run);
  const shuffled = shuffle === 'none' ? [] : [`shuffle ${shuffle}`];
  const name = [
    ...studies.slice(0, 1).map((study) => study.name),
    arm,
    `seed ${seed}`,
    ...shuffled,
  ];
  return { source, name: name.join(', ') };
}

/**
 * Opens a source. Throws `not-found`, `conflict` for a run that is not done, `bad-input` for a
 * checkpoint that lacks layers or does not say how it was fed.
 */
export async function openOrigin(context: HostContext, source: FeatureSource): Promise<Origin> {
  const { source: named, name } = namedSource(context, source);
  if ('pixels' in named) return { name, ...pixels() };
  const opened = await readSource(context, 'run' in named ? named.run : named.checkpoint);
  requireLayers(opened);
  const { classes } = opened.checkpoint;
  // Runs of before there were grey images do not say how many channels they have.
  const architecture = architectureSchema.parse(opened.checkpoint.architecture);
  const feeding = { ...(await feedingOf(context, opened)), architecture };
  const { file, content } = weightsOf(context, opened);
  return {
    name,
    key: canonicalJson({ content, feeding }),
    feeding,
    network: { file, architecture, classes: classes ?? 1 },
  };
}

function pixels(): Omit<Origin, 'name'> {
  const recipe = recipeSchema.parse({ mean: [0, 0, 0], std: [1, 1, 1], resize: 'fit' });
  const architecture = architectureSchema.parse({ name: 'convnet', image: PIXELS, channels: 1 });
  const feeding = { recipe, shuffle: 'none', seed: 0, architecture } as const;
  return { key: canonicalJson({ content: 'pixels', feeding }), feeding, network: null };
}

/** The file of the weights, and what stands for its content. */
function weightsOf(context: Place, { kind, id }: Source): { file: string; content: string } {
  if (kind === 'checkpoint') {
    const { sha256 } = findCheckpoint(context.db, id);
    return { file: checkpointFile(context.home, id), content: sha256 };
  }
  const { bestEpoch, epochsDone } = runSummary(context.db, id);
  const file = weightsFile(context, id, bestEpoch ?? epochsDone);
  if (file === null) throw new Error('it was read before');
  return { file, content: id };
}

function requireLayers({ name, checkpoint }: Source): void {
  const { weights, classes } = checkpoint;
  const architecture = architectureSchema.parse(checkpoint.architecture);
  const options = { architecture, classes: classes ?? 1, batch: 1, mode: 'evaluation' } as const;
  const lacking = buildModel(options).parameters.find(
    ({ name: tensor, stage }) => stage !== 'head' && !weights.has(tensor),
  );
  if (!lacking) return;
  throw new CarryoverError('bad-input', `${name} lacks ${lacking.name}: it has no features`, {
    value: lacking.name,
    wayOut: 'choose weights that have all layers before the head',
  });
}

/** The job of a child that computes features of images. */
export function featuresJob(
  { db, home }: Place,
  { feeding, network }: Origin,
  items: ItemList,
  id: string,
): FeaturesJob {
  const training = trainingSchema.parse({ epochs: 1, batch: BATCH, lr: { peak: 1 } });
  const none: ItemList = { imageIds: [], places: [], labels: [], hashes: [] };
  const loader = {
    ...{ ...feeding, training, train: none, validation: null, test: items },
    ...{ cacheFolder: home.cache, cacheBytes: cacheBound(db) },
  };
  return { loader, network, folder: join(home.analyses), id };
}
