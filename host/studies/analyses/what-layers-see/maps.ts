/** Grad-CAM of both networks and of their controls, on the images they disagree on. */
import { rankCorrelation } from '../../../../engine/analysis/rank-correlation.ts';
import { buildGradCam, mapsOf } from '../../../../engine/analysis/visual/graphs.ts';
import { oneHot } from '../../../../engine/analysis/visual/maximise.ts';
import { imagePicture, overlayPicture } from '../../../../engine/analysis/visual/pictures.ts';
import { VisualSession } from '../../../../engine/analysis/visual/session.ts';
import type { Lab } from '../lab.ts';
import { drawn } from './drawing.ts';
import type { Correlations, SeeJob, SeenMaps, Side } from './measured.ts';
import { SIDES } from './measured.ts';
import type { Role } from './networks.ts';
import { imagesAt, optionsFor, weightsOf } from './networks.ts';

const ROLES: readonly Role[] = ['result', 'start', 'redrawn'];

/** By side and role: [image, position]. */
type Maps = Record<Side, Record<Role, Float32Array>>;

export async function seeMaps(job: SeeJob, lab: Lab): Promise<SeenMaps> {
  const options = optionsFor(lab, job);
  const [, , side = 1] = mapsOf(options).get(job.layer) ?? [];
  const images = await imagesOf(job, lab);
  const maps = await allMaps(job, lab, images);
  const count = job.disagreements.length;
  const parts = (map: Float32Array) =>
    Array.from({ length: count }, (_, at) => map.subarray(at * side ** 2, (at + 1) * side ** 2));
  const compare = (x: Float32Array, y: Float32Array, shift = 0): Correlations => {
    const [own, other] = [parts(x), parts(y)];
    return own.map((map, at) => rankCorrelation(map, other[(at + shift) % count]!));
  };
  const controlsOf = (which: Side) => ({
    start: compare(maps[which].result, maps[which].start),
    redrawn: compare(maps[which].result, maps[which].redrawn),
  });
  const emptyOf = (which: Side) =>
    parts(maps[which].result).filter((map) => map.every((value) => value === 0)).length;
  return {
    side,
    controls: { a: controlsOf('a'), b: controlsOf('b') },
    between: compare(maps.a.result, maps.b.result),
    crossed: count > 1 ? compare(maps.a.result, maps.b.result, Math.floor(count / 2)) : [null],
    empty: { a: emptyOf('a'), b: emptyOf('b') },
    pictures: await picturesOf(job, lab, { images, maps, side }),
  };
}

async function imagesOf({ networks, disagreements }: SeeJob, lab: Lab): Promise<Float32Array> {
  const rows = [...new Set(disagreements.map(({ row }) => row))].sort((x, y) => x - y);
  const { run } = networks.a.result;
  const batches = await lab.batches({ run, split: 'test', only: rows });
  const at = new Map(rows.map((row, position) => [row, position]));
  return imagesAt(
    batches,
    disagreements.map(({ row }) => at.get(row)!),
  );
}

async function allMaps(job: SeeJob, lab: Lab, images: Float32Array): Promise<Maps> {
  const options = optionsFor(lab, job);
  const session = await VisualSession.create(buildGradCam(options, job.layer));
  const truths = job.disagreements.map(({ truth }) => truth);
  const given = { images, classes: oneHot(truths, options.classes) };
  const found: Maps = { a: {}, b: {} } as Maps;
  try {
    for (const [at, side] of SIDES.entries()) {
      for (const [nth, role] of ROLES.entries()) {
        lab.tell('Grad-CAM', at * ROLES.length + nth, SIDES.length * ROLES.length, 'networks');
        const placed = await session.place(await weightsOf(lab, job, side, role));
        const outputs = await session.run(placed, given, truths.length);
        found[side][role] = outputs.get('cam')!;
      }
    }
  } finally {
    await session.close();
  }
  return found;
}

interface Drawn {
  images: Float32Array;
  maps: Maps;
  side: number;
}

async function picturesOf(job: SeeJob, lab: Lab, { images, maps, side }: Drawn) {
  const { recipe, architecture } = lab.job(job.networks.a.result.run);
  const { image: size, channels } = architecture;
  const width = channels * size * size;
  const pictures: SeenMaps['pictures'] = [];
  for (const at of job.shown) {
    const pixels = images.subarray(at * width, (at + 1) * width);
    const image = imagePicture(pixels, size, channels, recipe);
    const overlay = (which: Side, role: Role): Promise<string> => {
      const map = maps[which][role].subarray(at * side * side, (at + 1) * side * side);
      return drawn(lab, `map-${at}-${which}-${role}`, overlayPicture(image, map, side));
    };
    const overlays = async (which: Side) => ({
      result: await overlay(which, 'result'),
      start: await overlay(which, 'start'),
      redrawn: await overlay(which, 'redrawn'),
    });
    pictures.push({
      at,
      image: await drawn(lab, `image-${at}`, image),
      maps: { a: await overlays('a'), b: await overlays('b') },
    });
  }
  return pictures;
}
