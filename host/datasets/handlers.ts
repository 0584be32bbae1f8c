import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Handlers, RequestBody } from '../../contract/api.ts';
import type { FileCheck } from '../../contract/datasets.ts';
import type { HostContext } from '../context.ts';
import { changeImages, listChanges, undoChange } from './changes.ts';
import { checkFiles } from './check-files.ts';
import { listFolders } from './folders.ts';
import { findImported, importScan } from './import.ts';
import { lookAt, previewReading } from './look.ts';
import { countImages, positionOf, queryImages } from './query.ts';
import { getDetail, getImage, getSummary, listSummaries } from './read.ts';
import { relinkDataset } from './relink.ts';
import { removeDataset } from './remove.ts';
import type { Scan } from './scan.ts';
import { scanSource } from './scan.ts';
import { Shelf } from './shelf.ts';

type DatasetHandlers = Pick<
  Handlers,
  Extract<keyof Handlers, `datasets.${string}`> | BrowsingName | 'folders.list'
>;
type BrowsingName = 'images.query' | 'images.position' | 'images.counts' | 'images.get';

/** The scan of a large set takes hundreds of megabytes. */
const SCANS_KEPT = 2;
const CHECKS_KEPT = 8;

export function datasetHandlers(context: HostContext): DatasetHandlers {
  const { db } = context;
  const scans = new Shelf<Scan>(SCANS_KEPT, 'scan', 'scan the folder again');
  const checks = new Shelf<FileCheck>(CHECKS_KEPT, 'check of files', 'check the files again');
  return {
    ...browsingHandlers(context),
    'folders.list': ({ path }) => listFolders(path),
    'datasets.list': () => listSummaries(db),
    'datasets.get': ({ id }) => getDetail(db, id),
    'datasets.look': ({ path }) => lookAt(path),
    'datasets.preview': ({ path, reading }) => previewReading(path, reading),
    'datasets.scan': (body) => startScan(context, scans, body),
    'datasets.scanReport': ({ scanId }) => scans.get(scanId).report,
    'datasets.import': ({ scanId, name }) => startImport(context, scans, scanId, name),
    'datasets.remove': ({ id }) => {
      removeDataset(context, id);
      return null;
    },
    'datasets.relink': ({ id, path }) => startRelink(context, id, path),
    'datasets.checkFiles': ({ id }) => startCheck(context, checks, id),
    'datasets.fileCheck': ({ checkId }) => checks.get(checkId),
    'datasets.change': ({ datasetId, filter, change }) =>
      changeImages(context, datasetId, filter, change),
    'datasets.changes': ({ datasetId }) => listChanges(db, datasetId),
    'datasets.undo': ({ datasetId, changeId }) => undoChange(context, datasetId, changeId),
  };
}

function browsingHandlers({ db }: HostContext): Pick<Handlers, BrowsingName> {
  return {
    'images.query': ({ datasetId, filter, offset, limit }) =>
      queryImages(db, datasetId, filter, { offset, limit }),
    'images.position': ({ datasetId, filter, id }) => positionOf(db, datasetId, filter, id),
    'images.counts': ({ datasetId, filter }) => countImages(db, datasetId, filter),
    'images.get': ({ id }) => getImage(db, id),
  };
}

function startScan(
  context: HostContext,
  scans: Shelf<Scan>,
  { path, reading }: RequestBody<'datasets.scan'>,
) {
  const title = `Look through ${basename(path)}`;
  return context.jobs.start({ kind: 'scan', title, subject: path }, async (job) => {
    const { signal } = job;
    const onProgress = job.progress.bind(job);
    const scan = await scanSource(context, path, reading ?? null, { signal, onProgress });
    scans.add(scan.id, scan);
    return scan.id;
  });
}

/** A scan that was imported is needed no more. */
function startImport(context: HostContext, scans: Shelf<Scan>, scanId: string, name: string) {
  const scan = scans.get(scanId);
  const description = { kind: 'import', title: `Import ${name}`, subject: scan.root } as const;
  return context.jobs.start(description, async (job) => {
    const total = scan.images.length;
    const existing = findImported(context, scan, name);
    const phase = existing ? `imported before as "${existing.name}"` : 'storing';
    const step = { phase, total, unit: 'images', rate: null, secondsLeft: null };
    job.progress({ ...step, done: 0 });
    const { id } = importScan(context, scan, name);
    job.progress({ ...step, done: total });
    scans.drop(scanId);
    return id;
  });
}

function startRelink(context: HostContext, id: string, path: string) {
  const { name } = getSummary(context.db, id);
  const description = { kind: 'files', title: `Find the files of ${name}`, subject: id } as const;
  return context.jobs.start(description, async (job) => {
    const { signal } = job;
    const onProgress = job.progress.bind(job);
    return (await relinkDataset(context, id, path, { signal, onProgress })).id;
  });
}

function startCheck(context: HostContext, checks: Shelf<FileCheck>, id: string) {
  const { name } = getSummary(context.db, id);
  const description = { kind: 'files', title: `Check the files of ${name}`, subject: id } as const;
  return context.jobs.start(description, async (job) => {
    const { signal } = job;
    const check = await checkFiles(context, id, { signal, onProgress: job.progress.bind(job) });
    const checkId = randomBytes(6).toString('hex');
    checks.add(checkId, check);
    return checkId;
  });
}
