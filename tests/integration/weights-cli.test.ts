import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import { carryover } from './cli-support.ts';
import { drawnWeights } from './drawn-weights.ts';
import { openServer } from './http-support.ts';

let folder: string;
let file: string;
let odd: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-weights-'));
  const tensors = drawnWeights({ name: 'convnet', image: 64, width: 8 }, 5);
  file = join(folder, 'net.safetensors');
  writeFileSync(file, encodeSafetensors({ tensors, metadata: { made: 'by a test' } }));
  tensors.delete('block1.bn.bias');
  tensors.set('extra.weight', { shape: [2], data: Float32Array.of(1, 2) });
  odd = join(folder, 'odd.safetensors');
  writeFileSync(odd, encodeSafetensors({ tensors, metadata: {} }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const weights = (...args: string[]) =>
  carryover('weights', ...args, '--home', join(folder, 'home'));

test('inspect says what a file holds and stores nothing', async () => {
  const home = join(folder, 'untouched');
  const ended = await carryover('weights', 'inspect', file, '--home', home);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/architecture +convnet, width 8, small stem, RGB images/);
  expect(ended.stdout).toMatch(/strict import +yes/);
  const json = await carryover('weights', 'inspect', odd, '--json', '--home', home);
  expect(JSON.parse(json.stdout)).toMatchObject({
    file: odd,
    format: 'safetensors',
    match: {
      strict: false,
      missing: [{ name: 'block1.bn.bias', shape: [8] }],
      unexpected: [{ name: 'extra.weight', shape: [2] }],
    },
  });
  expect(existsSync(home)).toBe(false);
});

test('import, list, export and remove', async () => {
  const feeding = ['--size', '64', '--mean', '0.5, 0.4,0.3', '--std', '1,1,1', '--crop', '0.875'];
  const imported = await weights('import', file, '--name', 'net', ...feeding, '--licence', 'MIT');
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  expect(imported.stdout).toContain('64 px, mean 0.5 0.4 0.3, std 1 1 1, centre crop 0.875');

  const listed = await weights('list', '--json');
  const [net] = JSON.parse(listed.stdout);
  expect(net).toMatchObject({ name: 'net', licence: 'MIT', classes: 5, source: file });
  expect((await weights('list')).stdout).toContain('net');
  expect((await weights('list', 'net')).stdout).toMatch(/tensors +17 matched, 0 missing/);

  const out = join(folder, 'out.onnx');
  const exported = await weights('export', 'net', '--format', 'onnx', '--out', out, '--json');
  expect(JSON.parse(exported.stdout)).toMatchObject({
    ...{ out, bytes: readFileSync(out).length, side: { pixels: 64, from: 'weights' } },
  });
  const small = await weights('export', 'net', '--format', 'onnx', '--out', out, '--size', '48');
  expect(small.stdout).toMatch(/bytes of onnx, for images of 48 x 48 pixels$/m);
  expect((await weights('inspect', out)).stdout).toMatch(/format +onnx/);

  const gone = await weights('remove', 'net', '--json');
  expect(JSON.parse(gone.stdout)).toEqual({ removed: { id: net.id, name: 'net' } });
  expect(JSON.parse((await weights('list', '--json')).stdout)).toEqual([]);
  const again = await weights('remove', 'net');
  expect(again).toMatchObject({ code: 1, stdout: '' });
  expect(again.stderr).toContain('there is no checkpoint net');
});

test('a refused import prints the whole report first; --loose takes what matches', async () => {
  const refused = await weights('import', odd, '--name', 'odd');
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/missing +block1\.bn\.bias \[8\]/);
  expect(refused.stdout).toMatch(/unexpected +extra\.weight \[2\]/);
  expect(refused.stderr).toContain(`error: ${odd} does not fit convnet: 1 missing`);
  expect(refused.stderr).toContain('way out: import it loosely (--loose)');
  const json = await weights('import', odd, '--name', 'odd', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'bad-input' } });
  const loose = await weights('import', odd, '--name', 'odd', '--loose', '--json');
  expect(JSON.parse(loose.stdout)).toMatchObject({
    name: 'odd',
    report: { match: { strict: false } },
  });
});

test.each([
  [['import', 'x', '--name', 'x', '--mean', '1,2'], 'give three numbers'],
  [['import', 'x', '--name', 'x', '--std', '0,0,0'], 'above 0'],
  [['import', 'x', '--name', 'x', '--size', '0'], 'whole number of pixels'],
  [['import', 'x', '--name', 'x', '--crop', '1.5'], 'above 0, 1 at most'],
  [['inspect', 'x', '--architecture', 'resnet19'], 'Allowed choices'],
  [['export', 'x', '--format', 'pickle', '--out', 'y'], 'Allowed choices'],
])('usage: %j', async (args, message) => {
  const ended = await weights(...args);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(message);
});

test('the server gives weights away as files, and nothing else under that path', async () => {
  const server = await openServer();
  const { id } = await server.handlers['checkpoints.import']({
    path: file,
    name: 'net',
    loose: false,
  });
  const reply = await server.ask(`/weights/${id}.safetensors`);
  expect(reply.status).toBe(200);
  expect(reply.headers['content-disposition']).toBe('attachment; filename="net.safetensors"');
  const kept = readFileSync(join(server.context.home.checkpoints, `${id}.safetensors`));
  expect(reply.data.equals(kept)).toBe(true);
  const onnx = await server.ask(`/weights/${id}.onnx`);
  expect(onnx).toMatchObject({ status: 200 });
  expect(onnx.data.includes('carryover.preprocessing')).toBe(true);
  for (const path of [
    '/weights/c0.safetensors',
    `/weights/${id}.pth`,
    '/weights/..%2Fcarryover.db',
  ]) {
    expect((await server.ask(path)).status, path).toBe(404);
  }
  const folders = await server.call('checkpoints.browse', { path: folder });
  expect(folders).toMatchObject({ ok: true });
  const names = folders.ok ? folders.value.files.map(({ name }) => name) : [];
  expect(names).toEqual(['net.safetensors', 'odd.safetensors', 'out.onnx']);
});
