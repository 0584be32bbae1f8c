import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import { memoryBytes } from '../../engine/formats/bytes.ts';
import { encodeSafetensors, readSafetensors } from '../../engine/formats/safetensors.ts';
import { METADATA_KEYS } from '../../engine/formats/told.ts';
import { readWeightsFile } from '../../engine/formats/weights.ts';
import { expected, expectTensors, reference, temporaryFiles } from './formats-support.ts';

const write = temporaryFiles();

function bytesOf(header: string | object, body = 0, length?: number | bigint): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(length ?? json.length));
  return Buffer.concat([size, json, Buffer.alloc(body)]);
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('safetensors of other programs', () => {
  it('reads every type as float32, and the metadata', async () => {
    const weights = await readWeightsFile(reference('all.safetensors'));
    expectTensors(weights, expected['all.safetensors']!);
    expect(weights.metadata).toEqual({ format: 'pt', täg: 'ü' });
    expect(weights.format).toBe('safetensors');
  });

  it('lists a file of 2.5 GB by its header, and reads one tensor of it', async () => {
    const path = write('large.safetensors', '');
    const size = 2.5 * 2 ** 30;
    const header = bytesOf({ large: entry(0, size - 8), last: entry(size - 8, size) });
    const file = openSync(path, 'r+');
    writeSync(file, header);
    ftruncateSync(file, header.length + size); // sparse
    writeSync(file, Buffer.from(Float32Array.of(1, 2).buffer), 0, 8, header.length + size - 8);
    closeSync(file);
    const { tensors } = await readWeightsFile(path);
    expect(tensors.get('large')?.shape).toEqual([size / 4 - 2]);
    expect(tensors.get('last')?.read()).toEqual(Float32Array.of(1, 2));
  });

  it.each<[string, Buffer, RegExp]>([
    ['a header beyond 100,000,000 bytes', bytesOf('{}', 0, 100_000_001), /too long/],
    ['a header longer than the file', bytesOf('{}', 0, 3), /cut off/],
    ['a header that is no JSON', bytesOf('{"a"}'), /not a JSON object/],
    ['a header that does not begin with {', bytesOf(' {}'), /begin with/],
    ['a header that is not UTF-8', bytesOf('{"\xff":1}').fill(0xff, 10, 12), /not a JSON object/],
    ['a name twice', bytesOf('{"a\\u0062":{},"ab" :{}}'), /names "ab" twice/],
    ['a hole', bytesOf({ a: entry(0, 4), b: entry(8, 12) }, 12), /hole before tensor "b"/],
    ['an overlap', bytesOf({ a: entry(0, 8), b: entry(4, 12) }, 12), /overlap with tensor "b"/],
    ['bytes left over', bytesOf({ a: entry(0, 4) }, 8), /take 4 bytes, but the data has 8/],
    ['a shape of another size', bytesOf({ a: entry(0, 8, [3]) }, 8), /"a" does not fit its place/],
    ['a place that ends before it begins', bytesOf({ a: entry(8, 0, [2]) }, 8), /does not fit/],
    ['a negative size', bytesOf({ a: entry(0, 4, [-1, -1]) }, 4), /entry of tensor "a"/],
    ['a size beyond counting', bytesOf({ a: entry(0, 4, [2 ** 40, 2 ** 40]) }, 4), /"a"/],
    ['an unknown type', bytesOf({ a: entry(0, 4, [1], 'constructor') }, 4), /not known/],
    ['metadata that is no text', bytesOf({ __metadata__: { a: 1 } }), /map of texts/],
  ])('refuses %s', (_, bytes, message) => {
    const read = () => readSafetensors(memoryBytes(bytes, 'x.safetensors'));
    expect(read).toThrow(CarryoverError);
    expect(read).toThrow(message);
  });

  it('lists 8-bit floats, and says why it cannot read them', () => {
    const bytes = bytesOf({ a: entry(0, 4, [4], 'F8_E4M3') }, 4);
    const { tensors } = readSafetensors(memoryBytes(bytes, 'x.safetensors'));
    expect(tensors.get('a')).toMatchObject({ shape: [4], dtype: 'F8_E4M3' });
    expect(() => tensors.get('a')?.read()).toThrow(/8-bit floats/);
  });

  it('takes a nested name for no duplicate', () => {
    const bytes = bytesOf(`{"shape":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   `, 4);
    expect([...readSafetensors(memoryBytes(bytes, 'x')).tensors.keys()]).toEqual(['shape']);
  });
});

describe('what is told beside the tensors', () => {
  const tensors = new Map([['w', { shape: [1], data: Float32Array.of(1) }]]);
  const config = {
    architecture: 'resnet18',
    label_names: ['cat', 'dog'],
    pretrained_cfg: {
      tag: 'a1_in1k',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      input_size: [3, 224, 224],
      crop_pct: 0.95,
      interpolation: 'bicubic',
    },
  };

  it("hears timm's config.json", async () => {
    const path = write('model.safetensors', encodeSafetensors({ tensors, metadata: {} }));
    write('config.json', JSON.stringify(config));
    const weights = await readWeightsFile(path);
    expect(weights.preprocessing).toEqual({
      size: 224,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      interpolation: 'bicubic',
      crop: 0.95,
    });
    expect(weights.classNames).toEqual(['cat', 'dog']);
    expect(weights.metadata).toEqual({ 'timm.architecture': 'resnet18', 'timm.tag': 'a1_in1k' });
  });

  it.each(['{"hidden_size": 3}', '{', '[]'])(
    "does without another program's config: %s",
    async (other) => {
      const path = write('model.safetensors', encodeSafetensors({ tensors, metadata: {} }));
      write('config.json', other);
      const weights = await readWeightsFile(path);
      expect(weights.metadata).toEqual({});
      expect(Object.values(weights.preprocessing)).toEqual([null, null, null, null, null]);
    },
  );

  it('believes the file before the config, and grey means for all channels', async () => {
    const own = { size: 64, mean: null, std: null, interpolation: 'bilinear', crop: null };
    const metadata = {
      [METADATA_KEYS.preprocessing]: JSON.stringify(own),
      [METADATA_KEYS.classes]: '["a"]',
    };
    const path = write('model.safetensors', encodeSafetensors({ tensors, metadata }));
    const grey = { ...config.pretrained_cfg, mean: [0.5], std: [0.25] };
    write('config.json', JSON.stringify({ ...config, pretrained_cfg: grey }));
    const weights = await readWeightsFile(path);
    expect(weights.preprocessing).toEqual({
      size: 64,
      mean: [0.5, 0.5, 0.5],
      std: [0.25, 0.25, 0.25],
      interpolation: 'bilinear',
      crop: 0.95,
    });
    expect(weights.classNames).toEqual(['a']);
  });

  it('warns of metadata of ours that it does not understand', async () => {
    const metadata = { [METADATA_KEYS.preprocessing]: '{"size": "big"}' };
    const path = write('model.safetensors', encodeSafetensors({ tensors, metadata }));
    const { preprocessing, warnings } = await readWeightsFile(path);
    expect(preprocessing.size).toBeNull();
    expect(warnings.join()).toContain(METADATA_KEYS.preprocessing);
  });

  it('leaves out values that cannot be used, and says which they were', async () => {
    const own = { size: -3, mean: [0.5, 0.5], std: [0, 0, 0], interpolation: null, crop: 0 };
    const metadata = { [METADATA_KEYS.preprocessing]: JSON.stringify({ ...own, crop: 0.9 }) };
    const path = write('model.safetensors', encodeSafetensors({ tensors, metadata }));
    const alone = await readWeightsFile(path);
    expect(alone.preprocessing).toEqual({
      ...{ size: null, mean: null, std: null, interpolation: null, crop: 0.9 },
    });
    expect(alone.warnings).toHaveLength(3);
    expect(alone.warnings.join()).toMatch(/size -3.*mean \[0\.5,0\.5\].*std \[0,0,0\]/);

    const timm = { mean: [0.5, 'x', 0.5], std: [0], input_size: [3, 0, 0], crop_pct: 2 };
    const pretrained_cfg = { ...timm, interpolation: 'lanczos' };
    write('config.json', JSON.stringify({ pretrained_cfg }));
    const beside = await readWeightsFile(path);
    expect(beside.preprocessing).toEqual(alone.preprocessing);
    expect(beside.warnings.slice(3).join()).toMatch(
      /size 0.*mean \[0\.5,"x",0\.5\].*std \[0,0,0\].*interpolation "lanczos".*crop 2/,
    );
  });
});
