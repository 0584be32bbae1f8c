import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MapPoints, MapSpec, MapSummary } from '../../contract/analyses.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import { stream } from '../../engine/random/streams.ts';
import type { HostContext, JobHandle } from '../context.ts';
import { hasBit } from '../datasets/bits.ts';
import type { Columns } from '../datasets/columns.ts';
import { columnsOf } from '../datasets/columns.ts';
import { getSummary } from '../datasets/read.ts';
import { fileError } from '../files.ts';
import type { StudyImage } from '../studies/data.ts';
import { writeArray } from './arrays.ts';
import { computeApart } from './child.ts';
import { currentImages, featuresOf } from './features.ts';
import { namedSource } from './source.ts';
import type { Analysis } from './store.ts';
import { analysisId, findAnalysis, getAnalysis, insertAnalysis, listAnalyses } from './store.ts';

type Stored = Pick<MapSummary, 'sourceName' | 'images' | 'dimensions'>;

/** Starts a map; the job's result is its id. Throws `not-found`. */
export function startMap(context: HostContext, datasetId: string, given: MapSpec): Job {
  const { name } = getSummary(context.db, datasetId);
  const { source, name: sourceName } = namedSource(context, given.source);
  const spec = { ...given, source };
  const description = { kind: 'map', title: `Map of ${name}`, subject: datasetId } as const;
  return context.jobs.start(description, (handle) =>
    makeMap(context, { datasetId, spec, sourceName }, handle),
  );
}

async function makeMap(
  context: HostContext,
  { datasetId, spec, sourceName }: { datasetId: string; spec: MapSpec; sourceName: string },
  handle: JobHandle,
): Promise<string> {
  const id = analysisId(context.db, datasetId, 'map', spec);
  const known = findAnalysis(context.db, id);
  if (known && known.files.every(({ name }) => existsSync(join(context.home.analyses, name)))) {
    return id;
  }
  const all = currentImages(context, datasetId);
  requireEnough(all.length, spec.neighbours);
  const features = await featuresOf(context, datasetId, spec.source, all, handle);
  const drawn = drawImages(all, spec.most, spec.seed);
  const rows = drawn.map((at) => features.rows[at]!);
  const { neighbours, minDistance, seed } = spec;
  const job = {
    ...{ features: { ...features, rows }, neighbours, minDistance, seed },
    ...{ folder: context.home.analyses, id },
  };
  const { file } = await computeApart(context, handle, 'map', job);
  const imageIds = Int32Array.from(drawn, (at) => all[at]!.id);
  const ids = await writeArray(job.folder, `${id}.ids`, imageIds);
  const summary: Stored = { sourceName, images: drawn.length, dimensions: features.dimensions };
  insertAnalysis(context, { id, datasetId, kind: 'map', spec, summary, files: [file, ids] });
  return id;
}

function requireEnough(images: number, neighbours: number): void {
  if (images > neighbours) return;
  throw new CarryoverError('bad-input', `${neighbours} neighbours of ${images} images`, {
    value: String(neighbours),
    wayOut:
      images > 2
        ? `ask for fewer neighbours than there are images, at most ${images - 1}`
        : 'a map takes more images',
  });
}

/** At most `most` of the images, the same share of every class, in the order given. */
export function drawImages(
  images: readonly Pick<StudyImage, 'labels'>[],
  most: number,
  seed: number,
): number[] {
  if (images.length <= most) return [...images.keys()];
  const order = stream(seed, 'map').permutation(images.length);
  const byClass = Map.groupBy(order, (at) => images[at]!.labels.join(', '));
  const lined = [...byClass.keys()].sort().flatMap((label) => byClass.get(label) ?? []);
  const step = lined.length / most;
  const drawn = Array.from({ length: most }, (_, n) => lined[Math.floor(n * step)]!);
  return drawn.sort((a, b) => a - b);
}

/** Maps of a data set, newest first. Throws `not-found`. */
export function listMaps({ db }: HostContext, datasetId: string): MapSummary[] {
  getSummary(db, datasetId);
  return listAnalyses(db, 'map', datasetId).map(summaryOf);
}

function summaryOf({ id, datasetId, spec, summary, createdAt }: Analysis): MapSummary {
  return { id, datasetId, spec: spec as MapSpec, createdAt, ...(summary as Stored) };
}

/**
 * A map with the labels of now, without images that are excluded now. Throws `not-found`, `io`
 * where its files are gone.
 */
export async function getMap({ db, home }: HostContext, id: string): Promise<MapPoints> {
  const analysis = getAnalysis(db, 'map', id);
  const [layout, ids] = await Promise.all(
    analysis.files.map(({ name }) => readBuffer(join(home.analyses, name))),
  );
  if (!layout || !ids) throw new Error(`map ${id} has no files`);
  const columns = columnsOf(db, analysis.datasetId);
  const names = labelling(columns);
  const points: MapPoints = {
    ...{ ...summaryOf(analysis), ids: [], x: [], y: [], label: [], domain: [] },
    ...{ labelNames: names.labels, domainNames: columns.domainNames },
  };
  const places = new Float32Array(layout);
  for (const [at, image] of new Int32Array(ids).entries()) {
    const position = columns.positionOf(image);
    if (position < 0 || hasBit(columns.excluded, position)) continue;
    points.ids.push(image);
    points.x.push(rounded(places[2 * at]!));
    points.y.push(rounded(places[2 * at + 1]!));
    points.label.push(names.labelOf(position));
    points.domain.push(columns.domains[position]! - 1);
  }
  return points;
}

const rounded = (value: number): number => Math.round(value * 1e5) / 1e5;

/** What an image is coloured by: its class; multi-label: the findings that are present. */
function labelling(columns: Columns): {
  labels: string[];
  labelOf: (position: number) => number;
} {
  const { multiLabel, classNames, classes, present } = columns;
  if (!multiLabel) return { labels: classNames, labelOf: (position) => classes[position]! - 1 };
  const labels: string[] = [];
  const known = new Map<string, number>();
  return {
    labels,
    labelOf(position) {
      const found = [...present].flatMap(([name, bits]) => (hasBit(bits, position) ? [name] : []));
      const text = found.join(', ') || 'no finding';
      const index = known.get(text) ?? labels.push(text) - 1;
      known.set(text, index);
      return index;
    },
  };
}

async function readBuffer(file: string): Promise<ArrayBuffer> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, file, 'read');
  });
  return Uint8Array.from(bytes).buffer;
}
