import type { Suspect, SuspectReport, SuspectSpec } from '../../contract/analyses.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Job } from '../../contract/jobs.ts';
import type { HostContext, JobHandle } from '../context.ts';
import { getSummary } from '../datasets/read.ts';
import type { StudyImage } from '../studies/data.ts';
import { computeApart } from './child.ts';
import { currentImages, featuresOf } from './features.ts';
import type { SuspectsFound } from './protocol.ts';
import { namedSource } from './source.ts';
import type { Analysis } from './store.ts';
import { analysisId, findAnalysis, getAnalysis, insertAnalysis, listAnalyses } from './store.ts';

type Stored = Omit<SuspectReport, 'id' | 'datasetId' | 'spec' | 'createdAt'>;

/**
 * Starts the search for likely label errors; the job's result is the report's id. Throws
 * `not-found`, `unsupported` for a multi-label set.
 */
export function startSuspects(context: HostContext, datasetId: string, given: SuspectSpec): Job {
  const { name, task } = getSummary(context.db, datasetId);
  if (task !== 'single-label') {
    throw new CarryoverError(
      'unsupported',
      `"${name}" has several findings per image: label errors are looked for in sets with one class an image`,
      {
        value: name,
        wayOut: 'import it with a reading that gives each image one class, such as one finding',
      },
    );
  }
  const { source, name: sourceName } = namedSource(context, given.source);
  const spec = { ...given, source };
  const title = `Likely label errors of ${name}`;
  return context.jobs.start({ kind: 'suspects', title, subject: datasetId }, (handle) =>
    findSuspects(context, { datasetId, spec, sourceName }, handle),
  );
}

async function findSuspects(
  context: HostContext,
  { datasetId, spec, sourceName }: { datasetId: string; spec: SuspectSpec; sourceName: string },
  handle: JobHandle,
): Promise<string> {
  const id = analysisId(context.db, datasetId, 'suspects', spec);
  if (findAnalysis(context.db, id)) return id;
  const all = currentImages(context, datasetId);
  const { judged, labels, notes } = judgedImages(all);
  const features = await featuresOf(context, datasetId, spec.source, all, handle);
  const rows = judged.map((at) => features.rows[at]!);
  const images = judged.map((at) => all[at]!);
  const indices = new Map(labels.map((label, index) => [label, index]));
  const { found } = await computeApart(context, handle, 'suspects', {
    features: { ...features, rows },
    labels: images.map((image) => indices.get(image.labels[0]!)!),
    groups: images.map(({ group }) => group),
    classes: labels.length,
    folds: spec.folds,
    seed: spec.seed,
  });
  const summary = { sourceName, notes, ...storedOf(found, images, labels) };
  insertAnalysis(context, { id, datasetId, kind: 'suspects', spec, summary, files: [] });
  return id;
}

/** Images of classes that can be learnt without any one of their groups. */
function judgedImages(images: readonly StudyImage[]) {
  const groups = new Map<string, Set<string>>();
  for (const { labels, group } of images) {
    const label = labels[0]!;
    groups.set(label, (groups.get(label) ?? new Set()).add(group));
  }
  const [judgedLabels, single] = [[] as string[], [] as string[]];
  for (const [label, own] of groups) (own.size > 1 ? judgedLabels : single).push(label);
  const labels = judgedLabels.sort();
  if (labels.length < 2) {
    throw new CarryoverError('bad-input', 'label errors take two classes of two groups each', {
      wayOut: 'import more images, or other groups',
    });
  }
  const judged = [...images.keys()].filter((at) => labels.includes(images[at]!.labels[0]!));
  const notes =
    single.length === 0
      ? []
      : [
          `left out, as all their images are of one group: ${single.slice(0, 5).join(', ')}` +
            (single.length > 5 ? ` and ${single.length - 5} more classes` : ''),
        ];
  return { judged, labels, notes };
}

function storedOf(
  found: SuspectsFound,
  images: readonly StudyImage[],
  labels: readonly string[],
): Omit<Stored, 'sourceName' | 'notes'> {
  const counts = new Map<string, number>();
  for (const image of images) {
    counts.set(image.labels[0]!, (counts.get(image.labels[0]!) ?? 0) + 1);
  }
  return {
    images: images.length,
    accuracy: found.accuracy,
    estimated: Math.round(found.estimated),
    thresholds: labels.map((label, at) => ({
      label,
      threshold: found.thresholds[at]!,
      images: counts.get(label) ?? 0,
    })),
    confusions: found.confusions.map(({ label, suggested, ...rest }) => ({
      label: labels[label]!,
      suggested: labels[suggested]!,
      ...rest,
    })),
    suspects: found.suspects.map(({ index, suggested, selfConfidence, margin }): Suspect => {
      const { id, path, domain, labels: own } = images[index]!;
      return {
        ...{ id, path, domain, label: own[0]!, suggested: labels[suggested]! },
        ...{ selfConfidence, margin },
      };
    }),
  };
}

/** Searches of a data set, newest first, without their suspects. Throws `not-found`. */
export function listSuspects({ db }: HostContext, datasetId: string): SuspectReport[] {
  getSummary(db, datasetId);
  return listAnalyses(db, 'suspects', datasetId).map((analysis) => ({
    ...reportOf(analysis),
    suspects: [],
  }));
}

/** A finished search: labels as they were then. Throws `not-found`. */
export function getSuspects({ db }: HostContext, id: string): SuspectReport {
  return reportOf(getAnalysis(db, 'suspects', id));
}

function reportOf({ id, datasetId, spec, summary, createdAt }: Analysis): SuspectReport {
  return { id, datasetId, spec: spec as SuspectSpec, createdAt, ...(summary as Stored) };
}
