import type { Suspect, SuspectReport, SuspectSpec } from '../../contract/analyses.ts';
import type { Job } from '../../contract/jobs.ts';
import type { HostContext, JobHandle } from '../context.ts';
import { getSummary } from '../datasets/read.ts';
import type { StudyImage } from '../studies/data.ts';
import { computeApart } from './child.ts';
import { currentImages, featuresOf } from './features.ts';
import type { Judged } from './judged.ts';
import { judgedImages, requireSubject } from './judged.ts';
import type { SuspectsFound } from './protocol.ts';
import { namedSource } from './source.ts';
import type { Analysis } from './store.ts';
import { analysisId, findAnalysis, getAnalysis, insertAnalysis, listAnalyses } from './store.ts';

type Stored = Omit<SuspectReport, 'id' | 'datasetId' | 'spec' | 'createdAt'>;

/**
 * Starts the search for likely label errors; the job's result is the report's id. Throws `not-found`,
 * `bad-input` for a multi-label set without one of its findings, and for a finding in another set.
 */
export function startSuspects(context: HostContext, datasetId: string, given: SuspectSpec): Job {
  const { name } = getSummary(context.db, datasetId);
  requireSubject(context.db, datasetId, given.finding);
  const { source, name: sourceName } = namedSource(context, given.source);
  const spec = { ...given, source };
  const title = `Likely label errors of ${[name, given.finding ?? []].flat().join(', ')}`;
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
  const judged = judgedImages(all, spec.finding);
  const features = await featuresOf(context, datasetId, spec.source, all, handle);
  const { found } = await computeApart(context, handle, 'suspects', {
    features: { ...features, rows: judged.places.map((at) => features.rows[at]!) },
    labels: judged.labels,
    groups: judged.places.map((at) => all[at]!.group),
    classes: judged.classes.length,
    folds: spec.folds,
    seed: spec.seed,
  });
  const summary = { sourceName, notes: judged.notes, ...storedOf(found, all, judged) };
  insertAnalysis(context, { id, datasetId, kind: 'suspects', spec, summary, files: [] });
  return id;
}

function storedOf(
  { accuracy, auc, estimated, thresholds, confusions, suspects }: SuspectsFound,
  images: readonly StudyImage[],
  { places, labels, classes }: Judged,
): Omit<Stored, 'sourceName' | 'notes'> {
  const counts = Map.groupBy(labels, (label) => label);
  return {
    images: places.length,
    ...{ accuracy, auc, estimated: Math.round(estimated) },
    thresholds: classes.map((label, at) => ({
      label,
      threshold: thresholds[at]!,
      images: counts.get(at)?.length ?? 0,
    })),
    confusions: confusions.map(({ label, suggested, ...rest }) => ({
      label: classes[label]!,
      suggested: classes[suggested]!,
      ...rest,
    })),
    suspects: suspects.map(({ index, suggested, ...numbers }): Suspect => {
      const { id, path, domain } = images[places[index]!]!;
      const label = classes[labels[index]!]!;
      return { id, path, domain, label, suggested: classes[suggested]!, ...numbers };
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
  const stored = summary as Stored;
  // Reports of before there were searches of findings have no area.
  const auc = (summary as Partial<Stored>).auc ?? null;
  return { id, datasetId, spec: spec as SuspectSpec, createdAt, ...stored, auc };
}
