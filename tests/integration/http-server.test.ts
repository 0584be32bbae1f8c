import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../host/http/server.ts';
import { failureOf, openServer, send } from './http-support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

describe('coming in', () => {
  test('without the cookie nothing answers, and a person is told how to get in', async () => {
    const { port } = await openServer();
    for (const path of ['/', '/api/events', '/media/images/1', '/reports/x', '/assets/a.js']) {
      expect((await send(port, path)).status, path).toBe(401);
    }
    const api = await send(port, '/api/app.info', { method: 'POST', body: '{}' });
    expect(api.status).toBe(401);
    expect(failureOf(api).detail?.wayOut).toContain('token');
    const page = await send(port, '/', { headers: { accept: 'text/html' } });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('carryover serve');
  });

  test('the token in the address becomes a strict cookie and leaves the address', async () => {
    const { url, port, origin } = await openServer();
    expect(url.startsWith(`${origin}/?token=`)).toBe(true);
    const { pathname, search } = new URL(url);
    const reply = await send(port, pathname + search);
    expect(reply.status).toBe(302);
    expect(reply.headers.location).toBe('/');
    const [cookie = ''] = reply.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(new RegExp(`^carryover-${port}=[\\w-]{43};`));
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect(cookie).not.toContain('Max-Age');
    expect(cookie).not.toContain(new URL(url).searchParams.get('token'));
    const inside = await send(port, '/', { headers: { cookie: cookie.split(';')[0]! } });
    expect(inside.status).toBe(200);
    expect(inside.text).toContain('the renderer');
  });

  test('another token or cookie does not come in', async () => {
    const { port, cookie, url } = await openServer();
    const token = new URL(url).searchParams.get('token')!;
    const wrong = [`${token}x`, token.slice(1), '', 'x'.repeat(43)];
    for (const text of wrong) expect((await send(port, `/?token=${text}`)).status).toBe(401);
    for (const text of [`${cookie}x`, cookie.replace('=', 'x='), `carryover-${port}=${token}`]) {
      expect((await send(port, '/', { headers: { cookie: text } })).status, text).toBe(401);
    }
    expect((await send(port, `/api/events?token=${token}`)).status).toBe(401);
  });

  test('each start has its own token and cookie', async () => {
    const [first, second] = [await openServer(), await openServer()];
    expect(new URL(first.url).search).not.toBe(new URL(second.url).search);
    const value = first.cookie.split('=')[1];
    const stolen = { cookie: `carryover-${second.port}=${value}` };
    expect((await send(second.port, '/', { headers: stolen })).status).toBe(401);
  });
});

describe('who may ask', () => {
  test('a Host other than this server is refused by name, even with the cookie', async () => {
    const { port, ask } = await openServer();
    const hosts = ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`];
    for (const host of [...hosts, `[::1]:${port}`, `127.0.0.1:${port}.evil.example`]) {
      const reply = await ask('/', { headers: { host } });
      expect(reply.status, host).toBe(403);
      expect(failureOf(reply).message).toContain(host);
    }
    expect((await ask('/', { headers: { host: `localhost:${port}` } })).status).toBe(200);
  });

  test('a request without a Host is refused', async () => {
    const { port } = await openServer();
    const reply = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(reply).toMatch(/^HTTP\/1\.1 403 /);
    expect(reply).toContain('the Host header is missing');
  });

  test('a page of another origin is refused by name', async () => {
    const { ask, origin, port } = await openServer();
    const post = (headers: Record<string, string>) =>
      ask('/api/app.info', { method: 'POST', body: '{}', headers: { ...JSON_TYPE, ...headers } });
    const foreign = ['http://evil.example', 'null', `http://127.0.0.1:${port + 1}`];
    for (const text of [...foreign, `https://127.0.0.1:${port}`, `http://localhost:${port}`]) {
      const reply = await post({ origin: text });
      expect(reply.status, text).toBe(403);
      expect(failureOf(reply).message).toContain(text);
      expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await post({ origin })).status).toBe(200);
    for (const site of ['cross-site', 'same-site']) {
      expect((await post({ 'sec-fetch-site': site })).status, site).toBe(403);
      const picture = await ask('/media/images/1', { headers: { 'sec-fetch-site': site } });
      expect(picture.status, site).toBe(403);
    }
    expect((await post({ origin, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  test('a link on another page may open the workbench', async () => {
    const { ask } = await openServer();
    const headers = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect((await ask('/', { headers })).status).toBe(200);
    expect((await ask('/', { headers: { ...headers, 'sec-fetch-dest': 'iframe' } })).status).toBe(
      403,
    );
  });

  test('it listens on the loopback address only', async () => {
    const { port, origin } = await openServer();
    expect(origin).toBe(`http://127.0.0.1:${port}`);
    const refused = await new Promise<string>((resolve) => {
      const socket = connect(port, '::1');
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      socket.on('connect', () => resolve('connected'));
    });
    expect(refused).not.toBe('connected');
  });

  test('every response carries the security headers', async () => {
    const { ask, port } = await openServer();
    const replies = [
      await ask('/'),
      await ask('/assets/index-a1b2c3.js'),
      await ask('/assets/none.js'),
      await ask('/api/none', { method: 'POST', headers: JSON_TYPE, body: '{}' }),
      await ask('/api/app.info', { method: 'POST', headers: JSON_TYPE, body: '{}' }),
      await ask('/media/images/7'),
      await ask('/', { method: 'PUT' }),
      await send(port, '/'),
      await send(port, '/', { headers: { host: 'evil.example' } }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([
      200, 200, 404, 404, 200, 404, 404, 401, 403,
    ]);
    for (const { headers } of replies) {
      const policy = headers['content-security-policy'];
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cross-origin-opener-policy']).toBe('same-origin');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    }
  });
});

describe('the API', () => {
  test('answers and names what is wrong with a body', async () => {
    const { call, ask } = await openServer();
    const info = await call('app.info', {});
    expect(info.ok && info.value.node).toBe(process.version);

    const post = (path: string, body: string) =>
      ask(path, { method: 'POST', headers: JSON_TYPE, body });
    const unknown = await post('/api/app.nothing', '{}');
    expect(unknown.status).toBe(404);
    expect(failureOf(unknown).message).toContain('app.nothing');
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect((await post(`/api/${name}`, '{}')).status, name).toBe(404);
    }

    const broken = await post('/api/app.info', '{');
    expect(broken.status).toBe(400);
    expect(failureOf(broken).message).toContain('not JSON');

    const body = { datasetId: 'd', filter: { colour: 'red' }, offset: 0, limit: 5000 };
    const wrong = await post('/api/images.query', JSON.stringify(body));
    expect(wrong.status).toBe(400);
    expect(failureOf(wrong)).toMatchObject({ code: 'bad-input' });
    expect(failureOf(wrong).message).toContain('limit: ');
    expect(failureOf(wrong).message).toContain('colour');

    const missing = await call('datasets.get', { id: 'nowhere' });
    expect(missing).toMatchObject({ ok: false, error: { code: 'not-found' } });
  });

  test('takes JSON only, and no GET', async () => {
    const { ask } = await openServer();
    const form = { 'content-type': 'text/plain' };
    const reply = await ask('/api/app.info', { method: 'POST', headers: form, body: '{}' });
    expect(reply.status).toBe(400);
    expect(failureOf(reply).message).toContain('application/json');
    expect((await ask('/api/app.info')).status).toBe(404);
  });

  test('refuses a body over 32 MB, announced or not', async () => {
    const { ask, call } = await openServer();
    const body = JSON.stringify({ yaml: 'x'.repeat(32_000_000) });
    const announced = await ask('/api/studies.check', { method: 'POST', headers: JSON_TYPE, body });
    expect(announced.status).toBe(413);
    expect(failureOf(announced).message).toContain('32000000');
    const chunked = await ask('/api/studies.check', {
      method: 'POST',
      headers: { ...JSON_TYPE, 'transfer-encoding': 'chunked' },
      body,
    });
    expect(chunked.status).toBe(413);
    expect((await call('app.info', {})).ok).toBe(true);
  });
});

describe('files', () => {
  test('the renderer: hashed assets are kept, pages fall back to index.html', async () => {
    const { ask } = await openServer();
    const asset = await ask('/assets/index-a1b2c3.js');
    expect(asset.headers['content-type']).toContain('text/javascript');
    expect(asset.headers['cache-control']).toContain('immutable');
    for (const path of ['/', '/index.html', '/studies/abc', '/compare?a=1&b=2']) {
      const page = await ask(path);
      expect(page.text, path).toContain('the renderer');
      expect(page.headers['content-type']).toContain('text/html');
      expect(page.headers['cache-control']).toContain('no-cache');
    }
    expect((await ask('/assets/gone-123456.js')).status).toBe(404);
    const head = await ask('/assets/index-a1b2c3.js', { method: 'HEAD' });
    expect([head.status, head.data.length]).toEqual([200, 0]);
  });

  test('nothing outside its folder is served, however the path is written', async () => {
    const { ask, folder, context } = await openServer();
    await symlink(folder, join(folder, 'renderer', 'link'));
    await writeFile(join(folder, 'renderer', '.hidden'), 'secret');
    await mkdir(join(context.home.reports, 'linked'));
    await symlink(join(folder, 'secret.txt'), join(context.home.reports, 'linked', 'report.html'));
    const paths = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
      '/assets/..\\..\\secret.txt',
      '/..%5csecret.txt',
      '/%252e%252e%252fsecret.txt',
      `/${join(folder, 'secret.txt')}`,
      '/link/secret.txt',
      '/.hidden',
      '/secret.txt%00.js',
      '/%',
      '/%ff',
      '/reports/..%2f..%2fsecret.txt',
      '/reports/..',
      '/reports/%2e%2e',
      '/reports/linked',
      '/media/images/..%2f..%2fsecret.txt',
      '/media/images/1%2f..%2f..%2fsecret.txt',
      '/media/../secret.txt',
    ];
    for (const path of paths) {
      const reply = await ask(path);
      expect(reply.text, path).not.toBe('secret');
      expect([200, 400, 404], path).toContain(reply.status);
      if (reply.status === 200) expect(reply.text, path).toContain('the renderer');
    }
  });

  test('a missing renderer is named with the way out', async () => {
    const { handlers, context } = await openServer();
    const bare = await startServer({ handlers, context, rendererFolder: '/nowhere/at/all' });
    onTestFinished(() => bare.close());
    const { pathname, search } = new URL(bare.url);
    const entered = await send(bare.port, pathname + search);
    const cookie = entered.headers['set-cookie']![0]!.split(';')[0]!;
    const reply = await send(bare.port, '/', { headers: { cookie } });
    expect(reply.status).toBe(501);
    expect(failureOf(reply).detail?.wayOut).toContain('build-renderer');
  });

  test('a report may run its own script and reach nothing', async () => {
    const { ask, context } = await openServer();
    await mkdir(join(context.home.reports, 's1'));
    await writeFile(join(context.home.reports, 's1', 'report.html'), '<p>report</p>');
    const report = await ask('/reports/s1');
    expect(report.text).toBe('<p>report</p>');
    const policy = report.headers['content-security-policy'] ?? '';
    expect(policy).toContain("script-src 'unsafe-inline'");
    expect(policy).toContain('sandbox');
    expect(policy).not.toContain("'self'");
    expect(policy).not.toContain('connect-src');
    expect(report.headers['content-disposition']).toBeUndefined();
    const saved = await ask('/reports/s1?download');
    expect(saved.headers['content-disposition']).toBe('attachment; filename="carryover-s1.html"');
    expect((await ask('/reports/s2')).status).toBe(404);
  });
});

test('a taken port is refused with the way out', async () => {
  const { handlers, context } = await openServer();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const started = startServer({ handlers, context, port, rendererFolder: '/nowhere' });
  await expect(started).rejects.toMatchObject({ code: 'busy', detail: { value: String(port) } });
});
