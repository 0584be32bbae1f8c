import type { Database } from 'better-sqlite3';
import type { FilterCounts, ImageFilter } from '../../contract/datasets.ts';
import type { Bits } from './bits.ts';
import { complementOf, countCommon, hasBit, noBits, setBit, unionOf } from './bits.ts';
import type { Codes, Columns } from './columns.ts';
import { GIVEN } from './columns.ts';
import type { Matches } from './match.ts';
import { attributeFacet, matching, partsOf } from './match.ts';

/** Counts per facet value; see FilterCounts. `splits` is filled when the filter names a study. */
export function countMatches(db: Database, columns: Columns, filter: ImageFilter): FilterCounts {
  const matches = matching(db, columns, filter);
  const without = (facet: string): Bits => allowedWithout(matches, facet);
  const labels = without('labels');
  const excluded = countCommon(without('excluded'), columns.excluded);
  return {
    total: matches.positions.length,
    domains: countCodes(without('domains'), columns.domains, columns.domainNames),
    labels: columns.multiLabel
      ? countSets(labels, columns.present)
      : countCodes(labels, columns.classes, columns.classNames),
    uncertain: countSets(without('uncertain'), columns.uncertain),
    absent: countSets(without('absent'), columns.absent),
    blank: countSets(without('blank'), columns.blank),
    tags: countSets(without('tags'), columns.tags),
    given: countGiven(without('given'), columns.given),
    attributes: Object.fromEntries(
      [...columns.attributes].map(([name, { values, codes }]) => [
        name,
        countCodes(without(attributeFacet(name)), codes, values),
      ]),
    ),
    splits: filter.studyId === undefined ? {} : countSplits(db, columns, matches, filter.studyId),
    excluded,
    relabelled: countCommon(without('relabelled'), columns.relabelled),
  };
}

/** Positions that match, or that only this facet refuses. */
function allowedWithout({ facets, refused }: Matches, facet: string): Bits {
  const own = facets.indexOf(facet) + 1;
  const allowed = noBits(refused.length);
  for (let position = 0; position < refused.length; position++) {
    const reason = refused[position]!;
    if (reason === 0 || reason === own) setBit(allowed, position);
  }
  return allowed;
}

/** Every name, with 0 where nothing matches. */
function countCodes(allowed: Bits, codes: Codes, names: string[]): Record<string, number> {
  const counts = new Uint32Array(names.length + 1);
  for (let position = 0; position < codes.length; position++) {
    if (hasBit(allowed, position)) counts[codes[position]!]!++;
  }
  return Object.fromEntries(names.map((name, index) => [name, counts[index + 1]!]));
}

function countGiven(allowed: Bits, given: Uint8Array): Record<string, number> {
  const counts = [0, 0, 0, 0];
  for (let position = 0; position < given.length; position++) {
    if (hasBit(allowed, position)) counts[given[position]!]!++;
  }
  return Object.fromEntries(GIVEN.map((name, index) => [name, counts[index]!]));
}

function countSets(allowed: Bits, sets: ReadonlyMap<string, Bits>): Record<string, number> {
  return Object.fromEntries([...sets].map(([name, bits]) => [name, countCommon(allowed, bits)]));
}

/** Validation images are named only where the study has some. */
function countSplits(
  db: Database,
  columns: Columns,
  matches: Matches,
  studyId: string,
): Record<string, number> {
  const parts = partsOf(db, columns, studyId);
  if (parts.get('validation')?.every((word) => word === 0)) parts.delete('validation');
  parts.set('unused', complementOf(unionOf([...parts.values()], columns.ids.length)));
  return countSets(allowedWithout(matches, 'splits'), parts);
}
