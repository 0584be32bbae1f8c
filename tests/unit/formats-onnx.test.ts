import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matchWeights } from '../../engine/checkpoints/match.ts';
import { METADATA_KEYS } from '../../engine/formats/told.ts';
import { readWeightsFile } from '../../engine/formats/weights.ts';
import { encodeModel, ModelProto, publishModel } from '../../engine/runtime/onnx/proto.ts';
import { expected, expectTensors, reference, temporaryFiles } from './formats-support.ts';

const write = temporaryFiles();

interface Model {
  initializer?: object[];
  node?: object[];
  input?: object[];
  metadata?: Record<string, string>;
}

function modelFile({ metadata = {}, ...graph }: Model): string {
  const metadata_props = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  const model = ModelProto.create({ ir_version: 8, graph, metadata_props });
  return write('model.onnx', ModelProto.encode(model).finish());
}

function bytes(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function valuesOf(path: string): Promise<Record<string, number[]>> {
  const { tensors } = await readWeightsFile(path);
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, [...tensor.read()]]));
}

describe('ONNX models that PyTorch exported', () => {
  it('keeps the names of convolutions and BatchNorm, shared values under each of their names', async () => {
    const weights = await readWeightsFile(reference('kept.onnx'));
    expect(weights.format).toBe('onnx');
    expectTensors(weights, expected['kept.onnx']!);
    expect(weights.warnings).toEqual([]);
    expect(weights.preprocessing.size).toBe(32);
    expect(weights.metadata['onnx.producer']).toBe('pytorch 1.13.0');
    expect(weights.metadata['onnx.operators']).toContain('1 BatchNormalization');
  });

  it('says once that BatchNorm was folded into the convolutions, and how to export', async () => {
    const advice =
      /BatchNorm is folded into the convolutions.*cannot be matched.*PRESERVE, do_constant_folding=False/;
    const weights = await readWeightsFile(reference('folded.onnx'));
    expect(weights.warnings).toEqual([]);
    expect(() => matchWeights(weights)).toThrow(advice);

    const named = readFileSync(reference('folded.onnx'))
      .toString('latin1')
      .replaceAll('onnx::Conv', 'conv.names');
    const { warnings } = await readWeightsFile(write('named.onnx', Buffer.from(named, 'latin1')));
    expect(warnings).toEqual([expect.stringMatching(advice)]);
  });
});

describe('ONNX weights', () => {
  it('reads what our own exporter writes', async () => {
    const conv = { type: 'Conv', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes: {} };
    const model = encodeModel({
      nodes: [conv],
      initializers: [
        { name: 'w', shape: [2, 1, 1, 1], data: Float32Array.of(1, -2) },
        { name: 'b', shape: [2], data: Float32Array.of(3, 4) },
      ],
      inputs: [{ name: 'x', shape: [1, 1, 8, 8] }],
      outputs: [{ name: 'y', shape: [1, 2, 8, 8] }],
    });
    const metadata = {
      [METADATA_KEYS.classes]: '["cat","dog"]',
      [METADATA_KEYS.architecture]: '{}',
    };
    const published = publishModel(model, { metadata, batch: 'N' });
    const weights = await readWeightsFile(write('own.onnx', published));
    expect([...weights.tensors.keys()]).toEqual(['w', 'b']);
    expect(weights.tensors.get('w')).toMatchObject({ shape: [2, 1, 1, 1], dtype: 'float32' });
    expect([...weights.tensors.get('w')!.read()]).toEqual([1, -2]);
    expect(weights.classNames).toEqual(['cat', 'dog']);
    expect(weights.preprocessing.size).toBe(8);
    expect(weights.warnings).toEqual([]); // an architecture of ours says itself what it has
  });

  it('reads every way of keeping values', async () => {
    const half = Uint16Array.of(0x3c00, 0xc000); // 1, -2
    const brain = Uint16Array.of(0x3f80, 0xc000);
    const path = modelFile({
      initializer: [
        { name: 'raw', dims: [2], data_type: 1, raw_data: bytes(Float32Array.of(1, -2)) },
        { name: 'list', dims: [2], data_type: 1, float_data: [1, -2] },
        { name: 'rawDouble', dims: [2], data_type: 11, raw_data: bytes(Float64Array.of(1, -2)) },
        { name: 'double', dims: [2], data_type: 11, double_data: [1, -2] },
        { name: 'rawHalf', dims: [2], data_type: 10, raw_data: bytes(half) },
        { name: 'half', dims: [2], data_type: 10, int32_data: [...half] },
        { name: 'rawBrain', dims: [2], data_type: 16, raw_data: bytes(brain) },
        { name: 'brain', dims: [2], data_type: 16, int32_data: [...brain] },
      ],
      node: [
        {
          op_type: 'Constant',
          output: ['constant'],
          attribute: [{ name: 'value', t: { dims: [2], data_type: 1, float_data: [1, -2] } }],
        },
      ],
    });
    const values = await valuesOf(path);
    expect(Object.keys(values)).toHaveLength(9);
    for (const [name, found] of Object.entries(values)) expect(found, name).toEqual([1, -2]);
  });

  it('leaves out what only steers operators', async () => {
    const scalar = (name: string) => ({ name, dims: [], data_type: 1, float_data: [6] });
    const path = modelFile({
      initializer: [
        { name: 'shape', dims: [2], data_type: 7, raw_data: bytes(BigInt64Array.of(1n, -1n)) },
        scalar('bound'),
        scalar('both'),
        scalar('weight'),
      ],
      node: [
        { op_type: 'Reshape', input: ['x', 'shape'], output: ['a'] },
        { op_type: 'Clip', input: ['a', 'both', 'bound'], output: ['b'] },
        { op_type: 'Mul', input: ['b', 'both'], output: ['c'] },
      ],
    });
    expect(Object.keys(await valuesOf(path))).toEqual(['both', 'weight']);
  });

  it('says that a quantised model keeps its weights to itself', async () => {
    const path = modelFile({ node: [{ op_type: 'QLinearConv', input: [], output: ['y'] }] });
    expect((await readWeightsFile(path)).warnings.join()).toContain('quantised');
  });

  it('lists a tensor of two shapes as a failure', async () => {
    const tensor = { name: 'w', dims: [3], data_type: 1 };
    for (const values of [{ float_data: [1, 2] }, { raw_data: new Uint8Array(8) }, {}]) {
      const path = modelFile({ initializer: [{ ...tensor, ...values }] });
      await expect(readWeightsFile(path)).rejects.toThrow(/model\.onnx.*"w" of \[3\]/);
    }
  });

  it('refuses what is no model', async () => {
    await expect(readWeightsFile(write('x.onnx', '\x08\x07'))).rejects.toThrow(/no graph/);
    const cut = Uint8Array.of(0x08, 0x07, 0x3a, 0x7f);
    await expect(readWeightsFile(write('x.onnx', cut))).rejects.toThrow(/not a usable ONNX file/);
  });
});

describe('ONNX values in files beside the model', () => {
  const external = (location: string, more: Record<string, string> = {}) => ({
    name: 'w',
    dims: [2],
    data_type: 1,
    data_location: 1,
    external_data: Object.entries({ location, ...more }).map(([key, value]) => ({ key, value })),
  });

  it('reads them by offset', async () => {
    const place = { offset: '4', length: '8' };
    const path = modelFile({ initializer: [external('data/w.bin', place)] });
    mkdirSync(join(dirname(path), 'data'));
    writeFileSync(join(dirname(path), 'data/w.bin'), bytes(Float32Array.of(0, 1, -2)));
    expect(await valuesOf(path)).toEqual({ w: [1, -2] });
  });

  it.each(['../w.bin', 'data/../../w.bin', '..\\w.bin', '/etc/hostname', ''])(
    'does not leave the folder of the model for "%s"',
    async (location) => {
      const path = modelFile({ initializer: [external(location)] });
      await expect(readWeightsFile(path)).rejects.toThrow(/outside of the model's folder/);
    },
  );

  it('names a file that is missing, or too short', async () => {
    const path = modelFile({ initializer: [external('w.bin')] });
    await expect(readWeightsFile(path)).rejects.toThrow(/there is no file .*w\.bin/);
    writeFileSync(join(dirname(path), 'w.bin'), new Uint8Array(7));
    await expect(readWeightsFile(path)).rejects.toThrow(/w\.bin.*cut off/);
  });
});
