import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import type { ArchitectureInput } from '../../contract/architecture.ts';
import type { RequestBody } from '../../contract/api.ts';
import { encodeNpy, readNpy } from '../../engine/formats/npy.ts';
import { encodeSafetensors } from '../../engine/formats/safetensors.ts';
import type { Tensor } from '../../engine/formats/safetensors.ts';
import { exportWeights } from '../../host/checkpoints/export.ts';
import { fileLogits } from '../../host/checkpoints/logits.ts';
import type { Workbench } from '../../host/workbench.ts';
import { temporaryFolder } from './datasets-folder.ts';
import { drawnImages, drawnWeights } from './drawn-weights.ts';
import { openHome, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

const SIDE = 32;
const NETS: ArchitectureInput[] = [
  { name: 'convnet', image: SIDE, width: 8 },
  { name: 'resnet18', image: SIDE, width: 8, stem: 'small', channels: 1 },
  { name: 'mobilenetv2', image: SIDE, dialect: 'keras' },
  { name: 'fixup-resnet10', image: SIDE, width: 8 },
];

function write(file: string, tensors: Iterable<[string, Tensor]>, metadata = {}): string {
  writeFileSync(file, encodeSafetensors({ tensors: new Map(tensors), metadata }));
  return file;
}

/** A home and a file with a small network for five classes. */
function smallHome() {
  const folder = temporaryFolder();
  const tensors = drawnWeights(NETS[0]!, 5);
  const file = write(join(folder, 'small.safetensors'), tensors);
  return { folder, file, tensors, workbench: openHome(join(folder, 'home')) };
}

type Asked = Partial<RequestBody<'checkpoints.import'>> & { path: string };
const bring = ({ handlers }: Workbench, asked: Asked) =>
  handlers['checkpoints.import']({ name: 'small', loose: false, ...asked });

const filesIn = ({ context }: Workbench) => readdirSync(context.home.checkpoints);

async function logitsOf(folder: string, file: string, images: Float32Array, channels: number) {
  const [input, out] = [join(folder, 'x.npy'), join(folder, 'y.npy')];
  const count = images.length / (channels * SIDE * SIDE);
  writeFileSync(input, encodeNpy({ shape: [count, channels, SIDE, SIDE], data: images }));
  await fileLogits({ file, input, out });
  return readNpy(out).data;
}

describe('import', () => {
  test('keeps the weights under our names, with what the file and the user say', async () => {
    const { file, tensors, workbench } = smallHome();
    const preprocessing = { size: 40, mean: [0.5, 0.4, 0.3] as [number, number, number] };
    const made = await bring(workbench, { path: file, preprocessing, licence: ' CC0-1.0 ' });
    expect(made).toMatchObject({
      name: 'small',
      source: file,
      format: 'safetensors',
      architecture: { name: 'convnet', width: 8, channels: 3, image: 40 },
      classes: 5,
      classNames: null,
      licence: 'CC0-1.0',
      preprocessing: { size: 40, mean: [0.5, 0.4, 0.3], std: null },
      studies: [],
      report: { match: { strict: true } },
    });
    const trained = [...tensors].filter(([name]) => !name.includes('running_'));
    const count = trained.reduce((sum, [, { data }]) => sum + data.length, 0);
    expect(made.parameters).toBe(count);
    const bytes = readFileSync(join(workbench.context.home.checkpoints, `${made.id}.safetensors`));
    expect(made.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    const original = createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(made.report.sha256).toBe(original);
    expect(await workbench.handlers['checkpoints.list']({})).toMatchObject([{ id: made.id }]);
    expect(await workbench.handlers['checkpoints.get']({ id: 'small' })).toEqual(made);
  });

  test('the same weights again are a conflict that names them, in whatever file they come', async () => {
    const { folder, file, tensors, workbench } = smallHome();
    await bring(workbench, { path: file });
    const wrapped = [...tensors].map(
      ([name, each]) => [`module.${name}`, each] as [string, Tensor],
    );
    const again = write(join(folder, 'wrapped.safetensors'), wrapped);
    for (const path of [file, again]) {
      await expect(bring(workbench, { path, name: 'other' })).rejects.toMatchObject({
        code: 'conflict',
        message: 'these weights were imported before as "small"',
        detail: { file: path, value: 'small' },
      });
    }
    await expect(bring(workbench, { path: again })).rejects.toMatchObject({
      message: 'there is a checkpoint "small" already',
    });
    expect(filesIn(workbench)).toHaveLength(1);
  });

  test.each(['thin@last', ' ', '../up', 'a/b', '-x'])('the name "%s" is refused', async (name) => {
    const { file, workbench } = smallHome();
    await expect(bring(workbench, { path: file, name })).rejects.toMatchObject({
      code: 'bad-input',
    });
    expect(filesIn(workbench)).toEqual([]);
  });

  test('is strict, and loose on request; what is missing is not in the file', async () => {
    const { folder, tensors, workbench } = smallHome();
    const [gone] = [...tensors.keys()].filter((name) => name.startsWith('block2.conv'));
    const rest = [...tensors].filter(([name]) => name !== gone);
    const more: [string, Tensor] = ['optimiser.step', { shape: [1], data: Float32Array.of(1) }];
    const path = write(join(folder, 'odd.safetensors'), [...rest, more]);
    await expect(bring(workbench, { path })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(`1 missing (${gone}), 1 unexpected (optimiser.step)`),
      detail: { file: path, wayOut: expect.stringContaining('--loose') },
    });
    expect(await workbench.handlers['checkpoints.list']({})).toEqual([]);
    const made = await bring(workbench, { path, loose: true });
    expect(made.report.match).toMatchObject({ strict: false, missing: [{ name: gone }] });
    await expect(exportWeights(workbench.context, 'small', 'onnx')).rejects.toMatchObject({
      code: 'bad-input',
      message: `no ONNX graph of convnet can be made: the weights lack the tensor ${gone}`,
      detail: { value: gone, wayOut: expect.stringContaining('as safetensors') },
    });
    const { data } = await exportWeights(workbench.context, 'small', 'safetensors');
    expect(Buffer.from(data).includes('optimiser.step')).toBe(false);
  });

  test('refuses numbers that are none, and names of architectures that there are not', async () => {
    const { folder, file, tensors, workbench } = smallHome();
    const [first] = tensors.values();
    first!.data[3] = NaN;
    const path = write(join(folder, 'nan.safetensors'), tensors);
    const refusal = {
      code: 'bad-input',
      message: `${path}: "block1.conv.weight" holds NaN at 3`,
    };
    for (const loose of [false, true]) {
      await expect(bring(workbench, { path, loose })).rejects.toMatchObject(refusal);
    }
    const report = await workbench.handlers['checkpoints.inspect']({ path });
    expect(report.unusable).toBe('"block1.conv.weight" holds NaN at 3');
    expect(report.match).toMatchObject({ strict: false, missing: [], wrongShape: [] });
    const images = drawnImages(1, 3, SIDE);
    await expect(logitsOf(folder, path, images, 3)).rejects.toMatchObject(refusal);
    expect(readdirSync(folder)).not.toContain('y.npy');
    const architecture = 'resnet900';
    await expect(bring(workbench, { path: file, architecture })).rejects.toMatchObject({
      code: 'bad-input',
      detail: { value: architecture, wayOut: expect.stringContaining('resnet18') },
    });
    expect(filesIn(workbench)).toEqual([]);
  });

  test('a folder stands for the model.json in it', async () => {
    const { folder, workbench } = smallHome();
    const file = join(folder, 'model.json');
    writeFileSync(file, '{"format": "layers-model", "weightsManifest": []}');
    expect(await workbench.handlers['checkpoints.inspect']({ path: folder })).toMatchObject({
      file,
      format: 'tfjs-layers',
      sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
    });
  });

  test('class names are taken where there is one for each class', async () => {
    const { folder, tensors, workbench } = smallHome();
    for (const [name, names, kept] of [
      ['five', ['a', 'b', 'c', 'd', 'e'], ['a', 'b', 'c', 'd', 'e']],
      ['four', ['a', 'b', 'c', 'd'], null],
    ] as const) {
      const metadata = { 'carryover.classes': JSON.stringify(names) };
      const path = write(join(folder, `${name}.safetensors`), tensors, metadata);
      expect((await bring(workbench, { path, name })).classNames).toEqual(kept);
      await workbench.handlers['checkpoints.remove']({ id: name });
    }
  });
});

describe('export and back', () => {
  test.each(NETS)('$name gives the same logits, in safetensors and in ONNX', async (net) => {
    const folder = temporaryFolder();
    const workbench = openHome(join(folder, 'home'));
    const { channels = 3 } = net;
    const images = drawnImages(3, channels, SIDE);
    const metadata = {
      'carryover.architecture': JSON.stringify(net),
      'carryover.classes': '["ape","bee","cat","dog","eel"]',
    };
    const path = write(join(folder, 'net.safetensors'), drawnWeights(net, 5), metadata);
    const size = { size: SIDE, std: [0.2, 0.3, 0.4] as [number, number, number] };
    const made = await bring(workbench, { path, preprocessing: size });
    const logits = await logitsOf(folder, path, images, channels);
    expect(Math.max(...logits.map(Math.abs))).toBeGreaterThan(0.01);

    for (const format of ['safetensors', 'onnx'] as const) {
      const { name, data } = await exportWeights(workbench.context, made.id, format);
      expect(name).toBe(`small.${format}`);
      const file = join(folder, name);
      writeFileSync(file, data);
      expect(await logitsOf(folder, file, images, channels), format).toEqual(logits);
      const { report } = {
        report: await workbench.handlers['checkpoints.inspect']({ path: file }),
      };
      expect(report).toMatchObject({
        classNames: ['ape', 'bee', 'cat', 'dog', 'eel'],
        preprocessing: made.preprocessing,
        match: { strict: true, architecture: made.architecture },
      });
    }

    const session = await ort.InferenceSession.create(join(folder, 'small.onnx'));
    const fed = new ort.Tensor('float32', images, [3, channels, SIDE, SIDE]);
    const answer = (await session.run({ images: fed }))['logits'];
    await session.release();
    expect(answer?.dims).toEqual([3, 5]);
    [...(answer?.data as Float32Array)].forEach((value, i) =>
      expect(value).toBeCloseTo(logits[i]!, 4),
    );
  });
});

test('an ONNX graph is for the side that is asked for, else the weights’, else 224', async () => {
  const { folder, file, workbench } = smallHome();
  const exported = async (size?: number) => {
    const { data, side } = await exportWeights(workbench.context, 'small', 'onnx', size);
    const path = join(folder, 'out.onnx');
    writeFileSync(path, data);
    const { preprocessing } = await workbench.handlers['checkpoints.inspect']({ path });
    expect(preprocessing.size).toBe(side?.pixels);
    return side;
  };
  await bring(workbench, { path: file });
  expect(await exported()).toEqual({ pixels: 224, from: 'default' });
  expect(await exported(48)).toEqual({ pixels: 48, from: 'request' });
  for (const [format, size] of [
    ['onnx', 8],
    ['safetensors', 48],
  ] as const) {
    await expect(exportWeights(workbench.context, 'small', format, size)).rejects.toMatchObject({
      code: 'bad-input',
      detail: { value: String(size), wayOut: expect.stringContaining('from 16 to 1024') },
    });
  }
  await workbench.handlers['checkpoints.remove']({ id: 'small' });
  await bring(workbench, { path: file, preprocessing: { size: 96 } });
  expect(await exported()).toEqual({ pixels: 96, from: 'weights' });
});

describe('in use', () => {
  test('a checkpoint that a study starts from stays; a run’s weights are exported', async () => {
    const { workbench, home } = await shapesHome(6);
    const net: ArchitectureInput = { name: 'fixup-resnet10', width: 4, image: 16 };
    const path = write(join(home, '..', 'start.safetensors'), drawnWeights(net, 9));
    const made = await bring(workbench, { path, name: 'my start' });
    const yaml = shapesStudy({ epochs: 1, seeds: [0] })
      .replace('thin@last', 'my start')
      .replace(/pretraining:\n.*\n/, '');
    const study = await runStudy(workbench, yaml);
    expect((await workbench.handlers['checkpoints.get']({ id: made.id })).studies).toEqual([
      { id: study.id, name: 'shapes' },
    ]);
    const remove = () => workbench.handlers['checkpoints.remove']({ id: 'my start' });
    await expect(remove()).rejects.toMatchObject({
      code: 'conflict',
      message: 'the checkpoint "my start" is used by the study "shapes"',
    });
    const run = study.plan.runs.find(({ arm }) => arm === 'P-T')!.id;
    const { name, data } = await exportWeights(workbench.context, run, 'safetensors');
    expect(name).toBe(`${run}.safetensors`);
    const file = join(home, '..', name);
    writeFileSync(file, data);
    for (const path of [file, join(home, 'runs', run, 'weights-0001.safetensors')]) {
      expect(await workbench.handlers['checkpoints.inspect']({ path })).toMatchObject({
        classNames: ['box', 'cross', 'disc'],
        preprocessing: { size: 16, mean: [0.5, 0.5, 0.5], interpolation: 'bilinear' },
        match: { strict: true, classes: 3, architecture: { image: 16 } },
      });
    }
    const trained = join(home, 'runs', run, 'weights-0001.safetensors');
    expect(await bring(workbench, { path: trained, name: 'trained' })).toMatchObject({
      architecture: { name: 'fixup-resnet10', width: 4, image: 16 },
      preprocessing: { size: 16 },
    });

    await workbench.handlers['studies.remove']({ id: study.id });
    await expect(remove()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`is used by the run ${run}`),
    });
  });

  test('a checkpoint that nothing uses goes with its file; the original stays', async () => {
    const { file, workbench } = smallHome();
    await bring(workbench, { path: file });
    await workbench.handlers['checkpoints.remove']({ id: 'small' });
    expect(filesIn(workbench)).toEqual([]);
    expect(readFileSync(file).length).toBeGreaterThan(0);
    const get = async () => workbench.handlers['checkpoints.get']({ id: 'small' });
    await expect(get()).rejects.toMatchObject({ code: 'not-found' });
    await bring(workbench, { path: file });
    expect(filesIn(workbench)).toHaveLength(1);
  });
});
