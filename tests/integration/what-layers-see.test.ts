import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import type { ArchitectureInput } from '../../contract/architecture.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import type { PicturesFigure } from '../../contract/figures.ts';
import type { StudyAnalysis } from '../../contract/study-analyses.ts';
import { recipeSchema } from '../../contract/study.ts';
import { buildModel, initialise } from '../../engine/models/registry.ts';
import { stream } from '../../engine/random/streams.ts';
import type { Batch } from '../../engine/runtime/batch.ts';
import { deepestFineMap } from '../../engine/analysis/visual/graphs.ts';
import type { ImagesRef, Lab } from '../../host/studies/analyses/lab.ts';
import { analysisFolder, getStudyAnalysis } from '../../host/studies/analyses/store.ts';
import { measure } from '../../host/studies/analyses/what-layers-see/measure.ts';
import type { SeeJob } from '../../host/studies/analyses/what-layers-see/measured.ts';
import type { Workbench } from '../../host/workbench.ts';
import { runStudy, shapesHome, shapesStudy } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

const CLASSES = 3;
const TRAIN = 12;

/** A laboratory with noise for images and drawn weights: `run@epoch` has its own. */
function noiseLab(given: ArchitectureInput) {
  const architecture = architectureSchema.parse(given);
  const { image, channels } = architecture;
  const options = { architecture, classes: CLASSES, batch: 4 };
  const { parameters } = buildModel({ ...options, mode: 'evaluation' });
  const pictures = new Map<string, number>();
  const rows = ({ split, only }: ImagesRef): number[] => [
    ...(only ?? Array.from({ length: split === 'train' ? TRAIN : 6 }, (_, row) => row)),
  ];
  const imageOf = (split: string, row: number): number[] => {
    const random = stream(row, split);
    return Array.from({ length: channels * image * image }, () => random.uniform(-1, 1));
  };
  const lab: Pick<
    Lab,
    'job' | 'options' | 'parameters' | 'weights' | 'rows' | 'batches' | 'memo' | 'tell' | 'picture'
  > = {
    job: () => ({ recipe: recipeSchema.parse({}), architecture }) as ReturnType<Lab['job']>,
    options: () => options,
    parameters: () => parameters,
    weights: ({ run, epoch }) => {
      // BatchNorm and Fixup start with branches that give nothing: as if trained, all is moved.
      const random = stream(epoch, run, 'moved');
      const drawn = [...initialise(parameters, run === 'a' ? 1 : 2)];
      const moved = drawn.map(([name, values]) => {
        const by = name.endsWith('running_var') ? 0 : 0.02;
        return [name, values.map((value) => value + by * random.normal())] as const;
      });
      return Promise.resolve(new Map(moved));
    },
    rows,
    batches: (images) => {
      const all = rows(images).map((row) => Float32Array.from(imageOf(images.split, row)));
      const batches = all.map((one): Batch => ({ images: one, labels: Int32Array.of(0), size: 1 }));
      return Promise.resolve(batches);
    },
    memo: (_, compute) => compute(),
    tell: () => undefined,
    picture: (name, pixels, { width, height, channels: depth }) => {
      expect(pixels).toHaveLength(width * height * depth);
      expect(pictures.has(name), `${name} is drawn once`).toBe(false);
      pictures.set(name, new Set(pixels).size);
      return Promise.resolve(`${name}.png`);
    },
  };
  return { lab: lab as Lab, options, pictures };
}

const NETWORKS: ArchitectureInput[] = [
  { name: 'fixup-resnet10', width: 4, image: 32 },
  { name: 'fixup-resnet50', width: 4, image: 32, stem: 'imagenet' },
  { name: 'resnet18', width: 4, image: 32, stem: 'small' },
  { name: 'resnet50', width: 4, image: 32, channels: 1 },
  { name: 'mobilenetv2', width: 8, image: 32 },
  { name: 'densenet121', width: 8, image: 32 },
  { name: 'convnet', width: 4, image: 32 },
];

describe.each(NETWORKS)('$name at $image px', (architecture) => {
  const { lab, options, pictures } = noiseLab(architecture);
  const job: SeeJob = {
    networks: {
      // The start of `a` is its result: nothing was learnt.
      a: { result: { run: 'a', epoch: 1 }, start: { run: 'a', epoch: 1 } },
      b: { result: { run: 'b', epoch: 1 }, start: { run: 'b', epoch: 0 } },
    },
    layer: deepestFineMap(options),
    disagreements: [1, 3, 4].map((row) => ({
      ...{ row, truth: row % CLASSES, right: row === 1 ? 'a' : 'b', said: { a: 0, b: 1 } },
      confidence: { a: 0.6, b: 0.4 },
    })),
    shown: [2, 0],
    channels: 2,
  };

  test('every map has its controls; with the same weights they are the same', async () => {
    const { maps, filters, channels, searched } = await measure(job, lab);
    expect(searched).toBe(TRAIN);
    for (const rho of maps!.controls.a.start) if (rho !== null) expect(rho).toBeCloseTo(1, 12);
    const others = [...maps!.controls.a.redrawn, ...maps!.controls.b.start, ...maps!.between];
    const defined = others.filter((rho) => rho !== null);
    expect(defined.length).toBeGreaterThan(0);
    for (const rho of defined) expect(Math.abs(rho)).toBeLessThan(1);
    filters.cosines.a.forEach((cosine) => expect(cosine).toBeCloseTo(1, 6));
    expect(filters.cosines.b).toHaveLength(filters.count);
    filters.cosines.b.forEach((cosine) => expect(Math.abs(cosine)).toBeLessThan(1));

    const shown = maps!.pictures.flatMap(({ image, maps: files }) => [
      image,
      ...Object.values(files).flatMap((each) => Object.values(each)),
    ]);
    expect(maps!.pictures.map(({ at }) => at)).toEqual([2, 0]);
    const all = [...channels.a, ...channels.b];
    expect(all.length).toBeGreaterThan(0);
    const ofChannels = all.flatMap(({ maximised, images }) => [
      ...Object.values(maximised),
      ...images.flatMap(({ signal }) => Object.values(signal)),
    ]);
    const ofFilters = Object.values(filters.pictures).flatMap((each) => Object.values(each));
    const named = [...shown, ...ofChannels, ...ofFilters].map((file) => file.replace('.png', ''));
    expect(named.sort()).toEqual([...pictures.keys()].sort());
    for (const { images } of all) {
      expect(images).toHaveLength(3);
      const values = images.map(({ value }) => value);
      expect(values).toEqual(values.toSorted((x, y) => y - x));
      expect(Math.min(...images.map(({ row }) => row))).toBeGreaterThanOrEqual(0);
      expect(Math.max(...images.map(({ row }) => row))).toBeLessThan(TRAIN);
    }
    for (const file of ofFilters) expect(pictures.get(file.replace('.png', ''))).toBeGreaterThan(2);
  });
});

/** Of a study whose random arm stays what it is, so that the two are sure to disagree. */
const DISAGREEING = shapesStudy({ epochs: 10, seeds: [0] })
  .replace('image: 16', 'image: 32')
  .replace('init: random', 'init: random, training: { epochs: 1, lr: { peak: 0.000001 } }');

test('a study shows what its layers see: pictures that lead to images, numbers with intervals', async () => {
  const { workbench } = await shapesHome(12);
  const asked = 'analyses: [{ what-layers-see: { images: 4, channels: 1 } }]\n';
  const study = await runStudy(workbench, DISAGREEING + asked);
  const [state] = study.results!.analyses;
  expect(state).toMatchObject({ name: 'what-layers-see', failure: null });
  const analysis = getStudyAnalysis(workbench.context.db, state!.id!);
  const [a, b] = analysis.runIds as [string, string];
  const pair = await workbench.handlers['compare.pair']({ a, b, split: 'test' });
  expect(pair.agreement.uncommonMistakes).toBeGreaterThan(0);
  expect(analysis.tables[0]!.rows).toHaveLength(pair.agreement.uncommonMistakes);
  expectQuantities(analysis);
  await expectPictures(workbench, analysis);
});

function expectQuantities({ quantities }: StudyAnalysis): void {
  const keys = quantities.map(({ key }) => key.replace('what-layers-see.', ''));
  expect(new Set(keys)).toEqual(
    new Set([
      ...['grad-cam.P-T/RI-T', 'grad-cam.P-T/RI-T of another image'],
      'grad-cam.difference.P-T/RI-T minus P-T/RI-T of another image',
      ...['grad-cam.P-T/start', 'grad-cam.P-T/redrawn'],
      ...['grad-cam.RI-T/start', 'grad-cam.RI-T/redrawn'],
      ...['deconvnet.P-T/redrawn', 'deconvnet.RI-T/redrawn'],
      ...['filters.P-T/start', 'filters.RI-T/start'],
    ]),
  );
  expect(keys).toHaveLength(11);
  for (const { value, interval } of quantities) {
    if (value === null || interval === null) continue;
    expect(interval[0]).toBeLessThanOrEqual(value);
    expect(interval[1]).toBeGreaterThanOrEqual(value);
  }
}

async function expectPictures({ context }: Workbench, analysis: StudyAnalysis): Promise<void> {
  const figures = analysis.figures.filter(
    (figure): figure is PicturesFigure => figure.kind === 'pictures',
  );
  expect(figures.map(({ id }) => id)).toEqual(expect.arrayContaining(['grad-cam', 'filters']));
  const known = context.db.prepare('SELECT id FROM images').pluck().all();
  const pictures = figures.flatMap(({ groups }) => groups.flatMap((each) => each.pictures));
  for (const { link } of pictures) expect(link).toMatch(/^#\/(compare|data|studies)/);
  for (const { imageId } of pictures) if (imageId !== undefined) expect(known).toContain(imageId);
  for (const file of pictures.flatMap((picture) => picture.file ?? [])) {
    const bytes = readFileSync(join(analysisFolder(context.home, analysis.id), file));
    expect((await sharp(bytes).metadata()).width).toBeGreaterThanOrEqual(100);
  }
}

test('a layer that the network lacks is told of, with those it has', async () => {
  const { workbench } = await shapesHome(6);
  const yaml = shapesStudy({ epochs: 1, seeds: [0] });
  const study = await runStudy(
    workbench,
    `${yaml}analyses: [{ what-layers-see: { layer: layer9 } }]\n`,
  );
  expect(study.results?.analyses[0]).toMatchObject({
    id: null,
    failure: {
      message: 'fixup-resnet10 has no layer "layer9" with positions',
      detail: { wayOut: 'take one of stem, layer1.0, layer2.0, layer3.0, layer4.0' },
    },
  });
});
