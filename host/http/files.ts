import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { CarryoverError } from '../../contract/errors.ts';
import type { ExportFormat } from '../checkpoints/export.ts';
import { exportWeights } from '../checkpoints/export.ts';
import type { HostContext } from '../context.ts';
import { resolveUnder } from '../media/under.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** The regular file `relative` below `root`, or null when there is none (hidden ones included). */
async function findFile(
  root: string,
  relative: string,
): Promise<{ path: string; bytes: number } | null> {
  if (relative.split('/').some((part) => part.startsWith('.'))) return null;
  const path = await resolveUnder(root, relative);
  if (path === null) return null;
  const info = await stat(path);
  return info.isFile() ? { path, bytes: info.size } : null;
}

/** The file `relative` below `root` as a response, or null when there is none. */
async function fileResponse(
  root: string,
  relative: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response | null> {
  const file = await findFile(root, relative);
  if (file === null) return null;
  return new Response(Readable.toWeb(createReadStream(file.path)) as ReadableStream, {
    headers: {
      'Content-Type': TYPES[extname(file.path).toLowerCase()] ?? 'application/octet-stream',
      'Content-Length': String(file.bytes),
      ...headers,
    },
  });
}

/**
 * A file of the built renderer. Vite puts the content's hash into the names under assets/, so those
 * never change; a path without an extension is a page of the application: index.html.
 * Throws `not-found`, and `unsupported` when the renderer is not built.
 */
export async function rendererResponse(folder: string, path: string): Promise<Response> {
  const relative = path.replace(/^\/+/, '');
  const cache = relative.startsWith('assets/')
    ? 'private, max-age=31536000, immutable'
    : 'private, no-cache';
  const file = await fileResponse(folder, relative, { 'Cache-Control': cache });
  if (file !== null) return file;
  if (extname(relative) !== '' || relative.startsWith('assets/')) {
    throw new CarryoverError('not-found', `there is no page ${path}`, { value: path });
  }
  const index = await fileResponse(folder, 'index.html', { 'Cache-Control': 'private, no-cache' });
  if (index !== null) return index;
  throw new CarryoverError('unsupported', `the renderer is not built: no index.html in ${folder}`, {
    file: folder,
    wayOut: 'build it with `node scripts/build-renderer.mjs`',
  });
}

/**
 * `<reports>/<studyId>/report.html`; with `download` as an attachment.
 * Throws `not-found` when the study has no report yet.
 */
export async function reportResponse(
  reports: string,
  studyId: string,
  headers: Readonly<Record<string, string>>,
  download: boolean,
): Promise<Response> {
  const legal = /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(studyId);
  const disposition = download
    ? { 'Content-Disposition': `attachment; filename="carryover-${studyId}.html"` }
    : {};
  const all = { 'Cache-Control': 'private, no-cache', ...headers, ...disposition };
  const report = legal ? await fileResponse(reports, `${studyId}/report.html`, all) : null;
  if (report !== null) return report;
  throw new CarryoverError('not-found', `there is no report of study ${studyId}`, {
    value: studyId,
    wayOut: 'run the study to its end; the report is written then',
  });
}

/** `<id>.<format>` of a checkpoint or a run as an attachment. Throws what `exportWeights` throws. */
export async function weightsResponse(context: HostContext, file: string): Promise<Response> {
  const [id = '', format = ''] = file.split('.');
  const { name, data } = await exportWeights(context, id, format as ExportFormat);
  return new Response(Uint8Array.from(data), {
    headers: {
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(data.byteLength),
      'Content-Disposition': `attachment; filename="${name}"`,
      'Cache-Control': 'no-store',
    },
  });
}
