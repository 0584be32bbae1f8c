import { describe, expect, test } from 'vitest';
import { RateMeter } from '../../host/jobs/rate.ts';

describe('RateMeter', () => {
  test('knows nothing from one reading, or without any change', () => {
    const meter = new RateMeter();
    expect(meter.update(0, 10, 1000)).toEqual({ rate: null, secondsLeft: null });
    expect(meter.update(0, 10, 9000)).toEqual({ rate: null, secondsLeft: null });
  });

  test('gives units per second and the seconds that remain', () => {
    const meter = new RateMeter();
    meter.update(0, 100, 0);
    expect(meter.update(20, 100, 4000)).toEqual({ rate: 5, secondsLeft: 16 });
    expect(meter.update(100, 100, 20_000).secondsLeft).toBe(0);
    expect(meter.update(101, null, 21_000).secondsLeft).toBeNull();
  });

  test('follows a change of speed after the window of ten seconds', () => {
    const meter = new RateMeter();
    let done = 0;
    for (let second = 0; second < 60; second++) meter.update((done += 100), null, second * 1000);
    for (let second = 60; second < 75; second++) meter.update((done += 1), null, second * 1000);
    expect(meter.update(done + 1, null, 75_000).rate).toBeCloseTo(1, 1);
  });

  test('counts slower than the window keep a rate', () => {
    const meter = new RateMeter();
    for (let i = 0; i < 5; i++) meter.update(i, 10, i * 30_000);
    expect(meter.update(5, 10, 150_000)).toEqual({ rate: 1 / 30, secondsLeft: 150 });
  });

  test('many readings a second weigh no more than few', () => {
    const meter = new RateMeter();
    for (let i = 0; i <= 100_000; i++) meter.update(i, null, i);
    expect(meter.update(100_001, null, 100_001).rate).toBeCloseTo(1000, 3);
  });

  test('a count that falls starts afresh', () => {
    const meter = new RateMeter();
    meter.update(50, 100, 0);
    meter.update(60, 100, 1000);
    expect(meter.update(0, 100, 2000)).toEqual({ rate: null, secondsLeft: null });
    expect(meter.update(4, 100, 4000)).toEqual({ rate: 2, secondsLeft: 48 });
  });
});
