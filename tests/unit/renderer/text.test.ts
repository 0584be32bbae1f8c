import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armVariable } from '../../../renderer/src/lib/arms.ts';
import { toCsv } from '../../../renderer/src/lib/csv.ts';
import { fileName } from '../../../renderer/src/lib/file-name.ts';
import * as format from '../../../renderer/src/lib/format.ts';
import { progressText } from '../../../renderer/src/lib/progress.ts';
import { blockSizes, nearestBlock } from '../../../renderer/src/lib/shuffle.ts';

describe('numbers for people', () => {
  it('have one minus sign and no negative zero', () => {
    expect(format.fixed(-0.0094, 3)).toBe('−0.009');
    expect(format.fixed(-0.0001, 3)).toBe('0.000');
    expect(format.fixed(null)).toBe('–');
    expect(format.percent(0.7131)).toBe('71.3 %');
    expect(format.percent(null)).toBe('–');
    expect(format.pValue(0.0004)).toBe('< 0.001');
    expect(format.counted(1, 'image')).toBe('1 image');
    expect(format.counted(12345, 'image')).toBe('12,345 images');
  });

  it('give bytes and durations the unit that fits', () => {
    expect([0, 999, 1700, 17_000_000, 2.5e12].map(format.bytes)).toEqual([
      ...['0 B', '999 B', '1.7 kB', '17.0 MB', '2.5 TB'],
    ]);
    expect([-1, 45, 185, 7800].map(format.duration)).toEqual([
      ...['0 s', '45 s', '3 min 05 s', '2 h 10 min'],
    ]);
  });

  it('tell progress as far as it is known', () => {
    const progress = { phase: '', done: 1200, total: 9000, unit: 'images', rate: 340.4 };
    expect(progressText({ ...progress, secondsLeft: 23 })).toBe(
      '1,200 of 9,000 images · 340 images/s · 23 s left',
    );
    expect(progressText({ ...progress, total: null, rate: null, secondsLeft: null })).toBe(
      '1,200 images',
    );
  });
});

describe('CSV', () => {
  it('is read back as it was, commas, quotes and line breaks included', () => {
    const cell = fc
      .string({
        unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r', "'", ' ', '=', '图'),
        maxLength: 8,
      })
      .filter((text) => !/^[=+\-@\t\r]/.test(text));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, fc.integer()), { minLength: 1, maxLength: 5 }),
        (rows) => {
          const back = parse(toCsv(['name', 'n'], rows), { bom: false }) as string[][];
          expect(back.slice(1)).toEqual(rows.map(([name, n]) => [name, String(n)]));
        },
      ),
    );
  });

  it('keeps a path from becoming a formula, and numbers numbers', () => {
    expect(toCsv(['a', 'b', 'c'], [['=1+1', -2, null]])).toBe("a,b,c\r\n'=1+1,-2,\r\n");
  });
});

describe('names', () => {
  it('of files hold only what every file system takes', () => {
    expect(fileName('a study: "x/y"', 'runs')).toBe('a-study-x-y-runs');
    expect(fileName('图标', 'runs')).toBe('图标-runs');
  });

  it('of arms always get the same colour', () => {
    expect(armVariable('P-T')).toBe('--arm-pt');
    expect(armVariable('RI-T')).toBe('--arm-rit');
    expect(armVariable('mine')).toBe(armVariable('mine'));
    expect(armVariable('mine')).toMatch(/^--arm-[3-6]$/);
  });
});

describe('block sizes', () => {
  it('are the divisors, large to small', () => {
    expect(blockSizes(48)).toEqual([48, 24, 16, 12, 8, 6, 4, 3, 2, 1]);
    expect(nearestBlock(96, 16)).toBe(16);
    expect(nearestBlock(32, 12)).toBe(16);
  });
});
