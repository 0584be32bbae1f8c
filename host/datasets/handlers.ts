import { basename } from 'node:path';
import type { Handlers } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { listFolders } from './folders.ts';
import { findImported, importScan } from './import.ts';
import { countImages, queryImages } from './query.ts';
import { getDetail, getImage, listSummaries, requireDataset } from './read.ts';
import { removeDataset } from './remove.ts';
import type { Scan } from './scan.ts';
import { scanFolder } from './scan.ts';

type DatasetHandlers = Pick<
  Handlers,
  | 'datasets.list'
  | 'datasets.get'
  | 'datasets.scan'
  | 'datasets.scanReport'
  | 'datasets.import'
  | 'datasets.remove'
  | 'images.query'
  | 'images.counts'
  | 'images.get'
  | 'folders.list'
>;

/** Scans wait in memory for their import; the oldest goes when there are more. */
const SCANS_KEPT = 4;

export function datasetHandlers(context: HostContext): DatasetHandlers {
  const { db } = context;
  const scans = new ScanShelf();
  return {
    'datasets.list': () => listSummaries(db),
    'datasets.get': ({ id }) => getDetail(db, id),
    'datasets.scan': ({ path }) => startScan(context, scans, path),
    'datasets.scanReport': ({ scanId }) => scans.get(scanId).report,
    'datasets.import': ({ scanId, name }) => startImport(context, scans.get(scanId), name),
    'datasets.remove': ({ id }) => {
      removeDataset(context, id);
      return null;
    },
    'images.query': ({ datasetId, filter, offset, limit }) => {
      requireDataset(db, datasetId);
      return queryImages(db, datasetId, filter, { offset, limit });
    },
    'images.counts': ({ datasetId, filter }) => {
      requireDataset(db, datasetId);
      return countImages(db, datasetId, filter);
    },
    'images.get': ({ id }) => getImage(db, id),
    'folders.list': ({ path }) => listFolders(path),
  };
}

class ScanShelf {
  readonly #scans = new Map<string, Scan>();

  add(scan: Scan): void {
    this.#scans.set(scan.id, scan);
    const [oldest] = this.#scans.keys();
    if (this.#scans.size > SCANS_KEPT && oldest !== undefined) this.#scans.delete(oldest);
  }

  get(id: string): Scan {
    const scan = this.#scans.get(id);
    if (scan) return scan;
    throw new CarryoverError('not-found', `there is no scan ${id} any more`, {
      value: id,
      wayOut: 'scan the folder again',
    });
  }
}

function startScan(context: HostContext, scans: ScanShelf, path: string) {
  const title = `Look through ${basename(path)}`;
  return context.jobs.start({ kind: 'scan', title, subject: path }, async (job) => {
    const scan = await scanFolder(path, {
      signal: job.signal,
      onProgress: (progress) => job.progress(progress),
    });
    scans.add(scan);
    return scan.id;
  });
}

function startImport(context: HostContext, scan: Scan, name: string) {
  const description = { kind: 'import', title: `Import ${name}`, subject: scan.root } as const;
  return context.jobs.start(description, async (job) => {
    const total = scan.images.length;
    const existing = findImported(context, scan, name);
    const phase = existing ? `imported before as "${existing.name}"` : 'storing';
    const step = { phase, total, unit: 'images', rate: null, secondsLeft: null };
    job.progress({ ...step, done: 0 });
    const { id } = importScan(context, scan, name);
    job.progress({ ...step, done: total });
    return id;
  });
}
