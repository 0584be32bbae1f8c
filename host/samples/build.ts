import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { Progress } from '../../contract/jobs.ts';
import { fileError, systemCode } from '../files.ts';
import type { Sample } from './catalogue.ts';
import { sampleNamed } from './catalogue.ts';
import type { FetchPackage } from './packages.ts';
import type { StoredPicture } from './site.ts';
import { openSite } from './site.ts';

export interface BuildOptions {
  /** Folder of all sample sets; the set becomes a folder in it. */
  samplesFolder: string;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  /** Where packages come from; by default where the sample's own do. */
  fetchPackage?: FetchPackage;
}

/** about.json of a built sample set. */
export interface SampleAbout {
  name: string;
  title: string;
  description: string;
  /** SHA-256 of the recipe and its drawing code's version. */
  recipe: string;
  packages: string[];
  images: number;
  domains: Record<string, number>;
  licences: { licence: string; images: number }[];
}

/** Raised whenever the same recipe would give other pictures. */
const DRAWING_VERSION = 1;

/** Temporary folders older than this were left by a build that was killed. */
const LEFTOVER_MILLISECONDS = 3_600_000;

/**
 * The folder of the sample set `name`: `<domain>/<class>/*.png`, metadata.csv (file_name, group,
 * licence, attribution, source) or the table it is read by, and about.json. Built from packages if it is not there yet, or
 * there from another recipe; it appears whole or not at all. The same recipe gives the same bytes.
 * Throws CarryoverError: `not-found` for an unknown name, `unsupported` without npm or apt, `io` or
 * `disk-full`, `cancelled`.
 */
export async function buildSample(
  name: string,
  options: BuildOptions,
): Promise<{ folder: string; built: boolean }> {
  const sample = sampleNamed(name);
  const folder = join(options.samplesFolder, sample.name);
  if ((await readAbout(folder))?.recipe === recipeHash(sample)) return { folder, built: false };
  const prefix = `.building-${sample.name}-`;
  try {
    await mkdir(options.samplesFolder, { recursive: true });
    await removeLeftovers(options.samplesFolder, prefix);
    const workshop = await mkdtemp(join(options.samplesFolder, prefix));
    try {
      await buildIn(workshop, sample, options);
      await rm(folder, { recursive: true, force: true });
      await rename(join(workshop, 'set'), folder);
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  } catch (error) {
    throw buildFailure(error, sample, options);
  }
  return { folder, built: true };
}

function buildFailure(error: unknown, sample: Sample, options: BuildOptions): unknown {
  if (error instanceof CarryoverError) return error;
  if (options.signal.aborted) {
    return new CarryoverError('cancelled', `building ${sample.name} was cancelled`, {}, error);
  }
  return systemCode(error) ? fileError(error, options.samplesFolder, 'write') : error;
}

async function removeLeftovers(samplesFolder: string, prefix: string): Promise<void> {
  const names = (await readdir(samplesFolder)).filter((name) => name.startsWith(prefix));
  for (const path of names.map((name) => join(samplesFolder, name))) {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > LEFTOVER_MILLISECONDS) await rm(path, { recursive: true });
  }
}

async function buildIn(workshop: string, sample: Sample, options: BuildOptions): Promise<void> {
  const folder = join(workshop, 'set');
  const { signal, onProgress, fetchPackage = sample.fetchPackage } = options;
  await mkdir(folder);
  const site = openSite(folder, {
    store: join(workshop, 'packages'),
    signal,
    onProgress,
    fetchPackage,
  });
  await sample.draw(site);
  signal.throwIfAborted();
  const pictures = site.stored.sort((a, b) => (a.file < b.file ? -1 : 1));
  await writeFile(join(folder, tableOf(sample)), tableText(sample, pictures));
  const about = describe(sample, pictures);
  await writeFile(join(folder, 'about.json'), `${JSON.stringify(about, null, 2)}\n`);
}

/** about.json of a built set; null when there is no whole set in the folder. */
export async function readAbout(folder: string): Promise<SampleAbout | null> {
  try {
    return JSON.parse(await readFile(join(folder, 'about.json'), 'utf8')) as SampleAbout;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return null;
    throw fileError(error, join(folder, 'about.json'), 'read');
  }
}

function recipeHash(sample: Sample): string {
  const text = JSON.stringify([DRAWING_VERSION, sample.recipe]);
  return createHash('sha256').update(text).digest('hex');
}

/** The table beside the pictures: the one that the sample is read by, else metadata.csv. */
function tableOf({ reading }: Sample): string {
  return (reading.format === 'table' ? reading.tables[0] : undefined) ?? 'metadata.csv';
}

/**
 * Rows after the convention of Hugging Face's imagefolder, or with further columns in the manner of
 * CheXpert; CRLF-free, quoted where needed (RFC 4180).
 */
function tableText({ reading }: Sample, pictures: readonly StoredPicture[]): string {
  if (reading.format !== 'table') {
    const rows = pictures.map((p) => [p.file, p.group, p.licence, p.attribution, p.source]);
    return csv([['file_name', 'group', 'licence', 'attribution', 'source'], ...rows]);
  }
  const further = Object.keys(pictures[0]?.columns ?? {});
  const rows = pictures.map((p) => [
    p.file,
    ...further.map((name) => p.columns?.[name] ?? ''),
    ...[p.domain, p.group, p.licence, p.attribution, p.source],
  ]);
  const header = ['Path', ...further, 'Domain', 'Group', 'Licence', 'Attribution', 'Source'];
  return csv([header, ...rows]);
}

function csv(rows: readonly string[][]): string {
  return rows.map((row) => `${row.map(csvField).join(',')}\n`).join('');
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function describe(sample: Sample, pictures: readonly StoredPicture[]): SampleAbout {
  const { name, title, description, packages } = sample;
  const licences = Object.entries(countBy(pictures, ({ licence }) => licence));
  return {
    name,
    title,
    description,
    recipe: recipeHash(sample),
    packages: [...packages],
    images: pictures.length,
    domains: countBy(pictures, ({ domain }) => domain),
    licences: licences
      .map(([licence, images]) => ({ licence, images }))
      .sort((a, b) => b.images - a.images),
  };
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
