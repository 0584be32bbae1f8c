import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

test('bench browse asks a real host for everything the window asks for', async () => {
  const args = [MAIN, 'browse', '--images', '3000', '--rounds', '2', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { results } = JSON.parse(stdout) as {
    results: {
      images: number;
      timings: { name: string; times: number[]; median: number; p95: number }[];
      thumbnails: { count: number; perSecond: number };
      memory: { rss: number; peak: number };
    }[];
  };
  expect(results).toHaveLength(1);
  const { images, timings, thumbnails, memory } = results[0]!;
  expect(images).toBe(3000);
  expect(timings.map(({ name }) => name)).toContain('counts of a new filter');
  for (const { name, times, median, p95 } of timings) {
    expect(Math.min(...times), name).toBeGreaterThan(0);
    expect(median, name).toBeLessThanOrEqual(p95);
  }
  expect(thumbnails.count).toBe(2000);
  expect(thumbnails.perSecond).toBeGreaterThan(0);
  expect(memory.peak).toBeGreaterThanOrEqual(memory.rss * 0.9);
}, 120_000);
