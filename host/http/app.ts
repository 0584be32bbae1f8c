import { Hono } from 'hono';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import type { Handlers } from '../../contract/api.ts';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError, toFailure } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import type { Pictures } from '../media/pictures.ts';
import { createPictures } from '../media/pictures.ts';
import { analysisFile } from '../studies/analyses/drawn.ts';
import { STATUS, answer, reportBug } from './api.ts';
import { dataResponse } from './data-files.ts';
import type { EventStream } from './events.ts';
import { eventStream } from './events.ts';
import { rendererResponse, reportResponse, weightsResponse } from './files.ts';
import type { Session } from './guard.ts';
import { REPORT_POLICY } from './guard.ts';

/** The longest accepted request body in bytes: a filter may name two million images. */
export const BODY_BYTES = 32_000_000;

export interface AppOptions {
  handlers: Handlers;
  context: HostContext;
  session: Session;
  rendererFolder: string;
  /** Open event streams; whoever closes the server ends them. */
  streams: Set<EventStream>;
}

/** The routes of the server. Host and Origin are checked before a request comes here. */
export function createApp(options: AppOptions): Hono {
  const app = new Hono();
  enter(app, options.session);
  api(app, options);
  pictures(app, createPictures(options.context));
  analyses(app, options.context);
  pages(app, options);
  app.notFound((c) => refuse(c, 404, { code: 'not-found', message: `there is no ${c.req.path}` }));
  app.onError((error, c) => {
    reportBug(`${c.req.method} ${c.req.path}`, error);
    const failure = toFailure(error);
    return refuse(c, STATUS[failure.code], failure);
  });
  return app;
}

/** Trades the token in the address for the cookie; without the cookie nothing else answers. */
function enter(app: Hono, session: Session): void {
  app.use(async (c, next) => {
    const token = c.req.path === '/' && c.req.method === 'GET' ? c.req.query('token') : undefined;
    if (token !== undefined && session.isToken(token)) {
      setCookie(c, session.cookieName, session.cookieValue, {
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
      });
      c.header('Cache-Control', 'no-store');
      return c.redirect('/');
    }
    if (session.isCookie(getCookie(c, session.cookieName))) return next();
    return refuse(c, 401, {
      code: 'bad-input',
      message: 'this workbench opens only with the address that carryover printed when it started',
      detail: { wayOut: 'open that address, with its ?token=…, or start `carryover serve` again' },
    });
  });
}

function api(app: Hono, { handlers, context, streams }: AppOptions): void {
  const tooLarge = (c: Context): Response =>
    refuse(c, 413, {
      code: 'bad-input',
      message: `the body is larger than ${BODY_BYTES} bytes`,
      detail: { wayOut: 'send less at once' },
    });
  app.post('/api/:name', bodyLimit({ maxSize: BODY_BYTES, onError: tooLarge }), async (c) => {
    if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? '')) {
      throw new CarryoverError('bad-input', 'the body must be sent as application/json');
    }
    const result = await answer(handlers, c.req.param('name'), await c.req.text());
    c.header('Cache-Control', 'no-store');
    return c.json(result, result.ok ? 200 : STATUS[result.error.code]);
  });
  app.get('/api/events', (c) => {
    const stream = eventStream(context.events, () => streams.delete(stream));
    streams.add(stream);
    return c.body(stream.body, 200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
    });
  });
}

/**
 * Pictures are revalidated by their ETag, not kept blindly: an id may come to mean another image
 * when its data set was removed or another home is served on the same port.
 */
function pictures(app: Hono, { find }: Pictures): void {
  app.get('/media/images/:id{[0-9]{1,15}}/:kind{(?:original|input|shuffled)}?', async (c) => {
    const kind = (c.req.param('kind') ?? 'thumbnail') as Parameters<typeof find>[1];
    const picture = find(Number(c.req.param('id')), kind, c.req.query());
    c.header('ETag', picture.etag);
    c.header('Cache-Control', 'private, no-cache');
    if (c.req.header('if-none-match') === picture.etag) return c.body(null, 304);
    const data = await picture.read();
    return c.body(data, 200, { 'Content-Type': picture.type });
  });
}

/** Pictures that analyses made, and their figures. */
function analyses(app: Hono, context: HostContext): void {
  app.get('/media/analyses/:id/:file{[A-Za-z0-9._ +-]{1,200}\\.(?:png|svg)}', async (c) => {
    const { data, type } = await analysisFile(context, c.req.param('id'), c.req.param('file'));
    c.header('Cache-Control', 'private, no-cache');
    return c.body(data, 200, { 'Content-Type': type });
  });
}

function pages(app: Hono, { context, rendererFolder }: AppOptions): void {
  app.get('/reports/:id', (c) =>
    reportResponse(
      context.home.reports,
      c.req.param('id'),
      { 'Content-Security-Policy': REPORT_POLICY },
      c.req.query('download') !== undefined,
    ),
  );
  app.get('/weights/:file{[A-Za-z0-9]+\\.(safetensors|onnx)}', (c) =>
    weightsResponse(context, c.req.param('file')),
  );
  app.get('/data/:id/:file', (c) =>
    dataResponse(context, c.req.param('id'), c.req.param('file'), c.req.query('report')),
  );
  for (const prefix of ['/api/*', '/media/*', '/reports/*', '/data/*', '/weights/*'])
    app.get(prefix, (c) => c.notFound());
  app.get('*', (c) => rendererResponse(rendererFolder, c.req.path));
}

type Refusal = 401 | 404 | 413 | (typeof STATUS)[keyof typeof STATUS];

/** A failure as the asker can read it: a plain page for a person, an `Answer` for a program. */
function refuse(c: Context, status: Refusal, failure: Failure): Response {
  c.header('Cache-Control', 'no-store');
  const person = c.req.header('accept')?.includes('text/html') ?? false;
  return person
    ? c.html(failurePage(failure), status)
    : c.json({ ok: false, error: failure }, status);
}

/** A failure as a page without style or script. */
export function failurePage({ message, detail }: Failure): string {
  const escape = (text: string): string =>
    text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
  const wayOut = detail?.wayOut === undefined ? '' : `<p>${escape(detail.wayOut)}</p>`;
  return (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Carryover</title>' +
    `<h1>Carryover</h1><p>${escape(message)}</p>${wayOut}</html>`
  );
}
