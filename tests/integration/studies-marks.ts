import type { Figure } from '../../contract/figures.ts';

/**
 * The marks of figures that lead nowhere, as `figure: mark`. What was not made by runs or images has
 * no address: the paper's curves, `calibrated`, random pairings, pictures that an analysis made.
 */
export function deadMarks(figures: readonly Figure[]): string[] {
  return figures.flatMap((figure) => marksOf(figure).map((mark) => `${figure.id}: ${mark}`));
}

const OF_NO_RUN = /^(paper|calibrated|unrelated)\b/;

function marksOf(figure: Figure): string[] {
  switch (figure.kind) {
    case 'bars':
      return figure.groups.flatMap(({ label, bars }) =>
        bars.flatMap(({ name, link }) => (link ? [] : [`${label} ${name}`])),
      );
    case 'lines':
    case 'scatter':
      return figure.series.flatMap(({ name, points }) =>
        OF_NO_RUN.test(name) || points.every(({ link }) => link) ? [] : [name],
      );
    case 'intervals':
      return figure.rows.flatMap(({ label, link }) => (link ? [] : [label]));
    case 'heatmap':
      return figure.values.flatMap((row, at) =>
        row.flatMap((value, column) =>
          value === null || figure.links?.[at]?.[column]
            ? []
            : [`${figure.rows[at]} ${figure.columns[column]}`],
        ),
      );
    case 'pictures':
      return figure.groups.flatMap(({ title, pictures }) =>
        pictures.flatMap(({ imageId, link }) => (imageId === undefined || link ? [] : [title])),
      );
  }
}
