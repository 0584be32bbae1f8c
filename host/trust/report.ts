/** The trust report of a list of images. */
import type { TrustReport } from '../../contract/trust.ts';
import type { ShareDone } from '../../engine/analysis/near-duplicates.ts';
import { balanceOf } from './balance.ts';
import { findingsOf } from './findings.ts';
import type { SplitName, TrustImage } from './images.ts';
import { flatImages, oddSizes } from './oddities.ts';
import type { PositionSet } from './sets.ts';
import {
  asSet,
  asSets,
  conflictSets,
  exactSets,
  groupSets,
  nearDuplicates,
  nearOverSplits,
  realSplits,
  sharedWith,
} from './sets.ts';

/** Counts up when the same images are told differently. */
export const REPORT_VERSION = 2;

/** What a report takes over as it is. */
export type Subject = Pick<
  TrustReport,
  | 'id'
  | 'datasetId'
  | 'datasetName'
  | 'contentHash'
  | 'createdAt'
  | 'spec'
  | 'excluded'
  | 'groupedBy'
  | 'classNames'
  | 'domainNames'
  | 'unreadable'
>;

/**
 * All that is to distrust in these images.
 * @param images in the order of their paths, without excluded ones
 * @param onShare told how much of the comparing is done, in [0, 1]
 */
export function buildTrustReport(
  subject: Subject,
  images: readonly TrustImage[],
  onShare: ShareDone = () => undefined,
): TrustReport {
  const exact = exactSets(images);
  const near = nearDuplicates(images, subject.spec, onShare);
  const groups = groupSets(images);
  const { nearBits } = subject.spec;
  const over = nearOverSplits(images, near, nearBits);
  const conflicts = conflictSets(images, exact, near, nearBits);
  const listed = (sets: readonly PositionSet[]) => asSets(images, subject.domainNames, sets);
  const { perClass, ...balance } = balanceOf(images, subject);
  const report = {
    ...subject,
    version: REPORT_VERSION,
    ...balance,
    images: images.length,
    unhashed: images.filter(({ phash }) => phash === null).length,
    exact: listed(exact),
    near: listed(near),
    acrossSplits: acrossSplits(images, exact, over),
    groupsAcrossSplits: groupsAcross(images, subject.domainNames, groups),
    conflicts: [...listed(conflicts.exact), ...listed(conflicts.near)],
    oddSizes: oddSizes(images),
    ...flatImages(images, subject.spec),
  };
  const evidence = { images, exact, near, over, groups, conflicts, perClass, report };
  return { ...report, findings: findingsOf(evidence) };
}

const SEEN: readonly SplitName[] = ['train', 'validation'];

function acrossSplits(
  images: readonly TrustImage[],
  exact: readonly PositionSet[],
  over: readonly PositionSet[],
): TrustReport['acrossSplits'] {
  return {
    exact: exact.filter((set) => realSplits(images, set).size > 1).length,
    near: over.length,
    testImages: images.filter(({ split }) => split === 'test').length,
    affectedTestImages: sharedWith(images, [...exact, ...over], 'test', SEEN).length,
  };
}

function groupsAcross(
  images: readonly TrustImage[],
  domainNames: readonly string[],
  groups: readonly PositionSet[],
): TrustReport['groupsAcrossSplits'] {
  const across = groups
    .filter((set) => realSplits(images, set).size > 1)
    .sort((a, b) => b.length - a.length);
  return {
    groups: across.length,
    affectedTestImages: sharedWith(images, groups, 'test', SEEN).length,
    leaked: across.map((set) => ({
      group: images[set[0]!]!.group,
      ...asSet(images, domainNames, set),
    })),
  };
}
