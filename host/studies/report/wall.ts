import type { Cell } from '../../../contract/agreement.ts';
import { CELL_TITLES, CELLS } from '../../../contract/agreement.ts';
import type { PairImage } from '../../../contract/compare.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import type { RunDetail } from '../../../contract/runs.ts';
import type { HostContext } from '../../context.ts';
import { createPictures } from '../../media/pictures.ts';
import type { Pictures } from '../../media/pictures.ts';
import { createComparer } from '../compare.ts';
import type { ReportData } from './data.ts';
import { findingNames, leakLine, shuffleTitle } from './data.ts';
import type { Html } from './html.ts';
import { html, percent } from './html.ts';

const TILES = 24;

/** Images of one agreement cell of one pair. */
interface CellWall {
  cell: Cell;
  total: number;
  tiles: Tile[];
}

interface Tile {
  image: PairImage;
  /** data: addresses; null when the file is gone or changed. `seen`: where the runs saw another picture. */
  original: string | null;
  seen: string | null;
}

/** The five cells of the pair that stands for a shuffle. */
export interface Wall {
  shuffle: string;
  a: RunDetail;
  b: RunDetail;
  shuffled: boolean;
  cells: CellWall[];
}

/** The walls of a study: per shuffle the first seed of a pretrained arm against a random one. */
export async function makeWalls(
  context: HostContext,
  data: ReportData,
  signal: AbortSignal,
): Promise<Wall[]> {
  const comparer = createComparer(context);
  const pictures = createPictures(context);
  const walls: Wall[] = [];
  for (const [a, b] of showPairs(data)) {
    const cells: CellWall[] = [];
    for (const cell of CELLS) {
      signal.throwIfAborted();
      const query = { a: a.id, b: b.id, split: 'test', sort: 'confidence-a', offset: 0 } as const;
      const { total, images } = comparer.images({ ...query, cell, limit: TILES });
      const tiles = await Promise.all(images.map((image) => makeTile(pictures, image, a)));
      cells.push({ cell, total, tiles });
    }
    walls.push({ shuffle: a.shuffle, a, b, shuffled: a.shuffle !== 'none', cells });
  }
  return walls;
}

/**
 * Pretrained against random where there are both, else the first two runs of the shuffle; none where
 * runs tell several findings, of which an image has no one answer.
 */
function showPairs(data: ReportData): [RunDetail, RunDetail][] {
  const { study, runs } = data;
  if (findingNames(data).length > 1) return [];
  const { arms, shuffles } = study.spec;
  const names = Object.keys(arms);
  const random = names.find((name) => arms[name]?.init === 'random');
  const pretrained = names.find((name) => arms[name]?.init !== 'random');
  return shuffles.flatMap((shuffle) => {
    const own = runs.filter((run) => run.kind === 'target' && run.shuffle === String(shuffle));
    const a = own.find((run) => run.arm === pretrained) ?? own[0];
    const b = own.find((run) => run.arm === random && run !== a) ?? own.find((run) => run !== a);
    return a && b ? [[a, b] as [RunDetail, RunDetail]] : [];
  });
}

async function makeTile(pictures: Pictures, image: PairImage, run: RunDetail): Promise<Tile> {
  const original = await pictureAddress(pictures, image.imageId, 'thumbnail', { w: '128' });
  const seen =
    run.shuffle === 'none' || original === null
      ? null
      : await pictureAddress(pictures, image.imageId, 'input', { run: run.id });
  return { image, original, seen };
}

/** A picture as a data address; null when its file is gone or changed. */
export async function pictureAddress(
  pictures: Pictures,
  id: number,
  kind: 'thumbnail' | 'input',
  query: Record<string, string>,
): Promise<string | null> {
  try {
    const picture = pictures.find(id, kind, query);
    const bytes = Buffer.from(await picture.read());
    return `data:${picture.type};base64,${bytes.toString('base64')}`;
  } catch (error) {
    if (error instanceof CarryoverError) return null;
    throw error;
  }
}

/** Ids of the images that the walls show. */
export function shownImages(walls: readonly Wall[]): number[] {
  const ids = walls.flatMap(({ cells }) =>
    cells.flatMap(({ tiles }) => tiles.map(({ image }) => image.imageId)),
  );
  return [...new Set(ids)];
}

/** The image walls as a section. */
export function wallSection(data: ReportData, walls: readonly Wall[]): Html {
  if (walls.length === 0) return html``;
  return html`<h2 id="images">Where they agree, where they fail together</h2>
    <p>
      Test images of each agreement cell, at most ${TILES} a cell, those first of which A is surest.
      Under each picture: the truth, then what A and B said and with what probability.
    </p>
    ${leakLine(data)} ${walls.map(wallOf)}`;
}

function wallOf({ shuffle, a, b, shuffled, cells }: Wall): Html {
  const seen = shuffled ? '; beside each picture what A saw of it' : '';
  return html`<h3>${a.arm} (A) and ${b.arm} (B), seed ${a.seed}, ${shuffleTitle(shuffle)}</h3>
    <p class="soft small">A is run <code>${a.id}</code>, B is run <code>${b.id}</code>${seen}.</p>
    ${cells.map(cellOf)}`;
}

function cellOf({ cell, total, tiles }: CellWall): Html {
  const count = total === 1 ? '1 image' : `${total} images`;
  if (tiles.length === 0) return html`<p class="soft">${CELL_TITLES[cell]}: none</p>`;
  return html`<details open>
    <summary>${CELL_TITLES[cell]}: ${count}</summary>
    <div class="wall">${tiles.map(tileOf)}</div>
  </details>`;
}

function tileOf({ image, original, seen }: Tile): Html {
  const pictures =
    original === null
      ? html`<span class="gone">gone or changed</span>`
      : html`<img src="${original}" alt="${image.truth}" />`;
  const shown =
    seen === null ? null : html`<img class="seen" src="${seen}" alt="as the run saw it" />`;
  return html`<div class="tile" title="${image.path}">
    <div class="pictures">${pictures}${shown}</div>
    <b>${image.truth}</b
    ><br />${said('A', image.a, image.truth)}<br />${said('B', image.b, image.truth)}
  </div>`;
}

function said(name: string, { label, confidence }: PairImage['a'], truth: string): Html {
  return html`<span class="${label === truth ? 'right' : 'wrong'}"
    >${name}: ${label} ${percent(confidence)}</span
  >`;
}
