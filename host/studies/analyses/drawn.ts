/** Analyses as the window shows them. */
import { readFile } from 'node:fs/promises';
import { FIGURE_STYLE, LIGHT_COLOURS } from '../../../contract/figure-style.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import type { Figure } from '../../../contract/figures.ts';
import type { DrawnAnalysis } from '../../../contract/study-analyses.ts';
import type { HostContext } from '../../context.ts';
import { resolveUnder } from '../../media/under.ts';
import { drawFigure, withoutLinks } from '../figures/draw.ts';
import { analysisFolder, getStudyAnalysis } from './store.ts';

/** An analysis with its figures as markup whose pictures come from this host. Throws `not-found`. */
export function drawnAnalysis({ db }: Pick<HostContext, 'db'>, id: string): DrawnAnalysis {
  const analysis = getStudyAnalysis(db, id);
  const drawn = analysis.figures.map((figure) => {
    const { text } = drawFigure(figure, ({ imageId, file }) =>
      file === undefined
        ? `/media/images/${imageId}?w=128`
        : `/media/analyses/${id}/${encodeURIComponent(file)}`,
    );
    return text;
  });
  return { ...analysis, drawn };
}

/** A picture of an analysis, or `<figure>.svg`. Throws `not-found`. */
export async function analysisFile(
  { db, home }: Pick<HostContext, 'db' | 'home'>,
  id: string,
  file: string,
): Promise<{ data: Uint8Array<ArrayBuffer>; type: string }> {
  const { figures } = getStudyAnalysis(db, id);
  const figure = figures.find((each) => `${each.id}.svg` === file);
  if (figure && figure.kind !== 'pictures') {
    return { data: new TextEncoder().encode(standalone(figure)), type: 'image/svg+xml' };
  }
  const path = await resolveUnder(analysisFolder(home, id), file);
  const data = path && file.endsWith('.png') ? await readFile(path) : null;
  if (data) return { data: Uint8Array.from(data), type: 'image/png' };
  throw new CarryoverError('not-found', `the analysis ${id} has no ${file}`, { value: file });
}

/** A figure that brings its own style, on white. */
export function standalone(figure: Figure): string {
  const { text } = drawFigure(withoutLinks(figure), () => null);
  const style = `<style>${LIGHT_COLOURS}${FIGURE_STYLE}svg{background:#ffffff}</style>`;
  return text.replace('>', `>${style}`);
}
