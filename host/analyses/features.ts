import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeatureSource } from '../../contract/analyses.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext, JobHandle } from '../context.ts';
import { listNames, getSummary } from '../datasets/read.ts';
import { fileError } from '../files.ts';
import type { StudyImage } from '../studies/data.ts';
import { imagesOf, itemsOf } from '../studies/data.ts';
import { canonicalJson } from '../studies/identity.ts';
import { writeArray } from './arrays.ts';
import { computeApart } from './child.ts';
import type { FeatureRows } from './protocol.ts';
import { featuresJob, namedSource, openOrigin } from './source.ts';
import type { Analysis } from './store.ts';
import { insertAnalysis, listAnalyses } from './store.ts';

interface FeaturesSpec {
  source: FeatureSource;
  key: string;
}

interface FeaturesSummary {
  dimensions: number;
  images: number;
}

/** The images of a data set as they are now, without excluded ones. */
export function currentImages({ db }: HostContext, datasetId: string): StudyImage[] {
  const domainNames = listNames(db, 'domains', datasetId);
  return imagesOf(db, { ...getSummary(db, datasetId), domainNames }, domainNames);
}

/**
 * Features of images by a source: computed where they are not kept. They do not depend on labels:
 * what the user changes costs nothing, and excluding images neither.
 * Throws what `openOrigin` throws, `conflict` where an image has changed since its import.
 */
export async function featuresOf(
  context: HostContext,
  datasetId: string,
  given: FeatureSource,
  images: readonly StudyImage[],
  handle: JobHandle,
): Promise<FeatureRows> {
  if (images.length === 0) {
    throw new CarryoverError('bad-input', 'there are no images to compute features of', {
      wayOut: 'include images again, or import some',
    });
  }
  const origin = await openOrigin(context, given);
  const { source } = namedSource(context, given);
  const spec: FeaturesSpec = { source, key: origin.key };
  const known = keptFeatures(context, datasetId, source).find(
    (each) => (each.spec as FeaturesSpec).key === spec.key,
  );
  const rows = known && (await rowsOf(context, known, images));
  if (rows) return rows;
  const id = `f${hash('sha256', canonicalJson({ datasetId, spec })).slice(0, 16)}`;
  const items = itemsOf(images, new Map());
  const job = featuresJob(context, origin, items, id);
  const { file, dimensions } = await computeApart(context, handle, 'features', job);
  const ids = await writeArray(job.folder, `${id}.ids`, Int32Array.from(items.imageIds));
  const summary: FeaturesSummary = { dimensions, images: images.length };
  insertAnalysis(context, { id, datasetId, kind: 'features', spec, summary, files: [file, ids] });
  return { file: join(job.folder, file.name), dimensions, rows: [...images.keys()] };
}

/** Features that are kept, by a source or by any, the newest first. */
export function keptFeatures(
  { db }: Pick<HostContext, 'db'>,
  datasetId: string,
  source: FeatureSource,
): Analysis[] {
  const wanted = canonicalJson(source);
  return listAnalyses(db, 'features', datasetId).filter(
    ({ spec }) => canonicalJson((spec as FeaturesSpec).source) === wanted,
  );
}

/** The rows of images in kept features; null where one is not there, or the files are gone. */
export async function rowsOf(
  context: Pick<HostContext, 'home'>,
  features: Analysis,
  images: readonly Pick<StudyImage, 'id'>[],
): Promise<FeatureRows | null> {
  const opened = await openKept(context, features);
  if (!opened) return null;
  const rowById = new Map([...opened.ids].map((id, row) => [id, row]));
  const rows = images.map(({ id }) => rowById.get(id) ?? -1);
  if (rows.includes(-1)) return null;
  return { file: opened.file, dimensions: opened.dimensions, rows };
}

/** The file of kept features, and the image of each of its rows; null where it is gone. */
export async function openKept(
  { home }: Pick<HostContext, 'home'>,
  { files, summary }: Analysis,
): Promise<{ file: string; dimensions: number; ids: Int32Array } | null> {
  const [values, ids] = files.map((file) => ({ ...file, path: join(home.analyses, file.name) }));
  if (!values || !ids) return null;
  const whole = [values, ids].every(
    ({ path, bytes }) => statSync(path, { throwIfNoEntry: false })?.size === bytes,
  );
  if (!whole) return null;
  const bytes = await readFile(ids.path).catch((error: unknown) => {
    throw fileError(error, ids.path, 'read');
  });
  const copy = Uint8Array.from(bytes);
  const { dimensions } = summary as FeaturesSummary;
  return { file: values.path, dimensions, ids: new Int32Array(copy.buffer) };
}
