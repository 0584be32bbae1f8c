/** `carryover setup cuda` against a server that speaks NuGet's protocol on this machine. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CudaSource } from '../../host/devices/setup-cuda.ts';
import { cudaSource, installCuda } from '../../host/devices/setup-cuda.ts';
import { installTensorflow, tensorflowFolder } from '../../host/devices/setup-tensorflow.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { storedZip } from './devices-support.ts';

const NAMES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
const PATHS = NAMES.map((name) => `runtimes/linux-x64/native/${name}`);

let server: Server;
let origin: string;
let answers: Record<string, () => Buffer | object>;
let source: CudaSource;
let folder: string;

beforeEach(async () => {
  folder = temporaryFolder();
  put(folder, 'libonnxruntime.so.1', 'as it was');
  server = createServer((request, response) => {
    const answer = answers[request.url ?? '']?.();
    response.statusCode = answer ? 200 : 404;
    response.end(Buffer.isBuffer(answer) ? answer : JSON.stringify(answer ?? null));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const archive = storedZip(
    new Map(
      [...PATHS, 'LICENSE'].map((path) => [path, Buffer.from(`content of ${basename(path)}`)]),
    ),
  );
  answers = {
    '/index.json': () => ({
      resources: [
        { '@id': `${origin}/base/`, '@type': 'PackageBaseAddress/3.0.0' },
        { '@id': `${origin}/registration`, '@type': 'RegistrationsBaseUrl/3.6.0' },
      ],
    }),
    '/registration/ort.gpu/1.2.3.json': () => ({ catalogEntry: `${origin}/entry.json` }),
    '/entry.json': () => ({
      packageHash: createHash('sha512').update(archive).digest('base64'),
      packageHashAlgorithm: 'SHA512',
    }),
    '/base/ort.gpu/1.2.3/ort.gpu.1.2.3.nupkg': () => archive,
  };
  source = {
    feed: `${origin}/index.json`,
    package: 'ORT.Gpu',
    version: '1.2.3',
    files: new Map(NAMES.map((name, i) => [name, PATHS[i] ?? ''])),
  };
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

const said: string[] = [];
const say = (text: string): void => void said.push(text);

test('puts the two libraries in their place and says where it got them', async () => {
  const installed = await installCuda(folder, source, { say });
  expect(installed).toEqual(NAMES.map((name) => join(folder, name)));
  for (const file of installed) {
    expect(readFileSync(file, 'utf8')).toBe(`content of ${basename(file)}`);
  }
  expect(readdirSync(folder).sort()).toEqual([...NAMES, 'libonnxruntime.so.1'].sort());
  expect(said.join('\n')).toContain(`${origin}/base/ort.gpu/1.2.3/ort.gpu.1.2.3.nupkg`);
});

test.each<[string, () => void, RegExp]>([
  [
    'a server that is not there',
    () => (source.feed = 'http://127.0.0.1:9/index.json'),
    /127\.0\.0\.1:9/,
  ],
  [
    'a package that is not there',
    () => delete answers['/base/ort.gpu/1.2.3/ort.gpu.1.2.3.nupkg'],
    /404/,
  ],
  [
    'a package that is not the published one',
    () =>
      (answers['/base/ort.gpu/1.2.3/ort.gpu.1.2.3.nupkg'] = () => Buffer.from('something else')),
    /SHA-512/,
  ],
  [
    'a package without the libraries',
    () =>
      (source = { ...source, files: new Map(NAMES.map((name) => [name, `elsewhere/${name}`])) }),
    /no such file/,
  ],
])('%s leaves everything as it was, with a reason and a way out', async (_, spoil, reason) => {
  spoil();
  await expect(installCuda(folder, source, { say })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringMatching(reason) as string,
    detail: { wayOut: expect.stringMatching(/./) as string },
  });
  expect(readdirSync(folder)).toEqual(['libonnxruntime.so.1']);
  expect(readFileSync(join(folder, 'libonnxruntime.so.1'), 'utf8')).toBe('as it was');
});

test('the source is what the installed onnxruntime-node names', () => {
  const { feed, package: name, version, files } = cudaSource();
  expect(feed).toMatch(/^https:\/\/api\.nuget\.org\//);
  expect(name).toBe('Microsoft.ML.OnnxRuntime.Gpu.Linux');
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
  expect([...files.keys()]).toEqual(expect.arrayContaining(NAMES));
});

test('TensorFlow that cannot be fetched leaves its package as it was', async () => {
  const package_ = tensorflowFolder();
  const before = readdirSync(package_, { recursive: true }).sort();
  const home = temporaryFolder();
  put(home, 'tfjs/package.json', '{}');
  put(
    home,
    'tfjs/scripts/install.js',
    `console.log('https://somewhere.example/libtensorflow.tar.gz');
     require('http').get('http://127.0.0.1:9/', () => undefined);`,
  );
  const copy = join(home, 'tfjs');
  await expect(installTensorflow(copy, { say })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringContaining('ECONNREFUSED') as string,
    detail: { wayOut: expect.stringContaining('try again') as string },
  });
  expect(said).toContain('downloading https://somewhere.example/libtensorflow.tar.gz');
  expect(readdirSync(home, { recursive: true }).sort()).toEqual([
    'tfjs',
    'tfjs/package.json',
    'tfjs/scripts',
    'tfjs/scripts/install.js',
  ]);
  expect(readdirSync(package_, { recursive: true }).sort()).toEqual(before);
});

test('TensorFlow and the binding to it take the place of what was there', async () => {
  const home = temporaryFolder();
  put(home, 'tfjs/package.json', '{}');
  put(home, 'tfjs/deps/lib/old.txt', 'old');
  put(
    home,
    'tfjs/scripts/install.js',
    `const fs = require('fs');
     fs.rmSync('deps', { recursive: true });
     fs.mkdirSync('deps/lib', { recursive: true });
     fs.writeFileSync('deps/lib/libtensorflow.so.2', 'library');
     fs.mkdirSync('lib/napi-v8', { recursive: true });
     fs.writeFileSync('lib/napi-v8/tfjs_binding.node', 'binding');
     fs.writeFileSync('package.json', 'rewritten');`,
  );
  const copy = join(home, 'tfjs');
  await installTensorflow(copy, { say });
  expect(readdirSync(join(copy, 'deps', 'lib'))).toEqual(['libtensorflow.so.2']);
  expect(readFileSync(join(copy, 'lib', 'napi-v8', 'tfjs_binding.node'), 'utf8')).toBe('binding');
  expect(readFileSync(join(copy, 'package.json'), 'utf8')).toBe('{}');
  expect(readdirSync(home)).toEqual(['tfjs']);
});
