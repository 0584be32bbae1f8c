import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArchitectureName } from '../../contract/architecture.ts';
import { encodeNpy, readNpy } from '../../engine/formats/npy.ts';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import type { Tensor } from '../../engine/formats/safetensors.ts';
import reference from '../reference/logits.json' with { type: 'json' };
import { carryover } from './cli-support.ts';
import { drawnImages, drawnWeights } from './drawn-weights.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-logits-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const { classes, images, side } = reference;
const NAMES: Record<string, ArchitectureName> = { mobilenet_v2: 'mobilenetv2' };

function write(name: string, tensors: ReadonlyMap<string, Tensor>): string {
  const file = join(folder, name);
  writeFileSync(file, encodeSafetensors({ tensors: new Map(tensors), metadata: {} }));
  return file;
}

function writeImages(name: string, count: number, channels: number): string {
  const file = join(folder, name);
  const data = drawnImages(count, channels, side);
  writeFileSync(file, encodeNpy({ shape: [count, channels, side, side], data }));
  return file;
}

describe('logits of torchvision’s networks are PyTorch’s', () => {
  test.each(reference.cases)('$architecture, $channels channels', async (one) => {
    const name = NAMES[one.architecture] ?? (one.architecture as ArchitectureName);
    const file = write(`${name}.safetensors`, drawnWeights({ name, image: side }, classes));
    const input = writeImages('x.npy', images, one.channels);
    const out = join(folder, 'y.npy');
    const ended = await carryover(
      'weights',
      'logits',
      file,
      '--input',
      input,
      '--out',
      out,
      '--json',
    );
    expect(ended.stderr.includes('conv1.weight: 3 channels to 1: sum of the filters')).toBe(
      one.channels === 1,
    );
    expect(JSON.parse(ended.stdout)).toMatchObject({ architecture: name, images, classes });
    const logits = readNpy(out);
    expect(logits.shape).toEqual([images, classes]);
    const wanted = one.logits.flat();
    const largest = Math.max(...wanted.map(Math.abs));
    const off = wanted.map((value, i) => Math.abs(value - logits.data[i]!));
    expect(Math.max(...off)).toBeLessThan(1e-4 * Math.min(1, largest));
  });
});

test('old DenseNet keys, wrapper prefixes and counters give the same logits', async () => {
  const old = [...drawnWeights({ name: 'densenet121', image: side }, classes)].map(
    ([name, tensor]): [string, Tensor] => [
      `module.${name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2')}`,
      tensor,
    ],
  );
  old.push(['module.features.norm0.num_batches_tracked', { shape: [1], data: Float32Array.of(7) }]);
  const file = write('old.safetensors', new Map(old));
  expect(old[6]![0]).toBe('module.features.denseblock1.denselayer1.norm.1.bias');
  const input = writeImages('x.npy', images, 3);
  const out = join(folder, 'old.npy');
  const ended = await carryover('weights', 'logits', file, '--input', input, '--out', out);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const wanted = reference.cases.find((one) => one.architecture === 'densenet121')!.logits.flat();
  readNpy(out).data.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
});

test('more images than a batch: each row is its image’s', async () => {
  const tensors = drawnWeights({ name: 'convnet', image: side }, 4);
  const file = write('convnet.safetensors', tensors);
  const [many, out] = [writeImages('many.npy', 21, 3), join(folder, 'many-out.npy')];
  expect((await carryover('weights', 'logits', file, '--input', many, '--out', out)).code).toBe(0);
  const all = readNpy(out);
  expect(all.shape).toEqual([21, 4]);
  const last = drawnImages(21, 3, side).slice(20 * 3 * side * side);
  const one = join(folder, 'one.npy');
  writeFileSync(one, encodeNpy({ shape: [1, 3, side, side], data: last }));
  expect((await carryover('weights', 'logits', file, '--input', one, '--out', out)).code).toBe(0);
  const alone = readNpy(out);
  alone.data.forEach((value, i) => expect(value).toBeCloseTo(all.data[20 * 4 + i]!, 5));
  expect(new Set(all.data).size).toBeGreaterThan(4);
});

describe('refusals name the file and the way out', () => {
  const failure = async (...args: string[]) => {
    const ended = await carryover(
      'weights',
      'logits',
      ...args,
      '--out',
      join(folder, 'no.npy'),
      '--json',
    );
    expect(ended.code).toBe(1);
    return JSON.parse(ended.stdout).error;
  };
  let file: string;
  let tensors: Map<string, Tensor>;
  beforeAll(() => {
    tensors = drawnWeights({ name: 'convnet', image: side }, 4);
    file = write('whole.safetensors', tensors);
  });

  test.each([
    [[2, 3, 40, 48], '2, 3, 40, 48'],
    [[2, 2, 40, 40], '2, 2, 40, 40'],
    [[2, 3, 31, 31], '2, 3, 31, 31'],
    [[3, 40, 40], '3, 40, 40'],
  ])('images of shape %j', async (shape, value) => {
    const input = join(folder, 'odd.npy');
    const data = new Float32Array(shape.reduce((product, one) => product * one));
    writeFileSync(input, encodeNpy({ shape, data }));
    expect(await failure(file, '--input', input)).toMatchObject({
      code: 'bad-input',
      detail: { file: input, value, wayOut: expect.stringContaining('1 or 3 channels') },
    });
  });

  test('images of whole numbers, which nobody has normalised', async () => {
    const floats = encodeNpy({ shape: [1, 3, side, side], data: drawnImages(1, 3, side) });
    const input = join(folder, 'pixels.npy');
    writeFileSync(input, Buffer.from(floats).toString('latin1').replace('<f4', '<i4'), 'latin1');
    expect(await failure(file, '--input', input)).toMatchObject({
      code: 'bad-input',
      message: `${input} holds int32, not normalised images`,
      detail: { file: input, value: 'int32', wayOut: expect.stringContaining('float32') },
    });
  });

  test('a file without a head, and one of another architecture', async () => {
    const headless = [...tensors].filter(([, { shape }]) => shape[0] !== 4);
    const cut = write('headless.safetensors', new Map(headless));
    const input = writeImages('x.npy', images, 3);
    expect(await failure(cut, '--input', input)).toMatchObject({
      message: expect.stringContaining('the file has no head'),
      detail: { file: cut },
    });
    const asked = await failure(file, '--architecture', 'resnet18', '--input', input);
    expect(asked).toMatchObject({ code: 'bad-input', detail: { file, value: 'resnet18' } });
  });

  test('an input that is not there', async () => {
    const input = join(folder, 'none.npy');
    expect(await failure(file, '--input', input)).toMatchObject({
      code: 'not-found',
      detail: { file: input },
    });
  });
});
