/**
 * Everything the renderer can ask the host. A call is `POST /api/<name>` with a JSON body that
 * `requests[name]` accepts; the answer is `{ ok: true, value }` or `{ ok: false, error: Failure }`.
 * Events come by `GET /api/events` (server-sent events, one `HostEvent` as JSON each).
 * Pictures come by `GET`:
 *   /media/images/<id>?w=<64|128|256|512>                thumbnail (WebP)
 *   /media/analyses/<id>/<file>                          a picture of an analysis (PNG), or one of its
 *                                                        figures, <figure>.svg, that stands alone
 *   /media/images/<id>/original                          the file, re-encoded as PNG at its own size
 *   /media/images/<id>/input?run=<runId>                 what that run sees (PNG, resized, shuffled)
 *   /media/images/<id>/shuffled?size=&block=<n|pixel>&seed=   preview (PNG at size x size)
 *   /reports/<studyId>                                   the HTML report
 *   /data/<datasetId>/<images|changes|suspects|trust>.<csv|json>   tables of a data set;
 *   /data/<datasetId>/metadata.csv                       its labels now, as an imagefolder has them
 *   /weights/<checkpointId or runId>.<safetensors|onnx>  weights for other programs
 */
import { z } from 'zod';
import { CELLS } from './agreement.ts';
import type { MapPoints, MapSummary, Neighbour, SuspectReport } from './analyses.ts';
import { featureSource, mapSpecSchema, suspectSpecSchema } from './analyses.ts';
import type {
  CheckpointDetail,
  CheckpointSummary,
  WeightsReport,
  ZooEntry,
} from './checkpoints.ts';
import { preprocessingSchema } from './checkpoints.ts';
import type { DevicesReport } from './devices.ts';
import { DEVICE_CHOICES } from './devices.ts';
import type { PairImage, PairReport } from './compare.ts';
import type {
  ChangeEntry,
  DatasetDetail,
  DatasetSummary,
  FileCheck,
  FilterCounts,
  ImageDetail,
  ImageRow,
  ImportReport,
} from './datasets.ts';
import { changeSchema, imageFilter } from './datasets.ts';
import type { Failure } from './errors.ts';
import type { Job } from './jobs.ts';
import type { ReadingPreview, SourceLook } from './reading.ts';
import { readingSchema } from './reading.ts';
import type { EpochMetrics, RunDetail, RunProgress, RunSummary } from './runs.ts';
import type { TrustReport } from './trust.ts';
import type { DrawnAnalysis } from './study-analyses.ts';
import type { StudyDetail, StudyIssue, StudyPlan, StudySummary } from './study.ts';
import { HIGHEST_SHUFFLE_SEED, shuffleSchema } from './study.ts';

const id = z.string().min(1).max(128);
const none = z.strictObject({});
const page = { offset: z.int().min(0), limit: z.int().min(1).max(1000) };
const pair = { a: id, b: id, split: z.enum(['train', 'test']) };
/** Either YAML text or the parsed object. */
const study = z.strictObject({ yaml: z.string().max(1_000_000) });

export const settings = z.strictObject({
  device: z.enum(DEVICE_CHOICES),
  /** Bound on the decoded pixels kept on disk; the least recently used go first. */
  cacheMegabytes: z.int().min(100).max(10_000_000),
});
export type Settings = z.infer<typeof settings>;

export const requests = {
  'app.info': none,
  'folders.list': z.strictObject({ path: z.string().optional() }),
  'datasets.list': none,
  'datasets.get': z.strictObject({ id }),
  /** What lies at a path (a folder, a file, an archive) and how it can be read. */
  'datasets.look': z.strictObject({ path: z.string().min(1) }),
  /** What a reading would make of it; no image is opened. */
  'datasets.preview': z.strictObject({ path: z.string().min(1), reading: readingSchema }),
  /**
   * Starts a dry run, without a reading with the best one; the job's result is what
   * `datasets.scanReport` takes. What was looked at before is not looked at again.
   */
  'datasets.scan': z.strictObject({ path: z.string().min(1), reading: readingSchema.optional() }),
  'datasets.scanReport': z.strictObject({ scanId: id }),
  /** Starts the import of a scanned folder; the job's result is the data set's id. */
  'datasets.import': z.strictObject({ scanId: id, name: z.string().min(1).max(100) }),
  'datasets.remove': z.strictObject({ id }),
  /** The files lie in another folder now; refused unless they hold the same content. A job; result: the id. */
  'datasets.relink': z.strictObject({ id, path: z.string().min(1) }),
  /** Looks at every file's size, time and (where those differ) hash. A job; result: for `fileCheck`. */
  'datasets.checkFiles': z.strictObject({ id }),
  'datasets.fileCheck': z.strictObject({ checkId: id }),
  /** Changes all images that match; the files stay as they are. */
  'datasets.change': z.strictObject({ datasetId: id, filter: imageFilter, change: changeSchema }),
  /** Newest first. */
  'datasets.changes': z.strictObject({ datasetId: id }),
  /** Takes a change back (its images get what they had before); later ones on them stay in force. */
  'datasets.undo': z.strictObject({ datasetId: id, changeId: z.int() }),
  /** Starts the report; the job's result is what `trust.get` takes. Computed once for the same state. */
  'trust.start': z.strictObject({
    datasetId: id,
    nearBits: z.int().min(0).max(16).optional(),
    studyId: id.optional(),
  }),
  'trust.get': z.strictObject({ id }),
  /** The newest of the data set as it is now, or null. */
  'trust.latest': z.strictObject({ datasetId: id }),
  /** Starts a map; the job's result is what `maps.get` takes. */
  'maps.start': z.strictObject({ datasetId: id, spec: mapSpecSchema }),
  'maps.list': z.strictObject({ datasetId: id }),
  'maps.get': z.strictObject({ id }),
  /** The images most like one, by features that were computed before (a map or suspects made them). */
  'images.neighbours': z.strictObject({
    imageId: z.int(),
    source: featureSource,
    most: z.int().min(1).max(500),
  }),
  /** Starts the search for likely label errors; the job's result is what `suspects.get` takes. */
  'suspects.start': z.strictObject({ datasetId: id, spec: suspectSpecSchema }),
  'suspects.list': z.strictObject({ datasetId: id }),
  'suspects.get': z.strictObject({ id }),
  'samples.list': none,
  /** Builds and imports a sample set; the job's result is the data set's id. */
  'samples.build': z.strictObject({ name: z.string().min(1) }),
  'images.query': z.strictObject({ datasetId: id, filter: imageFilter, ...page }),
  /** Position of an image in the filtered list; null where it is not in it. */
  'images.position': z.strictObject({ datasetId: id, filter: imageFilter, id: z.int() }),
  'images.counts': z.strictObject({ datasetId: id, filter: imageFilter }),
  'images.get': z.strictObject({ id: z.int() }),
  /** What a shuffle does to square colour images. */
  'shuffles.describe': z.strictObject({
    size: z.int().min(1).max(1024),
    shuffle: shuffleSchema,
    seed: z.int().min(0).max(HIGHEST_SHUFFLE_SEED),
  }),
  'studies.list': none,
  'studies.get': z.strictObject({ id }),
  'studies.check': study,
  /** Stores the study without starting it. */
  'studies.create': study,
  'studies.start': z.strictObject({ id }),
  'studies.pause': z.strictObject({ id }),
  'studies.resume': z.strictObject({ id }),
  'studies.cancel': z.strictObject({ id }),
  'studies.remove': z.strictObject({ id }),
  /** An analysis of a study with its figures drawn. */
  'studies.analysis': z.strictObject({ id }),
  'runs.list': z.strictObject({ studyId: id.optional(), datasetId: id.optional() }),
  'runs.get': z.strictObject({ id }),
  'compare.pair': z.strictObject(pair),
  'compare.images': z.strictObject({
    ...pair,
    cell: z.enum(CELLS).optional(),
    label: z.string().optional(),
    sort: z.enum(['confidence-a', 'confidence-b', 'difference', 'path']),
    ...page,
  }),
  /** Starts a learning-rate search; the job's result is what `studies.rateSearch` takes. */
  'studies.findRate': z.strictObject({ yaml: z.string().max(1_000_000), arm: z.string().min(1) }),
  'studies.rateSearch': z.strictObject({ id }),
  'checkpoints.list': none,
  'checkpoints.get': z.strictObject({ id }),
  /** Folders and weights files of a folder, for choosing one; the user's own when absent. */
  'checkpoints.browse': z.strictObject({ path: z.string().optional() }),
  /** What a file on this machine holds and how it meets an architecture (the best one when absent). */
  'checkpoints.inspect': z.strictObject({
    path: z.string().min(1),
    architecture: z.string().optional(),
  }),
  'checkpoints.import': z.strictObject({
    path: z.string().min(1),
    name: z.string().min(1).max(64),
    architecture: z.string().optional(),
    /** Given by the user where the file does not say. */
    preprocessing: preprocessingSchema.partial().optional(),
    licence: z.string().max(500).optional(),
    /** Takes what matches although tensors are missing or left over. */
    loose: z.boolean().default(false),
  }),
  'checkpoints.remove': z.strictObject({ id }),
  'zoo.list': none,
  /** Fetches, verifies and imports; the job's result is the checkpoint's id. Resumes what was cut off. */
  'zoo.download': z.strictObject({ id }),
  'devices.report': none,
  /** Tests every device again; the job's result is empty, `devices.report` has the findings. */
  'devices.test': none,
  'settings.get': none,
  'settings.set': settings.partial(),
  'cache.info': none,
  'cache.clear': none,
  'jobs.list': none,
  'jobs.cancel': z.strictObject({ id }),
} as const;

export type RequestName = keyof typeof requests;
export type RequestBody<N extends RequestName> = z.infer<(typeof requests)[N]>;

export interface FolderListing {
  path: string;
  parent: string | null;
  folders: { name: string; path: string }[];
  /** Single files directly in it that are data sets by themselves: archives, tables, arrays. */
  sources: { name: string; path: string }[];
  /** Images directly in this folder. */
  images: number;
}

export interface WeightsListing extends Omit<FolderListing, 'sources'> {
  /** Files directly in this folder that may hold weights, by their endings. */
  files: { name: string; path: string; bytes: number }[];
}

export interface SampleInfo {
  name: string;
  title: string;
  description: string;
  licences: string;
  downloadMegabytes: number;
  /** Set once it was built and imported. */
  datasetId: string | null;
}

/** The decoded pixels on disk. */
export interface CacheInfo {
  folder: string;
  bytes: number;
  files: number;
  /** From the settings. */
  limitBytes: number;
}

/** Loss against a rising learning rate (Smith, arXiv 1506.01186). */
export interface RateSearch {
  id: string;
  studyName: string;
  arm: string;
  rates: number[];
  /** Smoothed loss on training batches at each rate; the search ends where it explodes. */
  losses: number[];
  /** Where the loss falls most steeply; null where it never falls. */
  suggestion: number | null;
  why: string;
}

export interface AppInfo {
  version: string;
  home: string;
  device: string;
  node: string;
  platform: string;
}

export interface Responses {
  'app.info': AppInfo;
  'folders.list': FolderListing;
  'datasets.list': DatasetSummary[];
  'datasets.get': DatasetDetail;
  'datasets.look': SourceLook;
  'datasets.preview': ReadingPreview;
  'datasets.scan': Job;
  'datasets.scanReport': ImportReport;
  'datasets.import': Job;
  'datasets.remove': null;
  'datasets.relink': Job;
  'datasets.checkFiles': Job;
  'datasets.fileCheck': FileCheck;
  'datasets.change': ChangeEntry;
  'datasets.changes': ChangeEntry[];
  'datasets.undo': ChangeEntry;
  'trust.start': Job;
  'trust.get': TrustReport;
  'trust.latest': TrustReport | null;
  'maps.start': Job;
  'maps.list': MapSummary[];
  'maps.get': MapPoints;
  'images.neighbours': Neighbour[];
  'suspects.start': Job;
  'suspects.list': SuspectReport[];
  'suspects.get': SuspectReport;
  'samples.list': SampleInfo[];
  'samples.build': Job;
  'images.query': { total: number; images: ImageRow[] };
  'images.position': number | null;
  'images.counts': FilterCounts;
  'images.get': ImageDetail;
  /** `identity`: everything stays in its place, nothing is shuffled. */
  'shuffles.describe': { identity: boolean };
  'studies.list': StudySummary[];
  'studies.get': StudyDetail;
  'studies.findRate': Job;
  'studies.rateSearch': RateSearch;
  'studies.analysis': DrawnAnalysis;
  'studies.check': {
    issues: StudyIssue[];
    plan: StudyPlan | null;
    /** The file as it was read, without defaults; null where it is no YAML mapping. */
    written: Record<string, unknown> | null;
  };
  'studies.create': StudyDetail;
  'studies.start': Job;
  'studies.pause': StudyDetail;
  'studies.resume': Job;
  'studies.cancel': StudyDetail;
  'studies.remove': null;
  'runs.list': RunSummary[];
  'runs.get': RunDetail;
  'compare.pair': PairReport;
  'compare.images': { total: number; images: PairImage[] };
  'checkpoints.list': CheckpointSummary[];
  'checkpoints.get': CheckpointDetail;
  'checkpoints.browse': WeightsListing;
  'checkpoints.inspect': WeightsReport;
  'checkpoints.import': CheckpointDetail;
  'checkpoints.remove': null;
  'zoo.list': ZooEntry[];
  'zoo.download': Job;
  'devices.report': DevicesReport;
  'devices.test': Job;
  'settings.get': Settings;
  'settings.set': Settings;
  'cache.info': CacheInfo;
  'cache.clear': CacheInfo;
  'jobs.list': Job[];
  'jobs.cancel': Job;
}

export type Answer<T> = { ok: true; value: T } | { ok: false; error: Failure };

/** The functions behind the routes: one per request name. */
export type Handlers = {
  [N in RequestName]: (body: RequestBody<N>) => Promise<Responses[N]> | Responses[N];
};

export type HostEvent =
  | { type: 'job'; job: Job }
  | { type: 'run'; progress: RunProgress }
  | { type: 'epoch'; runId: string; metrics: EpochMetrics }
  | { type: 'run-status'; run: RunSummary }
  | { type: 'study'; study: StudySummary }
  | { type: 'datasets' };
