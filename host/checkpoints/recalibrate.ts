import { readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CheckpointDetail } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { recipeSchema, trainingSchema } from '../../contract/study.ts';
import type { Checkpoint } from '../../engine/checkpoints/export.ts';
import { encodeCheckpoint } from '../../engine/checkpoints/export.ts';
import { METADATA_KEYS } from '../../engine/formats/told.ts';
import { buildModel, hasBatchNorm } from '../../engine/models/registry.ts';
import { stream } from '../../engine/random/streams.ts';
import { recalibrate } from '../../engine/train/recalibrate.ts';
import { cacheBound } from '../cache.ts';
import type { HostContext } from '../context.ts';
import { findDataset, listNames } from '../datasets/read.ts';
import { fileError, writeFileAtomic } from '../files.ts';
import type { StudyImage } from '../studies/data.ts';
import { imagesOf, itemsOf } from '../studies/data.ts';
import { runFolder } from '../studies/run-files.ts';
import type { LoaderJob } from '../trainer/batches.ts';
import { openLoader } from '../trainer/open-loader.ts';
import type { ItemList, TrainerJob } from '../trainer/protocol.ts';
import type { Source } from './export.ts';
import { readSource } from './export.ts';
import { importCheckpoint, requireFreeName } from './import.ts';

export interface RecalibrationRequest {
  /** Id of a finished run, or name or id of a checkpoint. */
  source: string;
  /** Name or id of the data set. */
  data: string;
  /** One domain of it; absent: all. */
  domain?: string;
  /** Images whose moments are taken together. */
  batch: number;
  /** Of the new checkpoint. */
  name: string;
}

type Feeding = Pick<LoaderJob, 'recipe' | 'shuffle' | 'seed'>;

/**
 * A new checkpoint: the source's weights with BatchNorm's running statistics made anew on images of
 * a data set, which are fed as the source's were, in an order that is random but always the same.
 * Throws `unsupported` for networks without BatchNorm, `not-found` for images that are not there,
 * `bad-input` where the source lacks weights or does not say how it was fed, and what
 * `importCheckpoint` throws. `note` is told what the user should know.
 */
export async function recalibrateWeights(
  context: HostContext,
  request: RecalibrationRequest,
  note: (text: string) => void,
): Promise<CheckpointDetail> {
  const { name, batch } = request;
  requireFreeName(context.db, name);
  const source = await readSource(context, request.source);
  requireUsable(source);
  const feeding = await feedingOf(context, source);
  const { dataset, domains, items } = chosenImages(context, request);
  const weights = await renewed(context, source.checkpoint, { feeding, items, batch, note });
  const provenance = {
    ...{ from: source.id, dataset: dataset.name, contentHash: dataset.contentHash },
    ...{ domains, images: items.places.length, batch },
  };
  const told = { [METADATA_KEYS.recalibrated]: JSON.stringify(provenance) };
  const file = join(context.home.cache, `recalibrated-${source.id}-${process.pid}.safetensors`);
  try {
    await writeFileAtomic(file, encodeCheckpoint({ ...source.checkpoint, weights }, told));
    const origin = `${source.name} recalibrated on ${dataset.name} (${domains.join(', ')})`;
    const body = { path: file, name, loose: true, licence: source.licence ?? undefined };
    return await importCheckpoint(context, body, origin);
  } finally {
    await rm(file, { force: true });
  }
}

/** Its statistics depend on all but themselves and the head. */
function requireUsable({ name, checkpoint }: Source): void {
  const { architecture, weights } = checkpoint;
  if (!hasBatchNorm(architecture)) {
    throw new CarryoverError(
      'unsupported',
      `${name} is ${architecture.name}, which has no BatchNorm: it has no running statistics to make anew`,
      { value: name, wayOut: 'use its weights as they are' },
    );
  }
  const { parameters } = buildModel({ architecture, classes: 1, batch: 1, mode: 'evaluation' });
  const lacking = parameters.find(
    ({ name: tensor, stage, role }) =>
      stage !== 'head' && role !== 'statistic' && !weights.has(tensor),
  );
  if (!lacking) return;
  throw new CarryoverError('bad-input', `${name} lacks ${lacking.name}`, {
    value: lacking.name,
    wayOut: 'recalibrate weights that have all layers before the head',
  });
}

/** A run's images as it saw them in evaluation; a checkpoint's by its preprocessing. */
export async function feedingOf(context: HostContext, { id, name, kind, checkpoint }: Source) {
  if (kind === 'run') {
    const file = join(runFolder(context, id), 'job.json');
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw fileError(error, file, 'read');
    });
    const { recipe, shuffle, seed } = JSON.parse(text) as TrainerJob;
    return { recipe, shuffle, seed };
  }
  const { mean, std, interpolation } = checkpoint.preprocessing;
  if (mean === null || std === null) {
    throw new CarryoverError('bad-input', `${name} does not say how its images were normalised`, {
      value: name,
      wayOut: 'remove it and import it again with --mean and --std',
    });
  }
  const recipe = recipeSchema.parse({ mean, std, ...(interpolation && { interpolation }) });
  return { recipe, shuffle: 'none', seed: 0 } satisfies Feeding;
}

function chosenImages({ db }: HostContext, { data, domain }: RecalibrationRequest) {
  const dataset = findDataset(db, data);
  const domainNames = listNames(db, 'domains', dataset.id);
  if (domain !== undefined && !domainNames.includes(domain)) {
    throw new CarryoverError('not-found', `"${dataset.name}" has no domain "${domain}"`, {
      value: domain,
      wayOut: `give one of ${domainNames.join(', ')}`,
    });
  }
  const domains = domain === undefined ? domainNames : [domain];
  const images = imagesOf(db, { ...dataset, domainNames }, domains);
  const order = stream(0, 'recalibrate').permutation(images.length);
  const mixed = Array.from(order, (at) => images[at] as StudyImage);
  return { dataset, domains, items: itemsOf(mixed, new Map()) };
}

interface Renewal {
  feeding: Feeding;
  items: ItemList;
  batch: number;
  note: (text: string) => void;
}

async function renewed(
  { db, home }: HostContext,
  { architecture, classes, weights }: Checkpoint,
  { feeding, items, batch, note }: Renewal,
) {
  const training = trainingSchema.parse({ epochs: 1, batch, lr: { peak: 1 } });
  const job: LoaderJob = {
    ...{ ...feeding, architecture, training, train: items, validation: null, test: items },
    ...{ cacheFolder: home.cache, cacheBytes: cacheBound(db) },
  };
  const loader = await openLoader(
    job,
    (message) => {
      if (message.type === 'note') note(message.text);
    },
    { only: ['test'] },
  );
  try {
    const source = loader.source('test');
    if (!source) throw new Error('it was opened for these images');
    const options = { architecture, classes: classes ?? 1, batch };
    const settings = { threads: availableParallelism() };
    return await recalibrate(options, weights, source, settings);
  } finally {
    await loader.close();
  }
}
