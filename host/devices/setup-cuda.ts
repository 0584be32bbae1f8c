/**
 * Brings onnxruntime's CUDA libraries, which are too large for npm, from NuGet: the package, the
 * version and the files that onnxruntime-node's own install script names.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry, ZipFile } from 'yauzl';
import yauzl from 'yauzl';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError } from '../files.ts';

const require = createRequire(import.meta.url);

/** The CUDA provider, and what it shares with onnxruntime; the provider comes last. */
const WANTED = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const MANIFEST = 'linux/x64:cuda12';
const OFFLINE =
  'connect this machine to the internet (behind a proxy: set HTTPS_PROXY and NODE_USE_ENV_PROXY=1) and try again; everything else works without';

export interface SetupOptions {
  signal?: AbortSignal;
  /** A line for people about what is being done. */
  say: (text: string) => void;
}

export interface CudaSource {
  /** NuGet's service index. */
  feed: string;
  package: string;
  version: string;
  /** Path in the package by file name. */
  files: ReadonlyMap<string, string>;
}

interface InstallMetadata {
  manifests: Record<string, Record<string, { package: string; path: string }>>;
  packages: Record<string, { name: string; versions: { feed: string; version: string }[] }>;
  feeds: Record<string, { index: string }>;
}

/** Where the CUDA libraries of the installed onnxruntime-node are. */
export function cudaSource(): CudaSource {
  const found = require('onnxruntime-node/script/install-metadata.js') as InstallMetadata;
  const manifest = Object.entries(found.manifests[MANIFEST] ?? {});
  const { name, versions } = found.packages[manifest[0]?.[1].package ?? ''] ?? {};
  const [release] = versions ?? [];
  const feed = found.feeds[release?.feed ?? ''];
  if (!name || !release || !feed) throw new Error('onnxruntime-node names no CUDA package');
  const files = new Map(manifest.map(([file, { path }]) => [basename(file), path]));
  return { feed: feed.index, package: name, version: release.version, files };
}

/**
 * Downloads the package, compares it with the hash that NuGet publishes, and puts the libraries
 * into `folder`, each in one move. Returns what was put there.
 * @throws CarryoverError `io` when a server does not answer or the hash differs; `folder` is then
 *   as it was
 */
export async function installCuda(
  folder: string,
  source: CudaSource,
  { signal, say }: SetupOptions,
): Promise<string[]> {
  const address = await addressOf(source, signal);
  const work = await mkdtemp(join(folder, '.setup-')).catch((error: unknown) => {
    throw fileError(error, folder, 'write to');
  });
  try {
    say(`downloading ${address.package}`);
    const archive = join(work, 'package.zip');
    await download(address.package, archive, address.sha512, signal);
    say('its SHA-512 is the one that NuGet publishes; unpacking');
    const paths = WANTED.map((name) => source.files.get(name) ?? name);
    await unpack(archive, paths, work);
    const installed = WANTED.map((name) => join(folder, name));
    for (const file of installed) await rename(join(work, basename(file)), file);
    return installed;
  } catch (error) {
    throw fileError(error, folder, 'install the libraries into');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Address {
  package: string;
  /** Base64, as NuGet's catalogue has it. */
  sha512: string;
}

/** NuGet's protocol: service index, registration, catalogue entry. */
async function addressOf(
  { feed, package: name, version }: CudaSource,
  signal: AbortSignal | undefined,
): Promise<Address> {
  const { resources } = await json<{ resources: { '@id': string; '@type': string }[] }>(
    feed,
    signal,
  );
  const base = (type: string): string => {
    const found = resources.find((each) => each['@type'] === type);
    if (found) return found['@id'].replace(/\/?$/, '/');
    throw unreachable(feed, `it names no ${type}`);
  };
  const [id, v] = [name.toLowerCase(), version.toLowerCase()];
  const leaf = `${base('RegistrationsBaseUrl/3.6.0')}${id}/${v}.json`;
  const { catalogEntry } = await json<{ catalogEntry: string }>(leaf, signal);
  const entry = await json<{ packageHash: string; packageHashAlgorithm: string }>(
    catalogEntry,
    signal,
  );
  if (entry.packageHashAlgorithm !== 'SHA512')
    throw unreachable(catalogEntry, 'it gives no SHA-512');
  const path = `${id}/${v}/${id}.${v}.nupkg`;
  return { package: base('PackageBaseAddress/3.0.0') + path, sha512: entry.packageHash };
}

async function json<T>(url: string, signal: AbortSignal | undefined): Promise<T> {
  return (await get(url, signal)).json() as Promise<T>;
}

async function get(url: string, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    const { cause } = error as Error;
    throw unreachable(url, cause instanceof Error ? cause.message || String(cause) : String(error));
  }
  if (response.ok) return response;
  throw unreachable(url, `it answered ${response.status}`);
}

function unreachable(url: string, why: string): CarryoverError {
  return new CarryoverError('io', `could not fetch ${url}: ${why}`, {
    value: url,
    wayOut: OFFLINE,
  });
}

async function download(
  url: string,
  file: string,
  sha512: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { body } = await get(url, signal);
  const hash = createHash('sha512');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(body as never), hashing, createWriteStream(file), { signal });
  const found = hash.digest('base64');
  if (found === sha512) return;
  throw new CarryoverError('io', `${url} is not what NuGet publishes: its SHA-512 is ${found}`, {
    value: url,
    wayOut: 'try again later; nothing was installed',
  });
}

/** Writes files of an archive, by their paths in it, under their own names into `folder`. */
async function unpack(archive: string, paths: readonly string[], folder: string): Promise<void> {
  const zip = await open(archive);
  const wanted = new Set(paths);
  try {
    await new Promise<void>((resolve, reject) => {
      zip.once('error', reject).once('end', resolve);
      zip.on('entry', (entry: Entry) => {
        const done = wanted.has(entry.fileName) ? write(zip, entry, folder) : Promise.resolve();
        done.then(() => zip.readEntry(), reject);
      });
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
  for (const path of paths) await access(join(folder, basename(path)));
}

function open(archive: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false };
    yauzl.open(archive, options, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
}

function write(zip: ZipFile, entry: Entry, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else
        pipeline(stream, createWriteStream(join(folder, basename(entry.fileName)))).then(
          resolve,
          reject,
        );
    });
  });
}
