/** What a trust report found, in sentences, worst first. */
import type { TrustReport } from '../../contract/trust.ts';
import { counted, fewOf } from '../datasets/order.ts';
import type { SplitName, TrustImage } from './images.ts';
import type { PositionSet } from './sets.ts';
import { nearOverSplits, sharedWith } from './sets.ts';

type Finding = TrustReport['findings'][number];

/** From here on the largest class is a warning beside the smallest. */
const IMBALANCED = 10;
/** From this share of the files on, those that were not taken are a warning. */
const MANY_UNREADABLE = 0.01;

/** What the sentences are made from, beside the report's own lists. */
export interface Evidence {
  images: readonly TrustImage[];
  exact: readonly PositionSet[];
  near: readonly PositionSet[];
  /** Near duplicates over splits. */
  over: readonly PositionSet[];
  groups: readonly PositionSet[];
  conflicts: { exact: readonly PositionSet[]; near: readonly PositionSet[] };
  /** Images per class. */
  perClass: readonly number[];
  report: Omit<TrustReport, 'findings'>;
}

export function findingsOf(evidence: Evidence): Finding[] {
  const found = [
    ...leaks(evidence, 'groups', 'bad', 'of a group with', `, by ${evidence.report.groupedBy}`),
    ...leaks(evidence, 'exact', 'bad', 'byte for byte the same as', ''),
    ...conflicts(evidence),
    ...leaks(evidence, 'over', 'warn', 'nearly the same as', withinBits(evidence)),
    ...flat(evidence),
    ...unreadable(evidence),
    ...balance(evidence),
    ...untrained(evidence),
    ...copies(evidence),
    ...remarks(evidence),
  ];
  const levels: Finding['level'][] = ['bad', 'warn', 'info'];
  return levels.flatMap((level) => found.filter((finding) => finding.level === level));
}

function withinBits({ report }: Evidence): string {
  return ` (perceptual hashes within ${report.spec.nearBits} of 64 bits)`;
}

function idsOf(images: readonly TrustImage[], positions: readonly number[]): number[] {
  return positions.map((position) => images[position]!.id);
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

const SIDES = [
  ['test', 'train', 'training'],
  ['test', 'validation', 'validation'],
  ['validation', 'train', 'training'],
] as const satisfies [SplitName, SplitName, string][];

function leaks(
  evidence: Evidence,
  kind: 'groups' | 'exact' | 'over',
  level: Finding['level'],
  how: string,
  by: string,
): Finding[] {
  const { images } = evidence;
  return SIDES.flatMap(([own, other, name]) => {
    const pair = [own, other] as const;
    // A chain may reach the other split through a third: each pair of splits has its own sets.
    const sets =
      kind === 'over'
        ? nearOverSplits(images, evidence.over, evidence.report.spec.nearBits, pair)
        : evidence[kind];
    const told = new Set(kind === 'over' ? sharedWith(images, evidence.exact, own, [other]) : []);
    const shared = sharedWith(images, sets, own, [other]).filter((position) => !told.has(position));
    if (shared.length === 0) return [];
    const whole = images.filter(({ split }) => split === own).length;
    const [verb, rest] = shared.length === 1 ? ['is', 'an image'] : ['are', 'images'];
    const text = `${shared.length} of ${counted(whole, `${own} image`)} (${share(shared.length, whole)}) ${verb} ${how} ${rest} used for ${name}${by}`;
    return [{ level, text, ids: idsOf(images, shared) }];
  });
}

function conflicts({ images, conflicts: { exact, near } }: Evidence): Finding[] {
  const told = (sets: readonly PositionSet[], what: string, level: Finding['level']): Finding[] =>
    sets.length === 0
      ? []
      : [
          {
            level,
            text: `${counted(sets.length, `set of ${what} images`, `sets of ${what} images`)} with different labels`,
            ids: idsOf(images, sets.flat()),
          },
        ];
  return [...told(exact, 'identical', 'bad'), ...told(near, 'nearly identical', 'warn')];
}

function flat({ report }: Evidence): Finding[] {
  const { blank, nearConstant, spec } = report;
  const found: Finding[] = [];
  if (blank.length > 0) {
    const text = `${counted(blank.length, 'image')} without a visible difference in brightness (at 8 bits, large ones at 256 x 256)`;
    found.push({ level: 'warn', text, ids: blank.map(({ id }) => id) });
  }
  if (nearConstant.length > 0) {
    const text = `${counted(nearConstant.length, 'image')} that hardly ${nearConstant.length === 1 ? 'varies' : 'vary'} (deviation of the luma below ${spec.constantBelow})`;
    found.push({ level: 'warn', text, ids: nearConstant.map(({ id }) => id) });
  }
  return found;
}

function unreadable({ report }: Evidence): Finding[] {
  const files = report.unreadable.length;
  if (files === 0) return [];
  const level = files / (files + report.images) >= MANY_UNREADABLE ? 'warn' : 'info';
  const what = files === 1 ? 'an image' : 'images';
  return [{ level, text: `${counted(files, 'file')} could not be taken as ${what}`, ids: [] }];
}

function balance({ images, perClass, report }: Evidence): Finding[] {
  const { classNames, imbalance } = report;
  const empty = classNames.filter((_, label) => perClass[label] === 0);
  if (empty.length > 0) {
    const text = `no image of ${counted(empty.length, 'class', 'classes')}: ${fewOf(empty)}`;
    return [{ level: 'warn', text, ids: [] }];
  }
  const [all] = imbalance;
  if (!all || all.ratio === null || all.ratio < IMBALANCED) return [];
  const { largest, smallest, ratio } = all;
  const label = classNames.indexOf(smallest);
  const numberOf = (name: string): number => perClass[classNames.indexOf(name)]!;
  return [
    {
      level: 'warn',
      text: `the largest class has ${ratio.toFixed(1)} times the images of the smallest: ${largest} ${numberOf(largest)}, ${smallest} ${numberOf(smallest)}`,
      ids: images.filter(({ classes }) => classes.includes(label)).map(({ id }) => id),
    },
  ];
}

/** Classes that are tested or validated on without an image to learn them from. */
function untrained({ images, report: { classNames } }: Evidence): Finding[] {
  if (images.every(({ split }) => split !== 'train')) return [];
  const classesIn = (side: SplitName): Set<number> =>
    new Set(images.flatMap(({ split, classes }) => (split === side ? classes : [])));
  const trained = classesIn('train');
  return (['test', 'validation'] as const).flatMap((side) => {
    const missing = [...classesIn(side)].filter((label) => !trained.has(label));
    if (missing.length === 0) return [];
    const names = fewOf(missing.map((label) => classNames[label]!));
    const text = `${counted(missing.length, 'class', 'classes')} with ${side} images but none for training: ${names}`;
    const ids = images
      .filter(
        ({ split, classes }) => split === side && classes.some((one) => missing.includes(one)),
      )
      .map(({ id }) => id);
    return [{ level: 'warn' as const, text, ids }];
  });
}

function copies(evidence: Evidence): Finding[] {
  const { images, exact, near } = evidence;
  const found: Finding[] = [];
  if (exact.length > 0) {
    const text = `${exact.flat().length} images in ${counted(exact.length, 'set')} of byte for byte the same`;
    found.push({ level: 'info', text, ids: idsOf(images, exact.flat()) });
  }
  if (near.length > 0) {
    const text = `${near.flat().length} images in ${counted(near.length, 'set')} of near duplicates${withinBits(evidence)}`;
    found.push({ level: 'info', text, ids: idsOf(images, near.flat()) });
  }
  return found;
}

function remarks({ images, report }: Evidence): Finding[] {
  const { excluded, oddSizes, spec, unhashed } = report;
  const found: Finding[] = [];
  const say = (level: Finding['level'], text: string, ids: number[] = []): void => {
    found.push({ level, text, ids });
  };
  if (unhashed > 0) {
    const without = images.filter(({ phash }) => phash === null).map(({ id }) => id);
    say(
      'warn',
      `${counted(unhashed, 'image')} imported by an early version cannot be near ${unhashed === 1 ? 'a duplicate' : 'duplicates'}: import the same folder again under this name`,
      without,
    );
  }
  if (oddSizes.length > 0) {
    say(
      'info',
      `${counted(oddSizes.length, 'image')} of an odd size or shape`,
      oddSizes.map(({ id }) => id),
    );
  }
  if (spec.studyId === null && images.every(({ split }) => split === 'none')) {
    say('info', 'the source gives no splits: look at those of a study for leaks');
  }
  if (excluded > 0) say('info', `${counted(excluded, 'excluded image')} left out of this report`);
  return found;
}
