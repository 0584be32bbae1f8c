import { File, ready } from 'h5wasm';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKerasH5, readKerasZip } from '../../engine/formats/keras.ts';
import type { KerasWeights } from '../../engine/formats/keras-topology.ts';

// Written by tests/reference/make_keras.py: value i of the n-th tensor is n + i / 64.
const FILES = join(import.meta.dirname, '../reference/keras');
const NORM = ['gamma', 'beta', 'moving_mean', 'moving_variance'];
const NAMES = [
  'Conv1/kernel',
  ...NORM.map((role) => `bn_Conv1/${role}`),
  'dw/depthwise_kernel',
  ...NORM.map((role) => `dw_BN/${role}`),
  'point/kernel',
  'point/bias',
  'predictions/kernel',
  'predictions/bias',
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-keras-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function expectSmallNetwork(weights: KerasWeights, nameOf: (name: string) => string): void {
  expect([...weights.tensors.keys()].sort()).toEqual(NAMES.map(nameOf).sort());
  NAMES.forEach((name, n) => {
    const tensor = weights.tensors.get(nameOf(name))!;
    const values = tensor.read();
    expect(values).toHaveLength(tensor.shape.reduce((a, b) => a * b, 1));
    expect([...values]).toEqual([...values.keys()].map((i) => n + i / 64));
  });
  expect(weights.tensors.get(nameOf('Conv1/kernel'))?.shape).toEqual([3, 3, 3, 4]);
}

describe('Keras .h5', () => {
  it('reads a whole model: weights, graph, versions, input size, not the optimiser', async () => {
    const weights = await readKerasH5(join(FILES, 'whole.h5'));
    expectSmallNetwork(weights, (name) => `${name}:0`);
    expect(weights.format).toBe('keras-h5');
    expect(weights.preprocessing.size).toBe(32);
    expect(weights.metadata).toMatchObject({ keras_version: '2.9.0', name: 'small' });
    expect(weights.metadata['training_config']).toContain('categorical_crossentropy');
    expect(weights.layers?.map(({ className }) => className)).toContain('DepthwiseConv2D');
  });

  it('reads weights alone, with their lists of names cut into chunks', async () => {
    const weights = await readKerasH5(join(FILES, 'weights-only.h5'));
    expectSmallNetwork(weights, (name) => name);
    expect(weights.layers).toBeNull();
  });

  it('reads layer names with slashes, compressed big-endian values and half floats', async () => {
    const { tensors } = await readKerasH5(join(FILES, 'slashed.h5'));
    const kernel = tensors.get('conv1/conv/kernel:0')!;
    expect(kernel.shape).toEqual([1, 1, 2, 3]);
    expect([...kernel.read()]).toEqual([0, 1, 2, 3, 4, 5]);
    const bias = tensors.get('conv1/conv/bias:0')!;
    expect(bias.dtype).toBe('float16');
    expect([...bias.read()]).toEqual([0.5, -2, 65504]);
  });

  it('reads numbered variables that say the names of their layers', async () => {
    const weights = await readKerasH5(join(FILES, 'numbered.weights.h5'));
    expectSmallNetwork(weights, (name) => name);
  });

  it('gives every caller values of its own', async () => {
    const { tensors } = await readKerasH5(join(FILES, 'whole.h5'));
    tensors.get('point/bias:0')!.read().fill(0);
    expect([...tensors.get('point/bias:0')!.read()]).toEqual([11, 11 + 1 / 64]);
  });
});

describe('.keras', () => {
  it.each(['keras3.keras', 'keras30.keras', 'keras2.keras'])('reads %s', async (file) => {
    const weights = await readKerasZip(join(FILES, file));
    expectSmallNetwork(weights, (name) => name);
    expect(weights.format).toBe('keras-zip');
    expect(weights.preprocessing.size).toBe(32);
    expect(weights.metadata['date_saved']).toBe('2024-01-01@00:00:00');
  });

  it('names the layers of a model inside a model after both', async () => {
    const { tensors } = await readKerasZip(join(FILES, 'nested.keras'));
    expect(tensors.get('trunk/dw/depthwise_kernel')?.read()[0]).toBe(5);
    expect(tensors.get('predictions/bias')?.read()[0]).toBe(1);
  });

  it('refuses an archive whose weights would unpack to a multiple of it', async () => {
    const path = join(folder, 'bomb.keras');
    const zeros = Buffer.alloc(80 * 2 ** 20);
    writeFileSync(path, zip({ 'config.json': Buffer.from('{}'), 'model.weights.h5': zeros }));
    await expect(readKerasZip(path)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('would unpack to 83886080') as string,
      detail: { file: path },
    });
  });

  it('says which part of the archive is missing', async () => {
    const path = join(folder, 'half.keras');
    writeFileSync(path, zip({ 'config.json': Buffer.from('{}') }));
    await expect(readKerasZip(path)).rejects.toThrow(/half\.keras.*no model\.weights\.h5/);
  });

  it('says so when the configuration is not JSON', async () => {
    const path = join(folder, 'odd.keras');
    const weights = readFileSync(join(FILES, 'numbered.weights.h5'));
    writeFileSync(path, zip({ 'config.json': Buffer.from('{'), 'model.weights.h5': weights }));
    await expect(readKerasZip(path)).rejects.toThrow(/odd\.keras.*not JSON/);
  });
});

describe('damaged and hostile HDF5', () => {
  it.each([
    ['cut off', (whole: Buffer) => whole.subarray(0, 9000)],
    ['not HDF5', () => Buffer.from('hello')],
    ['empty', () => Buffer.alloc(0)],
  ])('names a file that is %s', async (_, change) => {
    const path = join(folder, 'bad.h5');
    writeFileSync(path, change(readFileSync(join(FILES, 'whole.h5'))));
    await expect(readKerasH5(path)).rejects.toMatchObject({
      code: 'bad-input',
      detail: { file: path },
    });
  });

  it('reads on after a file that was refused', async () => {
    const path = join(folder, 'bad.h5');
    writeFileSync(path, 'hello');
    await expect(readKerasH5(path)).rejects.toThrow();
    expectSmallNetwork(await readKerasH5(join(FILES, 'whole.h5')), (name) => `${name}:0`);
  });

  it('refuses tensors that claim more than a hundred times the file', async () => {
    const path = await written((file) => {
      const shape = [1025, 1 << 14];
      const data = new Float32Array(1025 << 14);
      file.create_dataset({ name: 'a', data, shape, chunks: shape, compression: 6 });
    });
    await expect(readKerasH5(path)).rejects.toThrow(/over 100 times its size/);
  });

  it('refuses groups that contain themselves', async () => {
    const path = await written((file) => {
      file.create_group('layers');
      file.create_hard_link('/', 'layers/again');
    });
    await expect(readKerasH5(path)).rejects.toThrow(/contain themselves/);
  });

  it('names a weight that is text', async () => {
    const path = await written((file) => {
      file.create_group('vars').create_dataset({ name: '0', data: ['text'] });
    });
    await expect(readKerasH5(path)).rejects.toThrow(/"vars\/0" holds values that are not numbers/);
  });

  it('says that a layer is named but not there, and that there are no weights at all', async () => {
    const named = await written((file) => file.create_attribute('layer_names', ['a', 'b']));
    await expect(readKerasH5(named)).rejects.toThrow(/layer "a" is named but not in it/);
    const none = await written((file) => void file.create_group('model_weights'));
    await expect(readKerasH5(none)).rejects.toThrow(/no weights of layers/);
  });

  async function written(fill: (file: File) => void): Promise<string> {
    const { FS } = await ready;
    const file = new File('/made.h5', 'w');
    fill(file);
    file.close();
    const path = join(folder, 'made.h5');
    writeFileSync(path, FS.readFile('/made.h5'));
    FS.unlink('/made.h5');
    return path;
  }
});

/** A zip archive of deflated entries. */
function zip(entries: Record<string, Buffer>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of Object.entries(entries)) {
    const packed = deflateRawSync(data, { level: 9 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail, Buffer.from(name));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  const count = Object.keys(entries).length;
  end.writeUInt16LE(count, 4);
  end.writeUInt16LE(count, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end]);
}
