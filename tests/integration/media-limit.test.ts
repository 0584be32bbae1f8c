import { describe, expect, test } from 'vitest';
import { joined, limit } from '../../host/media/limit.ts';

/** A task that ends when it is told to. */
function gate(): { done: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const done = new Promise<void>((resolve) => (open = resolve));
  return { done, open };
}

describe('limit', () => {
  test('runs so many at a time, then the newest of those that wait', async () => {
    const inTurn = limit(2);
    const gates = Array.from({ length: 5 }, gate);
    const started: number[] = [];
    const all = gates.map(({ done }, i) =>
      inTurn(async () => {
        started.push(i);
        await done;
        return i;
      }),
    );
    expect(started).toEqual([0, 1]);
    gates[0]!.open();
    await all[0];
    await Promise.resolve();
    expect(started).toEqual([0, 1, 4]);
    for (const { open } of gates) open();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
    expect(started).toEqual([0, 1, 4, 3, 2]);
  });

  test('a task that fails gives its place back', async () => {
    const inTurn = limit(1);
    await expect(inTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await inTurn(() => Promise.resolve('next'))).toBe('next');
  });
});

describe('joined', () => {
  test('calls of one key while it is under way are one call', async () => {
    const once = joined<number>();
    const { done, open } = gate();
    let calls = 0;
    const work = async (): Promise<number> => {
      await done;
      return ++calls;
    };
    const asked = [once('a', work), once('a', work), once('b', work)];
    open();
    expect(await Promise.all(asked)).toEqual([1, 1, 2]);
    expect(await once('a', work)).toBe(3);
  });

  test('a failure reaches everyone who joined, and the next call tries again', async () => {
    const once = joined<string>();
    const fail = (): Promise<string> => Promise.reject(new Error('no'));
    const results = await Promise.allSettled([once('a', fail), once('a', fail)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await once('a', () => Promise.resolve('yes'))).toBe('yes');
  });
});
