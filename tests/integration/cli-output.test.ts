import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  formatProgress,
  formatTable,
  printable,
  progressLine,
} from '../../cli/output.ts';
import type { Progress } from '../../contract/jobs.ts';

const PROGRESS: Progress = {
  phase: 'hashing',
  done: 30,
  total: 120,
  unit: 'images',
  rate: 12.4,
  secondsLeft: 75,
};

/** A stream that remembers, as a terminal of that width or as a file. */
function stream(columns?: number) {
  const written: string[] = [];
  const target = new PassThrough() as unknown as NodeJS.WriteStream;
  target.on('data', (chunk: Buffer) => written.push(chunk.toString('utf8')));
  if (columns !== undefined) Object.assign(target, { isTTY: true, columns });
  return { target, written };
}

describe('formatTable', () => {
  test('aligns words left and numbers right under their headings', () => {
    const rows = [
      { name: 'emoji', images: 4260, kappa: null },
      { name: 'a data set 🐈', images: 7, kappa: 0.5 },
    ];
    const table = formatTable(rows, [
      { title: 'name', value: ({ name }) => name },
      { title: 'images', value: ({ images }) => images },
      { title: 'kappa', value: ({ kappa }) => kappa },
    ]);
    expect(table).toBe(
      [
        'name          images  kappa',
        'emoji           4260      -',
        'a data set 🐈       7    0.5',
        '',
      ].join('\n'),
    );
  });

  test('a name with control characters stays in its row and column', () => {
    const rows = [{ name: 'two\nlines\u001b[2J' }, { name: 'b' }];
    const table = formatTable(rows, [
      { title: 'a\tb', value: ({ name }) => name },
      { title: 'n', value: () => 1 },
    ]);
    expect(table).toBe(
      ['a\\tb               n', 'two\\nlines\\x1b[2J  1', 'b                  1', ''].join('\n'),
    );
  });

  test('without rows there is still the heading', () => {
    expect(formatTable([], [{ title: 'name', value: String }])).toBe('name\n');
  });
});

describe('printable', () => {
  test('lets no control character through to the terminal', () => {
    expect(printable('a\u001b[2Jb\u0007\u009bc\nd')).toBe('a?[2Jb??c\nd');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/(?!\n)\p{Cc}/u);
      }),
    );
  });
});

describe('progress', () => {
  test('shows phase, share, rate and time left as far as they are known', () => {
    expect(formatProgress(PROGRESS)).toBe('hashing  25 %  12 images/s  1 min 15 s left');
    const unknown = { ...PROGRESS, total: null, rate: null, secondsLeft: null };
    expect(formatProgress(unknown)).toBe('hashing  30 images');
    expect(formatProgress({ ...unknown, done: 0, total: 0 })).toBe('hashing  0 images');
    expect(formatProgress({ ...PROGRESS, done: 1199, total: 1200 })).toContain(' 99 %');
    expect([0, 59.4, 61, 3600, 7325].map(formatDuration)).toEqual([
      '0 s',
      '59 s',
      '1 min 1 s',
      '1 h 0 min',
      '2 h 2 min',
    ]);
  });

  test('a terminal gets one line that is rewritten and never wraps', () => {
    const { target, written } = stream(30);
    const line = progressLine(target);
    line.show(PROGRESS);
    line.show({ ...PROGRESS, phase: 'a phase with a very long description', done: 60 });
    line.end();
    line.end();
    const text = written.join('');
    expect(text.match(/\r/g)).toHaveLength(2);
    expect(text.match(/\n/g)).toHaveLength(1);
    for (const part of text.trimEnd().split('\r\u001b[2K')) expect(part.length).toBeLessThan(30);
  });

  test('a file gets a line per phase, not one per event', () => {
    const { target, written } = stream();
    const line = progressLine(target);
    for (let done = 0; done < 50; done++) line.show({ ...PROGRESS, done });
    line.show({ ...PROGRESS, phase: 'writing' });
    line.end();
    expect(written.map((text) => text.split('  ')[0])).toEqual(['hashing', 'writing']);
    expect(written.every((text) => text.endsWith('\n') && !text.includes('\r'))).toBe(true);
  });
});
