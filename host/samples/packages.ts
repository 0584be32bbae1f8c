import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { CarryoverError } from '../../contract/errors.ts';
import { systemCode } from '../files.ts';

/** Puts the tarball of `spec` (name@version) into the empty `folder` and returns its path. */
export type FetchPackage = (spec: string, folder: string, signal: AbortSignal) => Promise<string>;

/**
 * FetchPackage by `npm pack`: npm brings the registry, the proxy settings and the integrity check.
 * Throws CarryoverError `unsupported` without npm, `io` when npm fails.
 */
export async function npmPack(spec: string, folder: string, signal: AbortSignal): Promise<string> {
  const complaints = await runNpm(spec, { folder, signal });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (tarball !== undefined) return join(folder, tarball);
  const reason = npmReason(complaints);
  throw new CarryoverError('io', `npm could not fetch ${spec}: ${reason}`, {
    value: spec,
    wayOut:
      'connect to the internet, or point npm to a registry that this machine reaches (npm config set registry …), and try again',
  });
}

/** The lines of npm's error output that say something, without npm's own prefix. */
function npmReason(complaints: string): string {
  const lines = complaints.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/, ''));
  const telling = lines.filter((line) => line !== '' && !line.startsWith('A complete log'));
  return telling.slice(0, 3).join(' ') || 'it gave no reason';
}

/** Runs `npm pack` in `folder` and returns what it wrote on stderr, whatever its exit code. */
function runNpm(
  spec: string,
  { folder, signal }: { folder: string; signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    // On Windows npm is a .cmd file, which only a shell can start.
    const shell = process.platform === 'win32';
    const args = ['pack', '--ignore-scripts', '--loglevel=error', spec];
    const child = spawn('npm', args, {
      cwd: folder,
      signal,
      shell,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints = (complaints + text).slice(-10_000);
    });
    child.on('error', (error) => {
      reject(systemCode(error) === 'ENOENT' ? npmMissing(spec, error) : error);
    });
    child.on('close', () => resolve(complaints));
  });
}

function npmMissing(spec: string, cause: Error): CarryoverError {
  return new CarryoverError(
    'unsupported',
    `${spec} is fetched from the npm registry, and npm is not on the PATH`,
    {
      value: 'npm',
      wayOut: 'install Node.js with npm (nodejs.org), or import images or weights of your own',
    },
    cause,
  );
}

export interface TarballReader {
  /** Paths inside the package (`json/ph.json`); only these are kept in memory, one at a time. */
  wanted: (path: string) => boolean;
  take: (path: string, content: Buffer) => void;
  /** Told after each file, wanted or not, how many there were so far. */
  onFile?: (seen: number) => void;
  signal: AbortSignal;
}

/**
 * Reads the wanted files of an npm tarball in its own order, without unpacking it to disk.
 * Throws CarryoverError `io` when the tarball is damaged.
 */
export async function readTarball(tarball: string, reader: TarballReader): Promise<void> {
  const unpacked = extract();
  const piped = pipeline(createReadStream(tarball), createGunzip(), unpacked, {
    signal: reader.signal,
  });
  try {
    await Promise.all([piped, takeWanted(unpacked, reader)]);
  } catch (error) {
    reader.signal.throwIfAborted();
    if (error instanceof CarryoverError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const wayOut = 'try again: the package is then fetched anew';
    throw new CarryoverError('io', `the package file ${tarball} is damaged: ${reason}`, {
      file: tarball,
      wayOut,
    });
  }
}

async function takeWanted(
  unpacked: ReturnType<typeof extract>,
  { wanted, take, onFile }: TarballReader,
): Promise<void> {
  let seen = 0;
  for await (const entry of unpacked) {
    // npm puts everything into one top folder, usually `package/`.
    const path = entry.header.name.replace(/^[^/]*\//, '');
    if (entry.header.type === 'file' && wanted(path)) {
      const parts: Uint8Array[] = [];
      for await (const part of entry) parts.push(part as Uint8Array);
      take(path, Buffer.concat(parts));
    } else {
      entry.resume();
    }
    onFile?.(++seen);
  }
}
