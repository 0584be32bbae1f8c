import type { PicturesFigure } from '../../../contract/figures.ts';
import type { Html } from '../report/html.ts';
import { html } from '../report/html.ts';
import { linked } from './frame.ts';

type Picture = PicturesFigure['groups'][number]['pictures'][number];

/** Where a picture is to be had; null when it is gone. */
export type Sources = (picture: Picture) => string | null;

/** Groups of pictures with a line or two below each. */
export function drawPictures({ groups }: PicturesFigure, source: Sources): Html {
  return html`<div class="walls">
    ${groups.map(
      ({ title, note, pictures }) =>
        html`<section class="wall-group">
          <h4>${title}</h4>
          ${note === undefined ? null : html`<p class="soft small">${note}</p>`}
          <div class="picture-wall">
            ${pictures.map((picture) => tile(picture, source(picture)))}
          </div>
        </section>`,
    )}
  </div>`;
}

function tile(picture: Picture, source: string | null): Html {
  const told = picture.lines.join(', ');
  const image =
    source === null
      ? html`<span class="gone">not there any more</span>`
      : html`<img
          src="${source}"
          alt="${told}"
          loading="lazy"
          class="${picture.file ? 'made' : ''}"
        />`;
  const lines = picture.lines.map((line) => html`<span>${line}</span>`);
  return linked(picture.link, html`<span class="picture">${image}${lines}</span>`, told);
}
