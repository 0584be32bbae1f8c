import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatHash, parseHash, withQuery } from '../../../renderer/src/lib/route.ts';
import { filterFrom } from '../../../renderer/src/data/filter.ts';

describe('the address', () => {
  it('keeps any path part and any query value through a round trip', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 3 }),
        text,
        fc.array(text, { maxLength: 3 }),
        (parts, one, many) => {
          const route = parseHash(formatHash(parts, { one, many }));
          expect(route.parts).toEqual(parts);
          expect(route.query.get('one')).toBe(one);
          expect(route.query.getAll('many')).toEqual(many);
        },
      ),
    );
  });

  it('is the Data page when it is empty, and survives a broken escape', () => {
    expect(parseHash('').parts).toEqual(['data']);
    expect(parseHash('#/data/%E0%A4%A').parts).toEqual(['data', '%E0%A4%A']);
  });

  it('leaves out what is empty and removes what is set to null', () => {
    expect(formatHash(['compare'], { a: 'r1', b: '', i: 0, cell: null })).toBe(
      '#/compare?a=r1&i=0',
    );
    const route = parseHash('#/data/x?domain=line&domain=solid&i=3');
    expect(withQuery(route, { i: null })).toBe('#/data/x?domain=line&domain=solid');
    expect(withQuery(route, { domain: ['emoji'] })).toBe('#/data/x?domain=emoji&i=3');
  });

  it('describes a filter; a split counts only with its study, and only if it is one', () => {
    const filter = (query: string) => filterFrom(new URLSearchParams(query));
    expect(filter('domain=line&domain=solid&label=cat&q=fluent&i=4')).toEqual({
      domains: ['line', 'solid'],
      labels: ['cat'],
      text: 'fluent',
    });
    expect(filter('uncertain=Edema&tag=seen&given=test&given=odd&excluded=only')).toEqual({
      ...{ uncertain: ['Edema'], tags: ['seen'], given: ['test'], excluded: 'only' },
    });
    expect(filter('a.sex=F&a.sex=&a.view=PA&relabelled=1&ids=9.4-5&excluded=no')).toEqual({
      ...{ attributes: { sex: ['F', ''], view: ['PA'] }, relabelled: true, ids: [9, 4, 5] },
    });
    expect(filter('split=test')).toEqual({});
    expect(filter('study=s1&split=test')).toEqual({ studyId: 's1', split: 'test' });
    expect(filter('study=s1&split=valid')).toEqual({ studyId: 's1' });
  });
});
