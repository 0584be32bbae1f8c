import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { toYaml, type YamlValue } from '../../../renderer/src/lib/yaml.ts';

describe('YAML text', () => {
  it('is read back by a YAML 1.2 parser as what it was, whatever that is', () => {
    const { value } = fc.letrec<{ value: YamlValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('true', 'null', '12', '1e3', '~', '- a', 'a: b', '# no', ' ', 'No', '@x'),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((key) => key !== '__proto__' && key !== '<<'),
          tie('value'),
          { maxKeys: 4, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(fc.array(value), (list) => {
        expect(parse(toYaml({ list }))).toEqual({ list });
      }),
    );
  });

  it('is laid out for people', () => {
    const text = toYaml({
      name: 'duotone after line and solid',
      data: { set: 'icon-domains', split: { train: 0.65, test: 0.35 } },
      seeds: [0, 1],
      background: '#ffffff',
    });
    expect(text).toBe(
      [
        'name: duotone after line and solid',
        'data: { set: icon-domains, split: { train: 0.65, test: 0.35 } }',
        'seeds: [0, 1]',
        'background: "#ffffff"',
        '',
      ].join('\n'),
    );
  });
});
