import type { Figure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { drawBars } from './bars.ts';
import { drawHeatmap } from './heatmap.ts';
import { drawIntervals } from './intervals.ts';
import { drawLines } from './lines.ts';
import { drawPictures, type Sources } from './pictures.ts';
import { drawScatter } from './scatter.ts';

/** A figure as markup: SVG, or a wall of pictures. Colours come from the style of the page. */
export function drawFigure(figure: Figure, sources: Sources): Html {
  switch (figure.kind) {
    case 'bars':
      return drawBars(figure);
    case 'lines':
      return drawLines(figure);
    case 'heatmap':
      return drawHeatmap(figure);
    case 'scatter':
      return drawScatter(figure);
    case 'intervals':
      return drawIntervals(figure);
    case 'pictures':
      return drawPictures(figure, sources);
  }
}

/** A figure whose marks lead nowhere, for pages outside the window. */
export function withoutLinks<T>(figure: T): T {
  const text = JSON.stringify(figure, (key, value: unknown) =>
    key === 'link' || key === 'links' ? undefined : value,
  );
  return JSON.parse(text) as T;
}
