/** Images that are copies of each other, or nearly; a set is positions in the list of images. */
import {
  connected,
  diameterOf,
  eachNearPair,
  nearSets,
} from '../../engine/analysis/near-duplicates.ts';
import type { ShareDone } from '../../engine/analysis/near-duplicates.ts';
import type { DuplicateSet, ImageSet, TrustSpec } from '../../contract/trust.ts';
import type { SplitName, TrustImage } from './images.ts';
import { SPLITS } from './images.ts';

export type PositionSet = readonly number[];

/** Sets of two and more images with the same content. */
export function exactSets(images: readonly TrustImage[]): number[][] {
  const byContent = Map.groupBy(images.keys(), (position) => images[position]!.sha256);
  return [...byContent.values()].filter((set) => set.length > 1);
}

/**
 * Sets of two and more contents whose perceptual hashes are joined by a chain of pairs within
 * `nearBits`, with all images that have them. Blank and near-constant images take no part: their
 * hashes say nothing.
 */
export function nearDuplicates(
  images: readonly TrustImage[],
  { nearBits, constantBelow }: Pick<TrustSpec, 'nearBits' | 'constantBelow'>,
  onShare: ShareDone,
): number[][] {
  const telling = [...images.keys()].filter((position) => {
    const { phash, deviation } = images[position]!;
    return phash !== null && (deviation ?? 1) >= constantBelow;
  });
  const contents = [...Map.groupBy(telling, (position) => images[position]!.sha256).values()];
  const hashes = contents.map(([first]) => images[first!]!.phash!);
  const near = nearSets(hashes, nearBits, onShare);
  return near.map((set) => set.flatMap((content) => contents[content]!).sort((a, b) => a - b));
}

/** Groups of two and more images; those that only say that contents are identical are left out. */
export function groupSets(images: readonly TrustImage[]): number[][] {
  const byGroup = Map.groupBy(images.keys(), (position) => images[position]!.group);
  return [...byGroup]
    .filter(([group, set]) => !set.every((position) => images[position]!.sha256 === group))
    .map(([, set]) => set)
    .filter((set) => set.length > 1);
}

/**
 * Sets of images that differ in something: each image has one beside it, not by a chain but by its
 * own hash within `nearBits`, that does.
 * @param near as `nearDuplicates` has them
 * @param left images that are left out, as they are told elsewhere
 */
function differingNear(
  images: readonly TrustImage[],
  near: readonly PositionSet[],
  nearBits: number,
  differ: (a: TrustImage, b: TrustImage) => boolean,
  left: ReadonlySet<number> = new Set(),
): number[][] {
  return near.flatMap((set) => {
    const kept = set.filter((position) => !left.has(position));
    const members = kept.map((position) => images[position]!);
    if (members.every((one) => !differ(members[0]!, one))) return [];
    const hashes = members.map(({ phash }) => phash!);
    const found = connected(members.length, (join) =>
      eachNearPair(hashes, nearBits, (a, b) => {
        if (differ(members[a]!, members[b]!)) join(a, b);
      }),
    );
    return found.map((places) => places.map((place) => kept[place]!));
  });
}

/**
 * Sets whose images have different labels. Of near duplicates, images whose very copies disagree
 * do not count: those conflicts are told by their exact sets.
 */
export function conflictSets(
  images: readonly TrustImage[],
  exact: readonly PositionSet[],
  near: readonly PositionSet[],
  nearBits: number,
): { exact: PositionSet[]; near: PositionSet[] } {
  const copies = exact.filter(
    (set) => new Set(set.map((position) => images[position]!.label)).size > 1,
  );
  const differ = (a: TrustImage, b: TrustImage): boolean => a.label !== b.label;
  const told = new Set(copies.flat());
  return { exact: copies, near: differingNear(images, near, nearBits, differ, told) };
}

/** Sets of near duplicates in different ones of these splits; images of others join nothing. */
export function nearOverSplits(
  images: readonly TrustImage[],
  near: readonly PositionSet[],
  nearBits: number,
  among: readonly SplitName[] = ['train', 'validation', 'test'],
): PositionSet[] {
  const left = new Set(
    [...images.keys()].filter((position) => !among.includes(images[position]!.split)),
  );
  return differingNear(images, near, nearBits, (a, b) => a.split !== b.split, left);
}

/** Which of train, validation and test the images of a set are in. */
export function realSplits(images: readonly TrustImage[], set: PositionSet): Set<SplitName> {
  const splits = new Set(set.map((position) => images[position]!.split));
  splits.delete('none');
  return splits;
}

/** Positions of the images of one split that share a set with images of the others, ascending. */
export function sharedWith(
  images: readonly TrustImage[],
  sets: readonly PositionSet[],
  own: SplitName,
  others: readonly SplitName[],
): number[] {
  const splitOf = (position: number): SplitName => images[position]!.split;
  const shared = sets
    .filter((set) => set.some((position) => others.includes(splitOf(position))))
    .flatMap((set) => set.filter((position) => splitOf(position) === own));
  return [...new Set(shared)].sort((a, b) => a - b);
}

/** A set as reports have it. */
export function asSet(
  images: readonly TrustImage[],
  domainNames: readonly string[],
  set: PositionSet,
): ImageSet {
  const members = set.map((position) => images[position]!);
  const labels = [...new Set(members.map(({ label }) => label))].sort();
  const domains = [...new Set(members.map(({ domain }) => domain))].sort((a, b) => a - b);
  const splits = SPLITS.filter((split) => members.some((image) => image.split === split));
  return {
    ids: members.map(({ id }) => id),
    paths: members.map(({ path }) => path),
    labels,
    domains: domains.map((domain) => domainNames[domain]!),
    splits,
    labelOf: members.map(({ label }) => labels.indexOf(label)),
    domainOf: members.map(({ domain }) => domains.indexOf(domain)),
    splitOf: members.map(({ split }) => splits.indexOf(split)),
  };
}

/** Sets of duplicates as reports have them: over most splits first, then with several labels, then the nearest. */
export function asSets(
  images: readonly TrustImage[],
  domainNames: readonly string[],
  sets: readonly PositionSet[],
): DuplicateSet[] {
  const listed = sets.map((set) => ({
    set: {
      ...asSet(images, domainNames, set),
      distance: diameterOf(set.flatMap((position) => images[position]!.phash ?? [])),
    },
    reach: realSplits(images, set).size,
  }));
  listed.sort(
    (a, b) =>
      b.reach - a.reach ||
      Number(b.set.labels.length > 1) - Number(a.set.labels.length > 1) ||
      a.set.distance - b.set.distance ||
      b.set.ids.length - a.set.ids.length,
  );
  return listed.map(({ set }) => set);
}
