import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CarryoverError } from '../contract/errors.ts';

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

/** The system's code (`ENOSPC`, `EACCES`, `SQLITE_FULL` ...) of a thrown value, if it has one. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** A failed file operation as `disk-full` or `io`, naming the file. A CarryoverError passes as it is. */
export function fileError(thrown: unknown, file: string, doing: string): CarryoverError {
  if (thrown instanceof CarryoverError) return thrown;
  const code = systemCode(thrown);
  if (code !== undefined && NO_SPACE.has(code)) {
    return new CarryoverError(
      'disk-full',
      `the disk is full: could not ${doing} ${file}`,
      { file, wayOut: 'free some space on that disk and try again; nothing was left half-written' },
      thrown,
    );
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const wayOut =
    code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
      ? 'check the permissions of that path'
      : 'check that the path is there and the disk is in order';
  return new CarryoverError(
    'io',
    `could not ${doing} ${file}: ${reason}`,
    { file, wayOut },
    thrown,
  );
}

/**
 * Writes a whole file so that after a crash the old or the new content is there, never a part:
 * temporary file beside it, fsync, rename, fsync of the folder. The folder must exist.
 * Throws CarryoverError `disk-full` or `io`; the temporary file is then gone.
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeAndSync(temporary, data);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, path, 'write');
  }
}

async function writeAndSync(path: string, data: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename in the folder durable. Windows has no such call and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
