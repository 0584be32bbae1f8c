import { expect, test } from 'vitest';
import { asText } from '../../host/csv.ts';

test('plain numbers stay numbers; what else begins like a formula is put behind an apostrophe', () => {
  for (const number of ['-0.30', '+1e-3', '-1', '-.5', '-2.', '+3E10', '12', 'a-1', '']) {
    expect(asText(number)).toBe(number);
  }
  for (const formula of ['=1', '@A1', '-1+2', '+1e', '-', '-.', '-A1', '--1', '-1\n', '\t-1']) {
    expect(asText(formula)).toBe(`'${formula}`);
  }
});
