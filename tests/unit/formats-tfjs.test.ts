import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTfjsLayers } from '../../engine/formats/tfjs-layers.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-tfjs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Manifest = { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];

function write(json: object, shards: Record<string, Uint8Array | Buffer> = {}): string {
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
  for (const [name, bytes] of Object.entries(shards)) writeFileSync(join(folder, name), bytes);
  return join(folder, 'model.json');
}

const model = (weightsManifest: Manifest, more: object = {}) => ({
  format: 'layers-model',
  modelTopology: { class_name: 'Model', config: { name: 'm', layers: [] } },
  weightsManifest,
  ...more,
});

const bytesOf = (array: ArrayBufferView) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

describe('readTfjsLayers', () => {
  it('gives what TensorFlow.js decodes, for every type and quantisation', async () => {
    const weights: tf.io.WeightsManifestEntry[] = [
      { name: 'plain', shape: [2, 2], dtype: 'float32' },
      { name: 'flags', shape: [3], dtype: 'bool' },
      { name: 'counts', shape: [2], dtype: 'int32' },
      quantised('bytes', [4], 'uint8', { scale: 0.1, min: -1 }),
      quantised('words', [2], 'uint16', { scale: 0.001, min: 3 }),
      quantised('halves', [3], 'float16', {}),
      { name: 'scalar', shape: [], dtype: 'float32' },
      quantised('rounded', [2], 'uint8', { scale: 0.6, min: 0 }, 'int32'),
    ];
    const data = Buffer.concat([
      bytesOf(Float32Array.of(1, -2.5, 1e-8, 3e8)),
      Buffer.of(1, 0, 1),
      bytesOf(Int32Array.of(-7, 70_000)),
      Buffer.of(0, 1, 128, 255),
      bytesOf(Uint16Array.of(0, 65_535)),
      bytesOf(Uint16Array.of(0x3c00, 0xc100, 0x0001)),
      bytesOf(Float32Array.of(42)),
      Buffer.of(1, 2),
    ]);
    const read = await readTfjsLayers(
      write(model([{ paths: ['w.bin'], weights }]), { 'w.bin': data }),
    );
    const whole = data.buffer.slice(data.byteOffset, data.byteOffset + data.length) as ArrayBuffer;
    const theirs = tf.io.decodeWeights(whole, weights);
    expect([...read.tensors.keys()]).toEqual(weights.map(({ name }) => name));
    for (const [name, tensor] of read.tensors) {
      expect(tensor.shape).toEqual(theirs[name]!.shape);
      expect([...tensor.read()]).toEqual([...theirs[name]!.dataSync()]);
    }
    expect(read.tensors.get('bytes')?.dtype).toBe('float32 as uint8 x scale + min');
    expect(read.tensors.get('halves')?.dtype).toBe('float32 as float16');
  });

  it('joins the shards of each group, whatever they are called', async () => {
    const values = Float32Array.from({ length: 6 }, (_, i) => i);
    const bytes = bytesOf(values);
    const manifest: Manifest = [
      { paths: ['first', 'b.dat'], weights: [{ name: 'a', shape: [3], dtype: 'float32' }] },
      { paths: ['group2-shard1of1.bin'], weights: [{ name: 'b', shape: [3], dtype: 'float32' }] },
    ];
    write(model(manifest), {
      first: bytes.subarray(0, 7),
      'b.dat': bytes.subarray(7, 12),
      'group2-shard1of1.bin': bytes.subarray(12),
    });
    const { tensors } = await readTfjsLayers(join(folder, 'model.json'));
    expect([...tensors.get('a')!.read()]).toEqual([0, 1, 2]);
    expect([...tensors.get('b')!.read()]).toEqual([3, 4, 5]);
  });

  it('tells what the file says of itself', async () => {
    const layers = [
      { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: [null, 96, 96, 3] } },
    ];
    const path = write(
      model([], {
        modelTopology: {
          keras_version: '2.4.0',
          model_config: { class_name: 'Functional', config: { name: 'net', layers } },
        },
        generatedBy: 'keras v2.4.0',
        trainingConfig: { loss: 'mse' },
        userDefinedMetadata: { labels: ['cat', 'dog'] },
      }),
    );
    const read = await readTfjsLayers(path);
    expect(read.classNames).toEqual(['cat', 'dog']);
    expect(read.preprocessing.size).toBe(96);
    expect(read.metadata).toMatchObject({
      format: 'layers-model',
      name: 'net',
      keras_version: '2.4.0',
      generatedBy: 'keras v2.4.0',
      trainingConfig: '{"loss":"mse"}',
    });
  });

  it('takes the class names that Teachable Machine writes beside the model', async () => {
    const path = write(model([]), {
      'metadata.json': Buffer.from(JSON.stringify({ labels: ['left', 'right'] })),
    });
    expect((await readTfjsLayers(path)).classNames).toEqual(['left', 'right']);
  });

  it('names a shard that is missing', async () => {
    const weights = [{ name: 'a', shape: [1], dtype: 'float32' as const }];
    const path = write(model([{ paths: ['gone.bin'], weights }]));
    await expect(readTfjsLayers(path)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('the shard gone.bin') as string,
      detail: { file: join(folder, 'gone.bin') },
    });
  });

  it('names the shard that is cut off, and says when bytes are left over', async () => {
    const weights = [{ name: 'a', shape: [5], dtype: 'float32' as const }];
    const manifest = [{ paths: ['1.bin', '2.bin', '3.bin'], weights }];
    const path = write(model(manifest), {
      '1.bin': Buffer.alloc(8),
      '2.bin': Buffer.alloc(5),
      '3.bin': Buffer.alloc(4),
    });
    await expect(readTfjsLayers(path)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/^2\.bin is cut off.* 17 bytes.* 20$/) as string,
    });
    writeFileSync(join(folder, '2.bin'), Buffer.alloc(10));
    expect((await readTfjsLayers(path)).warnings).toEqual([
      '1.bin, 2.bin, 3.bin: 2 bytes are left over',
    ]);
  });

  it.each([
    ['by its format', { format: 'graph-model', modelTopology: { node: [] } }],
    ['by its nodes', { format: undefined, modelTopology: { node: [] } }],
  ])('refuses a graph-model, known %s, and says what to bring', async (_, more) => {
    await expect(readTfjsLayers(write(model([], more)))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('BatchNorm is folded') as string,
      detail: { wayOut: expect.stringContaining('layers-model') as string },
    });
  });

  it.each([
    ['"nonsense', /not JSON/],
    ['{"modelTopology":{}}', /weightsManifest/],
    ['{"weightsManifest":[{"paths":["../w"],"weights":[]}]}', /"\.\.\/w" lies outside/],
    [
      '{"weightsManifest":[{"paths":[],"weights":[{"name":"t","shape":[1],"dtype":"string"}]}]}',
      /"t" is of type string/,
    ],
    [
      '{"weightsManifest":[{"paths":[],"weights":[{"name":"t","shape":[0],"dtype":"bool"},{"name":"t","shape":[0],"dtype":"bool"}]}]}',
      /"t" is in it twice/,
    ],
  ])('refuses %s', async (text, message) => {
    writeFileSync(join(folder, 'model.json'), text);
    await expect(readTfjsLayers(join(folder, 'model.json'))).rejects.toThrow(message);
  });
});

function quantised(
  name: string,
  shape: number[],
  stored: 'uint8' | 'uint16' | 'float16',
  affine: { scale?: number; min?: number },
  dtype: 'float32' | 'int32' = 'float32',
): tf.io.WeightsManifestEntry {
  return { name, shape, dtype, quantization: { dtype: stored, ...affine } };
}
