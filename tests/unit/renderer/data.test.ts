import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChangeEntry } from '../../../contract/datasets.ts';
import type { SourceLook, TableColumns } from '../../../contract/reading.ts';
import { readingSchema } from '../../../contract/reading.ts';
import { changeText, findingCode } from '../../../renderer/src/data/changes.ts';
import {
  formatIds,
  gridOf,
  inOrder,
  parseIds,
  withoutFilter,
} from '../../../renderer/src/data/filter.ts';
import {
  allOffers,
  levelOf,
  spreadLevels,
  toggled,
  withLabelKind,
  withRole,
} from '../../../renderer/src/data/reading.ts';
import { pageForDropped } from '../../../renderer/src/data/source-name.ts';

describe('ids in an address', () => {
  it('keep their order through a round trip', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { maxLength: 200 }), (ids) => {
        expect(parseIds(formatIds(ids))).toEqual(ids);
      }),
    );
  });

  it('are short where they count up', () => {
    expect(formatIds([4, 5, 6, 9, 2, 3])).toBe('4-6.9.2-3');
    expect(gridOf('d1', [7, 8])).toBe('#/data/d1?ids=7-8');
  });

  it('leave out what is no id, and never become more than a request takes', () => {
    expect(parseIds('3.x.-4.5-')).toEqual([3]);
    expect(parseIds('1-999999999999')).toHaveLength(2_000_000);
  });
});

describe('a filter', () => {
  it('is taken away with the place in the list, attributes too', () => {
    const gone = withoutFilter(new URLSearchParams('a.sex=F&domain=x&view=large'));
    expect(Object.keys(gone)).toContain('a.sex');
    expect(Object.keys(gone)).toEqual(expect.arrayContaining(['domain', 'ids', 'i', 'image']));
    expect(Object.keys(gone)).not.toContain('view');
  });

  it('shows numbers by size, then words, then what is blank', () => {
    expect(inOrder(['10', 'b', '', '9', '-1.5', 'a2', 'a10'])).toEqual([
      '-1.5',
      '9',
      '10',
      'a2',
      'a10',
      'b',
      '',
    ]);
  });
});

describe('changes', () => {
  it('are said in words', () => {
    const entry = (kind: ChangeEntry['kind'], value: string | null): ChangeEntry => {
      return { id: 1, kind, value, images: 12, createdAt: '', undoneAt: null };
    };
    expect(changeText(entry('relabel', 'cat'))).toBe('12 images relabelled to cat');
    expect(changeText(entry('finding', 'a=b=-1'))).toBe('12 images a=b: uncertain');
    expect(changeText(entry('exclude', null))).toBe('12 images excluded');
    expect([1, 0, -1, undefined].map((one) => findingCode(one as 1))).toEqual([
      ...['1', '0', '-1', 'blank'],
    ]);
  });
});

const look: SourceLook = {
  ...{ path: '/p', name: 'p', files: 9, truncated: false, offers: [], why: null },
  levels: [
    { names: 2, examples: ['a', 'b'] },
    { names: 3, examples: ['x'] },
  ],
  tables: [
    {
      file: 'list.csv',
      rows: 3,
      columns: ['image', 'dx'].map((name) => ({ name, distinct: 3, blank: 0, examples: ['v'] })),
    },
  ],
};

describe('how a source is read', () => {
  it('can be said by hand where nothing spoke for it, in a form that the host accepts', () => {
    const offers = allOffers(look);
    expect(offers.map(({ reading }) => reading.format)).toEqual(['folders', 'table']);
    for (const { reading } of offers) expect(readingSchema.parse(reading)).toEqual(reading);
    expect(allOffers({ ...look, levels: [], tables: [] })).toEqual([]);
    expect(allOffers({ ...look, offers })).toEqual(offers);
  });

  it('counts levels from the top but the last, and passes over what is between', () => {
    expect(spreadLevels(['domain', 'class'], 4)).toEqual(['domain', 'ignore', 'ignore', 'class']);
    expect(spreadLevels(['class'], 1)).toEqual(['class']);
    expect(levelOf('split', '')).toBe('split');
    expect(levelOf('attribute', ' scanner ')).toEqual({ attribute: 'scanner' });
  });

  it('keeps columns in their order, and a label of another kind what fits of it', () => {
    const names = ['image', 'dx', 'sex'];
    expect(toggled(['sex'], 'dx', names)).toEqual(['dx', 'sex']);
    expect(toggled(['dx', 'sex'], 'dx', names)).toEqual(['sex']);
    const label: TableColumns['label'] = { kind: 'class', column: 'dx' };
    const oneHot = withLabelKind(label, 'one-hot', names);
    expect(oneHot).toEqual({ kind: 'one-hot', columns: ['dx', 'image'] });
    expect(withLabelKind(oneHot, 'list', names)).toMatchObject({ column: 'dx', separator: '|' });
    const columns: TableColumns = { path: 'image', label, attributes: [] };
    expect(withRole(withRole(columns, 'group', 'sex'), 'group', '')).toEqual(columns);
  });
});

describe('what is dropped', () => {
  it.each([
    ['photos', 'data'],
    ['images.zip', 'data'],
    ['shard-000.tar', 'data'],
    ['instances_val2017.json', 'data'],
    ['pneumoniamnist.npz', 'data'],
    ['model.json', 'checkpoints'],
    ['resnet18.pth.tar', 'checkpoints'],
    ['net.safetensors', 'checkpoints'],
  ])('%s goes to %s', (name, page) => {
    expect(pageForDropped(name)).toBe(page);
  });
});
