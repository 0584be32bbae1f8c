import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { Progress } from '../../contract/jobs.ts';
import { hashFile } from '../datasets/inspect.ts';
import { fileError, systemCode } from '../files.ts';
import { RateMeter } from '../jobs/rate.ts';

export interface Download {
  url: string;
  /** Where the whole file will be; its parts wait beside it as `<file>.part`. */
  file: string;
  /** Of the whole file, or the first digits of it; null where none is published. */
  sha256: string | null;
  /** Known beforehand; null where not. */
  bytes: number | null;
  /** What a user without a network can do, as an error's way out says it. */
  byHand: string;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

/** A connection that was cut off is taken up this many times before the user is asked to. */
const MOST_TRIES = 5;

/** What must be equal for the bytes of a later answer to belong to those of an earlier one. */
interface Validator {
  url: string;
  /** ETag or Last-Modified. */
  tag: string;
}

/**
 * Fetches a file over HTTP. What an earlier, cut-off attempt left is taken up with a Range request,
 * guarded by If-Range; the hash is checked before the file gets its name, and a file that is there
 * already (put there by the user) is checked too, not fetched, and kept where it is another.
 * Throws CarryoverError: `io` (no network, cut off, wrong hash, the server's refusal), `not-found`
 * (404, 410), `disk-full`, `cancelled`. What was fetched stays for the next attempt, but for a wrong hash.
 */
export async function download(order: Download): Promise<void> {
  const { file } = order;
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw fileError(error, dirname(file), 'create');
  });
  if ((await sizeOf(file)) !== null) return verify(order, file, `remove ${file} and try again`);
  const part = `${file}.part`;
  const report = reporter(order);
  await fetchAll(order, part, report);
  const whole = (await sizeOf(part)) ?? 0;
  report(whole, whole, 'checking');
  await verify(order, part, `fetch it again from ${order.url}`).catch(async (error: unknown) => {
    await forget(part);
    throw error;
  });
  await rename(part, file);
  await forget(part);
}

/** Takes a cut-off connection up again as long as each brings something. */
async function fetchAll(order: Download, part: string, report: Report): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    let came = false;
    const noted: Report = (done, total) => {
      came = true;
      report(done, total);
    };
    try {
      return await fetchRest(order, part, noted);
    } catch (error) {
      order.signal.throwIfAborted();
      if (!(error instanceof CutOff)) throw error;
      if (!came || attempt === MOST_TRIES) throw cutOff(order, (await sizeOf(part)) ?? 0, error);
    }
  }
}

/** Bytes that are there, and in all. */
type Report = (done: number, total: number | null, doing?: string) => void;

function reporter({ file, bytes, onProgress }: Download): Report {
  const meter = new RateMeter();
  return (done, total, doing = 'fetching') => {
    const known = total ?? bytes;
    const [there, all] = [megabytes(done), known === null ? null : megabytes(known)];
    const phase = `${doing} ${basename(file)}`;
    onProgress({ phase, done: there, total: all, unit: 'MB', ...meter.update(there, all) });
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

/** The connection ended before the file did. */
class CutOff extends Error {}

/** Asks for what is missing of `part` and appends it. */
async function fetchRest(order: Download, part: string, report: Report): Promise<void> {
  const have = (await sizeOf(part)) ?? 0;
  const range = await rangeHeaders(order.url, part, have);
  const response = await ask(order, range);
  const isRest = response.status === 206 && startOf(response) === have;
  if (isRest || response.status === 200) {
    return append(response, { order, part, start: isRest ? have : 0, report });
  }
  await response.body?.cancel();
  if (response.status === 416 && isWhole(response, have)) return;
  if (!('range' in range)) throw refused(order, response);
  await forget(part); // the server cannot go on from there: from the start, then
  return fetchRest(order, part, report);
}

/** Headers that ask for the rest of what is there, if the file is still the same. */
async function rangeHeaders(
  url: string,
  part: string,
  have: number,
): Promise<Record<string, string>> {
  const validator = have > 0 ? await readValidator(part) : null;
  // fetch itself asks for an unpacked range
  if (validator?.url !== url) return { 'accept-encoding': 'identity' };
  return { range: `bytes=${have}-`, 'if-range': validator.tag };
}

/** A range from the end on cannot be satisfied: then nothing is missing. */
function isWhole({ headers }: Response, have: number): boolean {
  return headers.get('content-range') === `bytes */${have}`;
}

async function ask(
  { url, byHand, signal }: Download,
  headers: Record<string, string>,
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal });
  } catch (error) {
    signal.throwIfAborted();
    const reason = rootCause(error);
    throw new CarryoverError(
      'io',
      `${new URL(url).host} could not be reached: ${reason}`,
      { value: url, wayOut: `connect to the internet and try again; or ${byHand}` },
      error,
    );
  }
}

/** fetch hides the reason (ENOTFOUND, ECONNREFUSED ...) in the cause. */
function rootCause(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause !== undefined) root = root.cause;
  return root instanceof Error ? root.message || root.name : String(root);
}

function startOf(response: Response): number | null {
  const [, start] = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '') ?? [];
  return start === undefined ? null : Number(start);
}

interface Appending {
  order: Download;
  part: string;
  /** Bytes of the part that are kept. */
  start: number;
  report: Report;
}

async function append(
  response: Response,
  { order, part, start, report }: Appending,
): Promise<void> {
  const length = response.headers.get('content-length');
  const total = length === null ? null : start + Number(length);
  let done = start;
  if (start === 0) await forget(part);
  await writeValidator(part, order.url, response);
  const target = await open(part, start > 0 ? 'r+' : 'w').catch((error: unknown) => {
    throw fileError(error, part, 'write');
  });
  try {
    for await (const chunk of chunksOf(response, order.signal)) {
      await target.write(chunk, 0, chunk.length, done).catch((error: unknown) => {
        throw fileError(error, part, 'write');
      });
      done += chunk.length;
      report(done, total);
    }
    await target.sync();
  } finally {
    await target.close();
  }
  if (total !== null && done < total) throw new CutOff(`${done} of ${total} bytes came`);
}

async function* chunksOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  for (;;) {
    let read: Awaited<ReturnType<NonNullable<typeof reader>['read']>> | undefined;
    try {
      read = await reader?.read();
    } catch (error) {
      signal.throwIfAborted();
      throw new CutOff(rootCause(error), { cause: error });
    }
    if (!read || read.done) return;
    yield read.value;
  }
}

function cutOff({ url, bytes }: Download, have: number, error: CutOff): CarryoverError {
  const of = bytes === null ? '' : ` of ${bytes}`;
  return new CarryoverError(
    'io',
    `${new URL(url).host} ended the connection after ${have}${of} bytes: ${error.message}`,
    { value: url, wayOut: 'try again: what has come is kept and the rest is asked for' },
    error,
  );
}

function refused({ url, byHand }: Download, { status, statusText }: Response): CarryoverError {
  const isGone = status === 404 || status === 410;
  return new CarryoverError(
    isGone ? 'not-found' : 'io',
    `${new URL(url).host} answered ${status} ${statusText} to ${url}`,
    {
      value: url,
      wayOut: isGone ? `look for it on its page; ${byHand}` : `try again later; or ${byHand}`,
    },
  );
}

/** Throws `io` where the file is not the published one. */
async function verify({ sha256, file }: Download, path: string, wayOut: string): Promise<void> {
  if (sha256 === null) return;
  const found = await hashFile(path);
  if (found.startsWith(sha256.toLowerCase())) return;
  throw new CarryoverError(
    'io',
    `${file} is not what was published: its SHA-256 is ${found}, and should begin with ${sha256}`,
    { file: path, value: found, wayOut },
  );
}

/** Removes a part and what is known of it. */
async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(validatorFile(part), { force: true });
}

const validatorFile = (part: string) => `${part}.json`;

async function readValidator(part: string): Promise<Validator | null> {
  try {
    return JSON.parse(await readFile(validatorFile(part), 'utf8')) as Validator;
  } catch {
    return null; // none, or cut off: then the file is fetched from its start
  }
}

/** If-Range takes a strong ETag or a date; without either the next attempt starts anew. */
async function writeValidator(part: string, url: string, { headers }: Response): Promise<void> {
  const etag = headers.get('etag');
  const tag = etag?.startsWith('"') ? etag : headers.get('last-modified');
  if (tag === null) return rm(validatorFile(part), { force: true });
  await writeFile(validatorFile(part), JSON.stringify({ url, tag } satisfies Validator));
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw fileError(error, path, 'read');
  }
}
