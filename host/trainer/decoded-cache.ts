import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileError, systemCode } from '../files.ts';

/**
 * The folder of decoded pixels, bounded in size:
 *   <key>.u8                   pixels, whole from the moment they bear this name
 *   <key>.u8.<pid>-<n>.lease   process <pid> reads or makes them; while it lives they stay
 *   <key>.u8.<pid>-<n>.tmp     being written by process <pid>
 * The time of a file's last change says when it was last used.
 */
export function decodedFolder(cacheFolder: string): string {
  return join(cacheFolder, 'decoded');
}

/**
 * A lease whose process has this number but has not touched it for so long was left by another one
 * that had the number before.
 */
const LEASE_MILLISECONDS = 600_000;
const RENEW_MILLISECONDS = 60_000;

interface Kept {
  path: string;
  bytes: number;
  /** Milliseconds since 1970. */
  used: number;
  inUse: boolean;
}

interface Found {
  kept: Kept[];
  /** Of files being written. */
  unfinished: number;
  /** What dead processes left: leases and half-written files. */
  stale: string[];
}

let named = 0;

/** A name that nobody else has, for a lease of a file or for what will become it. */
export function besideDecoded(file: string, kind: 'lease' | 'tmp'): string {
  return `${file}.${process.pid}-${named++}.${kind}`;
}

/** Marks a file, there or not, as in use by this process until the returned function is called. */
export async function leaseDecoded(file: string): Promise<() => Promise<void>> {
  const lease = besideDecoded(file, 'lease');
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw fileError(error, dirname(file), 'create the folder');
  });
  const handle = await open(lease, 'w').catch((error: unknown) => {
    throw fileError(error, lease, 'write');
  });
  await handle.close();
  const renewal = setInterval(() => touch(lease), RENEW_MILLISECONDS).unref();
  return async () => {
    clearInterval(renewal);
    await rm(lease, { force: true });
  };
}

/** Makes a file the most recently used one. */
export function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // Gone, or not ours to change: it only counts as used less recently than it was.
  }
}

/**
 * Removes files that nobody uses until `bytes` more fit under `limit`: first those that are larger
 * than the limit alone, then the least recently used. What alone is over the limit displaces nothing.
 * @returns whether they fit now
 */
export async function makeRoom(folder: string, bytes: number, limit: number): Promise<boolean> {
  const { kept, unfinished, stale } = await look(folder);
  for (const path of stale) await remove(path);
  if (bytes > limit) return false;
  let total = kept.reduce((sum, file) => sum + file.bytes, unfinished);
  const order = (file: Kept): number => (file.bytes > limit ? 0 : file.used);
  const free = kept.filter(({ inUse }) => !inUse).sort((a, b) => order(a) - order(b));
  for (const file of free) {
    if (total + bytes <= limit) break;
    await remove(file.path);
    total -= file.bytes;
  }
  return total + bytes <= limit;
}

/** What the folder holds. */
export async function decodedUse(folder: string): Promise<{ bytes: number; files: number }> {
  const { kept } = await look(folder);
  return { bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0), files: kept.length };
}

/** Removes all that is not in use. */
export async function clearDecoded(folder: string): Promise<void> {
  const { kept, stale } = await look(folder);
  for (const { path } of kept.filter(({ inUse }) => !inUse)) await remove(path);
  for (const path of stale) await remove(path);
}

async function look(folder: string): Promise<Found> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, folder, 'read');
  });
  const marks = names.flatMap((name) => {
    const [, of = '', pid, kind] = /^(.+\.u8)\.(\d+)-\d+\.(lease|tmp)$/.exec(name) ?? [];
    return kind === undefined ? [] : [{ path: join(folder, name), of, pid: Number(pid), kind }];
  });
  const found: Found = { kept: [], unfinished: 0, stale: [] };
  const leased = new Set<string>();
  for (const { path, of, pid, kind } of marks) {
    const info = await sizeAndTime(path);
    if (info === null) continue;
    const forgotten = kind === 'lease' && Date.now() - info.used > LEASE_MILLISECONDS;
    if (forgotten || !isAlive(pid)) found.stale.push(path);
    else if (kind === 'lease') leased.add(of);
    else found.unfinished += info.bytes;
  }
  for (const name of names.filter((each) => each.endsWith('.u8'))) {
    const info = await sizeAndTime(join(folder, name));
    if (info) found.kept.push({ path: join(folder, name), ...info, inUse: leased.has(name) });
  }
  return found;
}

/** null: gone meanwhile. */
async function sizeAndTime(path: string): Promise<{ bytes: number; used: number } | null> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, used: mtimeMs };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw fileError(error, path, 'read');
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    throw fileError(error, path, 'remove');
  });
}
