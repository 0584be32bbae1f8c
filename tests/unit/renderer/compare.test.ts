import { describe, expect, it } from 'vitest';
import type { Agreement } from '../../../contract/agreement.ts';
import type { PairReport } from '../../../contract/compare.ts';
import type { RunSummary } from '../../../contract/runs.ts';
import {
  cellFrom,
  cellShares,
  sortedClasses,
  sortFrom,
} from '../../../renderer/src/compare/cells.ts';
import { firstPair, groupRuns } from '../../../renderer/src/compare/runs.ts';

function run(id: string, arm: string, shuffle = 'none', more: Partial<RunSummary> = {}) {
  return {
    ...{ id, arm, shuffle, kind: 'target', status: 'done', datasetId: 'd1', seed: 0 },
    studies: [{ id: 's1', name: 'one' }],
    ...more,
  } as RunSummary;
}

describe('runs to choose from', () => {
  it('are the finished target runs under their first study', () => {
    const groups = groupRuns([
      run('p', 'P', 'none', { kind: 'pretraining' }),
      run('a', 'P-T'),
      run('b', 'RI-T', 'none', { status: 'running' }),
      run('c', 'RI-T', 'none', { studies: [] }),
    ]);
    expect(groups.map((group) => [group.title, group.runs.map((one) => one.id)])).toEqual([
      ['one', ['a']],
      ['no study', ['c']],
    ]);
  });

  it('begin with two arms on the same pixels where there are such', () => {
    const a = run('a', 'P-T', '8');
    expect(firstPair([a, run('b', 'RI-T', 'none'), run('c', 'RI-T', '8')])).toEqual(['a', 'c']);
    expect(firstPair([a, run('b', 'P-T', '8')])).toEqual(['a', 'b']);
    expect(firstPair([a, run('b', 'RI-T', '8', { datasetId: 'd2' })])).toBeNull();
    expect(firstPair([])).toBeNull();
  });
});

describe('cells', () => {
  it('are read from the address, unknown ones as none', () => {
    expect(cellFrom('onlyARight')).toBe('onlyARight');
    expect(cellFrom('constructor')).toBeNull();
    expect(sortFrom('path')).toBe('path');
    expect(sortFrom('')).toBe('difference');
  });

  it('share out all images', () => {
    const counts = { bothRight: 4, bothWrongSame: 1, bothWrongDifferent: 2, onlyARight: 3 };
    const agreement = { n: 10, ...counts, onlyBRight: 0 } as Agreement;
    expect(cellShares(agreement).map((one) => one.share)).toEqual([0.4, 0.1, 0.2, 0.3, 0]);
    const none = { n: 0, bothRight: 0 } as Agreement;
    expect(cellShares(none)[0]?.share).toBe(0);
  });
});

describe('the classes of a pair', () => {
  const zero = { bothRight: 0, bothWrongSame: 0, bothWrongDifferent: 0, onlyBRight: 0 };
  const report = {
    classNames: ['c10', 'c9', 'c1'],
    perClass: [
      { n: 5, onlyARight: 1, ...zero },
      { n: 2, onlyARight: 1, ...zero },
      { n: 9, onlyARight: 0, ...zero },
    ],
  } as unknown as PairReport;
  const names = (...sort: ['name' | 'n' | 'onlyARight', boolean]) =>
    sortedClasses(report, ...sort).map((row) => row.name);

  it('sort numbers in names as numbers, and equal counts by name', () => {
    expect(names('name', false)).toEqual(['c1', 'c9', 'c10']);
    expect(names('n', true)).toEqual(['c1', 'c10', 'c9']);
    expect(names('onlyARight', true)).toEqual(['c9', 'c10', 'c1']);
  });
});
