import { describe, expect, it } from 'vitest';
import type { Quantity } from '../../contract/figures.ts';
import { claimSchema } from '../../contract/study-analyses.ts';
import { judge } from '../../host/studies/analyses/claims.ts';

const quantity = (interval: [number, number] | null, value: number | null = 0.5): Quantity => {
  return { key: 'q', title: 'q', value, interval, method: 't', n: 3, unit: '' };
};
const verdict = (rule: object, measured: Quantity[]) =>
  judge({ claim: 'c', quantity: 'q', ...rule }, measured).verdict;

describe('a claim', () => {
  it.each([
    [{ above: 0 }, [0.1, 0.9], 'holds'],
    [{ above: 0.1 }, [0.1, 0.9], 'undecided'],
    [{ above: 0 }, [-0.1, 0.9], 'undecided'],
    [{ above: 0 }, [-0.9, 0], 'does not hold'],
    [{ below: 1 }, [0.1, 0.9], 'holds'],
    [{ below: 0.5 }, [0.6, 0.9], 'does not hold'],
    [{ above: 0, below: 0.8 }, [0.1, 0.9], 'undecided'],
    [{ above: 0, below: 1 }, [0.1, 0.9], 'holds'],
  ] as const)('with %j and the interval %j %s', (rule, [low, high], expected) => {
    expect(verdict(rule, [quantity([low, high])])).toBe(expected);
  });

  it('is undecided without a number, an interval or a measurement', () => {
    expect(verdict({ above: 0 }, [quantity(null)])).toBe('undecided');
    expect(verdict({ above: 0 }, [quantity(null, null)])).toBe('undecided');
    expect(verdict({ above: 0 }, [])).toBe('undecided');
  });

  it('has a bound', () => {
    expect(claimSchema.safeParse({ claim: 'c', quantity: 'q' }).success).toBe(false);
    expect(claimSchema.safeParse({ claim: 'c', quantity: 'q', above: 1 }).success).toBe(true);
  });
});
