import { describe, expect, test } from 'vitest';
import type { Choice } from '../../bench/bench.ts';
import { STANDARD, chosen, median } from '../../bench/bench.ts';
import type { Competitor } from '../../bench/competitors.ts';
import { race, ratioTo } from '../../bench/competitors.ts';

const CHOICE: Choice = {
  ...{ image: 32, batch: 8, threads: 1, tfjs: false, sample: '' },
  device: 'cpu',
};

/** Somebody who takes the same time in every round; `log` says who was asked when. */
function runner(name: string, seconds: number, log: string[], more: Partial<Competitor> = {}) {
  const once = (): Promise<{ seconds: number; value: number }> => {
    log.push(name);
    return Promise.resolve({ seconds, value: 2 });
  };
  const close = (): Promise<void> => {
    log.push(`${name} closed`);
    return Promise.resolve();
  };
  return { name, version: '1', threads: 1, once, close, ...more };
}

test('the median lies between the middle two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

describe('a race', () => {
  test('asks everybody in turn, warms each turn up, and closes them', async () => {
    const log: string[] = [];
    const slow = runner('slow', 4, log, { rounds: 1 });
    const timings = await race([runner('ours', 0.5, log), slow], 2, 8);
    const turns = ['ours', 'slow', 'ours', 'ours', 'slow', 'slow', 'ours', 'ours'];
    expect(log).toEqual([...turns, 'ours closed', 'slow closed']);
    expect(timings.map(({ seconds }) => seconds)).toEqual([[0.5, 0.5], [4]]);
    expect(timings.map(({ imagesPerSecond }) => imagesPerSecond)).toEqual([16, 2]);
  });

  test('is refused where one does other work, and everybody is closed', async () => {
    const log: string[] = [];
    const other = runner('other', 1, log, {
      once: () => Promise.resolve({ seconds: 1, value: 2.01 }),
    });
    await expect(race([runner('ours', 1, log), other], 3, 8)).rejects.toThrow(
      'other gives 2.01, ours 2',
    );
    expect(log).toEqual(['ours', 'ours closed', 'other closed']);
  });

  test('is compared with the best of a kind, and with nobody where there is none', async () => {
    const torch = [1, 0.25].map((seconds, i) => runner(`pytorch ${i}`, seconds, []));
    const timings = await race([runner('ours', 0.5, []), ...torch], 1, 8);
    expect(ratioTo(timings, 'pytorch')).toBe(0.5);
    expect(ratioTo(timings, 'tfjs')).toBeNull();
  });
});

test('a named network replaces the standard set; rounds hold for either', () => {
  expect(chosen(CHOICE, STANDARD)).toEqual(STANDARD);
  expect(chosen({ ...CHOICE, rounds: 2 }, STANDARD).map(({ rounds }) => rounds)).toEqual(
    STANDARD.map(() => 2),
  );
  const [only, ...others] = chosen({ ...CHOICE, architecture: 'resnet18', width: 8 }, STANDARD);
  expect(others).toEqual([]);
  expect(only?.architecture).toMatchObject({
    name: 'resnet18',
    width: 8,
    stem: 'imagenet',
    image: 32,
  });
});
