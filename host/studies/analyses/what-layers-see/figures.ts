import type {
  Figure,
  IntervalsFigure,
  PicturesFigure,
  Quantity,
  Table,
} from '../../../../contract/figures.ts';
import type { SeeJob, Seen, SeenChannel, SeenFilters, SeenMaps, Side } from './measured.ts';
import { SIDES } from './measured.ts';
import type { Named } from './names.ts';
import { answerName, cellLink, imageAt } from './names.ts';
import { pairLink, runLink } from '../links.ts';

type Group = PicturesFigure['groups'][number];
type Picture = Group['pictures'][number];

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const fixed = (value: number | null): string => (value === null ? '–' : value.toFixed(2));

/** Grad-CAM of both networks, each beside its controls. */
export function mapsFigure(named: Named, job: SeeJob, maps: SeenMaps): PicturesFigure {
  const { names } = named;
  return {
    kind: 'pictures',
    id: 'grad-cam',
    title: 'Where they look when they disagree',
    caption:
      `Grad-CAM at ${job.layer} (${maps.side} x ${maps.side} positions) for the logit of the truth, ` +
      'each map scaled by its own largest value. Beside each: the same with the weights that the ' +
      'network began with, and with weights drawn anew. Where these look alike the map says nothing ' +
      `about what was learnt. The clearest of ${job.disagreements.length} disagreements.`,
    groups: maps.pictures.map((pictures) => mapsGroup(named, names, job, maps, pictures)),
  };
}

function mapsGroup(
  named: Named,
  names: Record<Side, string>,
  job: SeeJob,
  maps: SeenMaps,
  { at, image, maps: files }: SeenMaps['pictures'][number],
): Group {
  const { row, truth, right, said, confidence } = job.disagreements[at]!;
  const link = cellLink(named, right);
  const ofSide = (side: Side): Picture[] => {
    const { start, redrawn } = maps.controls[side];
    const answer = `says ${answerName(named, said[side])}`;
    const gives = `${percent(confidence[side])} to the truth`;
    return [
      { file: files[side].result, lines: [names[side], answer, gives], link },
      { file: files[side].start, lines: ['its start', `rank corr. ${fixed(start[at]!)}`], link },
      {
        file: files[side].redrawn,
        lines: ['drawn weights', `rank corr. ${fixed(redrawn[at]!)}`],
        link,
      },
    ];
  };
  const name = named.classNames[truth] ?? String(truth);
  return {
    title: name,
    note: `only ${names[right]} is right; the two maps: ${fixed(maps.between[at]!)}`,
    pictures: [
      { file: image, lines: ['as the networks see it'], link: imageAt(named, 'test', row).link },
      ...SIDES.flatMap(ofSide),
    ],
  };
}

/** The filters of the first layer, trained and at the start. */
export function filtersFigure(
  { names, runs, view }: Named,
  { count, pictures }: SeenFilters,
): PicturesFigure {
  return {
    kind: 'pictures',
    id: 'filters',
    title: 'Filters of the first layer',
    caption: `All ${count} filters, each around grey by its own largest weight.`,
    groups: SIDES.map((side) => ({
      title: names[side],
      pictures: (['result', 'start'] as const).map((role) => ({
        file: pictures[side][role],
        lines: [role === 'result' ? 'trained' : 'its start'],
        link: runLink(view.id, runs[side].id),
      })),
    })),
  };
}

/** What excites the strongest channels of a network. */
export function channelsFigure(
  named: Named,
  { layer }: SeeJob,
  side: Side,
  { channels, searched }: Seen,
): PicturesFigure {
  const name = named.names[side];
  return {
    kind: 'pictures',
    id: `channels-${side === 'a' ? 'pretrained' : 'random'}`,
    title: `What channels of ${name} answer to`,
    caption:
      `The channels of ${layer} with the strongest peaks over ${searched} training images. For each: ` +
      'an image made for it by gradient ascent, and one made with weights drawn anew; then its ' +
      'strongest images, each with the deconvnet of its peak and the same with weights drawn anew.',
    groups: channels[side].map((channel) => channelGroup(named, side, channel)),
  };
}

function channelGroup(
  named: Named,
  side: Side,
  { channel, maximised, answer, images }: SeenChannel,
): Group {
  const link = runLink(named.view.id, named.runs[side].id);
  return {
    title: `channel ${channel}`,
    pictures: [
      { file: maximised.result, lines: ['made for it', `mean ${fixed(answer)}`], link },
      { file: maximised.redrawn, lines: ['drawn weights'], link },
      ...images.flatMap(({ row, value, signal, correlation }): Picture[] => {
        const shown = imageAt(named, 'train', row);
        return [
          { ...shown, lines: [`peak ${fixed(value)}`] },
          { file: signal.result, lines: ['deconvnet'], link: shown.link },
          {
            file: signal.redrawn,
            lines: ['drawn weights', `rank corr. ${fixed(correlation)}`],
            link: shown.link,
          },
        ];
      }),
    ],
  };
}

/** All rank correlations with their intervals. */
export function correlationsFigure(
  { names, runs, colours }: Named,
  quantities: readonly Quantity[],
): IntervalsFigure {
  const link = pairLink(runs.a.id, runs.b.id);
  const rows = quantities.flatMap(({ key, title, value, interval, n }) => {
    if (value === null) return [];
    const colour = key.includes(`.${names.b}/`) ? colours.b : colours.a;
    const label = title.replace(': rank correlation', '');
    return [{ label, value, interval, colour, note: `n = ${n}`, link }];
  });
  return {
    kind: 'intervals',
    id: 'correlations',
    title: 'How alike the maps are',
    caption:
      "Spearman's rank correlation of maps of one image, averaged; 95 % bootstrap. Maps that are " +
      'like those of drawn weights fail the sanity check (Adebayo et al. 2018).',
    x: { title: 'rank correlation', include: [0, 1] },
    zero: 0,
    rows,
  };
}

/** Every measured disagreement. */
export function disagreementsTable(named: Named, job: SeeJob, maps: SeenMaps): Table {
  const { names } = named;
  const rows = job.disagreements.map(({ row, truth, right, said, confidence }, at) => ({
    image: imageAt(named, 'test', row).imageId,
    truth: named.classNames[truth] ?? String(truth),
    right: names[right],
    saidA: answerName(named, said.a),
    saidB: answerName(named, said.b),
    truthA: confidence.a,
    truthB: confidence.b,
    between: maps.between[at]!,
    redrawnA: maps.controls.a.redrawn[at]!,
    redrawnB: maps.controls.b.redrawn[at]!,
  }));
  return {
    id: 'disagreements',
    title: 'Disagreements',
    columns: [
      { key: 'image', title: 'Image', digits: 0 },
      { key: 'truth', title: 'Truth' },
      { key: 'right', title: 'Right' },
      { key: 'saidA', title: `${names.a} says` },
      { key: 'saidB', title: `${names.b} says` },
      { key: 'truthA', title: `${names.a} to the truth`, unit: '%', digits: 0 },
      { key: 'truthB', title: `${names.b} to the truth`, unit: '%', digits: 0 },
      { key: 'between', title: 'Two maps alike', digits: 2 },
      { key: 'redrawnA', title: `${names.a} and drawn weights`, digits: 2 },
      { key: 'redrawnB', title: `${names.b} and drawn weights`, digits: 2 },
    ],
    rows,
    links: job.disagreements.map(({ row }) => imageAt(named, 'test', row).link),
  };
}

/** All figures, in reading order. */
export function figuresOf(
  named: Named,
  job: SeeJob,
  seen: Seen,
  correlations: readonly Quantity[],
): Figure[] {
  const { maps, filters } = seen;
  const active = SIDES.filter((side) => seen.channels[side].length > 0);
  return [
    ...(maps && maps.pictures.length > 0 ? [mapsFigure(named, job, maps)] : []),
    correlationsFigure(named, correlations),
    filtersFigure(named, filters),
    ...active.map((side) => channelsFigure(named, job, side, seen)),
  ];
}
