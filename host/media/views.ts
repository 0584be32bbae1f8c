import type { Database } from 'better-sqlite3';
import sharp from 'sharp';
import { z } from 'zod';
import { CarryoverError } from '../../contract/errors.ts';
import type { Recipe, Shuffle } from '../../contract/study.ts';
import { architectureSchema } from '../../contract/architecture.ts';
import { recipeSchema } from '../../contract/study.ts';
import { evaluationInto, storedSize } from '../../engine/transforms/augment.ts';
import type { Channels } from '../../engine/transforms/colour.ts';
import { decodeContent, openImage, ownSize } from '../../engine/transforms/decode.ts';
import {
  shuffleIndex,
  shufflePermutation,
  shufflePlanar,
} from '../../engine/transforms/shuffle.ts';
import type { ImageRecord } from './original.ts';
import { unchangedOriginal } from './original.ts';

/** What happens to an image before a network sees it in evaluation, normalisation aside. */
export interface View {
  recipe: Recipe;
  /** Side of the square in pixels. */
  size: number;
  shuffle: Shuffle;
  seed: number;
  channels: Channels;
}

const runSpec = z.object({
  recipe: recipeSchema,
  architecture: architectureSchema,
  shuffle: z.union([z.enum(['none', 'pixel']), z.int().positive()]),
  seed: z.int(),
});

/** What a run sees of every image. Throws `not-found` when there is no such run. */
export function viewOfRun(db: Database, runId: string): View {
  const row = db
    .prepare<[string], { spec: string }>('SELECT spec_json AS spec FROM runs WHERE id = ?')
    .get(runId);
  if (row === undefined) {
    throw new CarryoverError('not-found', `there is no run ${runId}`, { value: runId });
  }
  const { recipe, architecture, shuffle, seed } = runSpec.parse(JSON.parse(row.spec));
  const { image: size, channels } = architecture;
  return { recipe, size, shuffle, seed, channels };
}

/**
 * An original through a view, as PNG. Throws what `unchangedOriginal`, `decodeContent` and
 * `shufflePermutation` throw (a block that does not divide the size, with the sizes that do).
 */
export async function viewPng(record: ImageRecord, view: View): Promise<Uint8Array<ArrayBuffer>> {
  const { size, shuffle, seed, channels } = view;
  const plan = shufflePermutation(shuffle, size, channels, seed);
  let planar = await planarUnits(record, view);
  if (plan !== null) {
    const shuffled = new Float32Array(planar.length);
    shufflePlanar(planar, shuffled, shuffleIndex(plan, size, channels));
    planar = shuffled;
  }
  const plane = size * size;
  const data = new Uint8Array(planar.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.round(255 * planar[(i % channels) * plane + Math.floor(i / channels)]!);
  }
  return sharp(data, { raw: { width: size, height: size, channels } })
    .png()
    .toBuffer();
}

/** The image as the trainer prepares it (channel, row, column), in [0, 1] for want of normalisation. */
async function planarUnits(
  record: ImageRecord,
  { recipe, size, channels }: View,
): Promise<Float32Array> {
  const stored = storedSize(recipe, size);
  const { content, place } = await unchangedOriginal(record);
  const decoded = await decodeContent(content, place, recipe, stored, channels);
  const planar = new Float32Array(size * size * channels);
  const plain: Recipe = { ...recipe, mean: [0, 0, 0], std: [1, 1, 1] };
  evaluationInto(decoded, stored, plain, size, planar, 0, channels);
  return planar;
}

/** An original at its own size, as PNG. Throws what `unchangedOriginal` and `ownSize` throw. */
export async function originalPng(record: ImageRecord): Promise<Uint8Array<ArrayBuffer>> {
  const { content, place } = await unchangedOriginal(record);
  const { data, width, height, channels } = await ownSize(await openImage(content, place), place);
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}
