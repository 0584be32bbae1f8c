/** Pictures of analyses as parts of a report: data addresses. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from '../../../contract/figures.ts';
import type { StudyAnalysis } from '../../../contract/study-analyses.ts';
import type { HostContext } from '../../context.ts';
import type { Pictures } from '../../media/pictures.ts';
import { createPictures } from '../../media/pictures.ts';
import { analysisFolder, picturesOf } from '../analyses/store.ts';
import type { Sources } from '../figures/pictures.ts';
import { pictureAddress } from './wall.ts';

/** Ids of the data set's images that figures show. */
export function imagesOfFigures(figures: readonly Figure[]): number[] {
  return [...new Set(picturesOf(figures).flatMap(({ imageId }) => imageId ?? []))];
}

/** Loads the pictures of analyses; aborts with the signal's reason. */
export async function figureSources(
  context: HostContext,
  analyses: readonly StudyAnalysis[],
  signal: AbortSignal,
): Promise<(analysis: StudyAnalysis) => Sources> {
  const pictures = createPictures(context);
  const byAnalysis = new Map<string, Map<string, string | null>>();
  for (const { id, figures } of analyses) {
    const known = new Map<string, string | null>();
    for (const { imageId, file } of picturesOf(figures)) {
      signal.throwIfAborted();
      const key = file ?? String(imageId);
      if (!known.has(key)) known.set(key, await addressOf(context, pictures, id, imageId, file));
    }
    byAnalysis.set(id, known);
  }
  return ({ id }) =>
    ({ imageId, file }) =>
      byAnalysis.get(id)?.get(file ?? String(imageId)) ?? null;
}

async function addressOf(
  { home }: HostContext,
  pictures: Pictures,
  analysis: string,
  imageId: number | undefined,
  file: string | undefined,
): Promise<string | null> {
  if (file !== undefined) {
    const bytes = await readFile(join(analysisFolder(home, analysis), file)).catch(() => null);
    return bytes && `data:image/png;base64,${bytes.toString('base64')}`;
  }
  return imageId === undefined
    ? null
    : pictureAddress(pictures, imageId, 'thumbnail', { w: '128' });
}
