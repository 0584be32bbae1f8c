import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import reference from '../reference/agreement.json' with { type: 'json' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carryover-agreement-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function carryover(...args: string[]) {
  const program = resolve('cli/carryover.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function csv(name: string, text: string | Uint8Array): string {
  writeFileSync(join(folder, name), text);
  return name;
}

/** The JSON answer for three files. */
function compared(a: string, b: string, truth: string, ...more: string[]) {
  const result = carryover('agreement', a, b, '--truth', truth, '--json', ...more);
  expect(result.stderr).toBe('');
  expect(result.status).toBe(0);
  return JSON.parse(result.stdout);
}

function failed(a: string, b: string, truth: string) {
  const result = carryover('agreement', a, b, '--truth', truth, '--json');
  expect(result.status).toBe(1);
  return JSON.parse(result.stdout).error;
}

const TRUTH = 'image,label\na.png,cat\nb.png,dog\nc.png,bird\nd.png,cat\n';

test('every row counts when line ends are mixed', () => {
  const rows = ['a.png,cat', 'b.png,dog', 'c.png,bird', 'd.png,cat'];
  csv('lf.csv', `image,label\r\n${rows.join('\n')}\n`);
  csv('crlf.csv', `image,prediction\n${rows.join('\r\n')}`);
  csv('mixed.csv', `image,prediction\r${rows[0]}\n${rows[1]}\r\n${rows[2]}\r${rows[3]}`);
  expect(compared('crlf.csv', 'mixed.csv', 'lf.csv')).toMatchObject({
    n: 4,
    accuracyA: 1,
    accuracyB: 1,
    unmatched: { total: 0 },
  });
  csv('twice.csv', 'image,prediction\r\na.png,cat\nb.png,dog\na.png,cat\n');
  expect(failed('twice.csv', 'crlf.csv', 'lf.csv')).toMatchObject({
    detail: { file: 'twice.csv', line: 4 },
  });
});

test('the numbers equal those of scikit-learn and SciPy on the same predictions', () => {
  const { truth, a, b, seed, ...expected } = reference.cases[1]!;
  const text = (column: string, values: number[]) =>
    [`image,${column}`, ...values.map((value, i) => `img ${i}.png,class ${value}`)].join('\n');
  // Rows in another order: the join is by name.
  const [header, ...rows] = text('prediction', b).split('\n');
  csv('T.csv', text('label', truth));
  csv('A.csv', text('prediction', a));
  csv('B.csv', [header, ...rows.reverse()].join('\n'));
  const result = compared('A.csv', 'B.csv', 'T.csv', '--seed', String(seed));
  for (const key of ['accuracyA', 'accuracyB', 'kappa', 'errorJaccard', 'mcnemarP'] as const) {
    expect(result[key]).toBeCloseTo(expected[key], 12);
  }
  expect(result.kappaInterval[0]).toBeCloseTo(expected.imageInterval[0]!, 10);
  expect(result.kappaInterval[1]).toBeCloseTo(expected.imageInterval[1]!, 10);
  expect(result.n).toBe(truth.length);
  expect(result.unmatched.total).toBe(0);
});

test('nobody errs', () => {
  csv('T.csv', TRUTH);
  const right = csv('R.csv', TRUTH.replace('label', 'prediction'));
  const result = compared(right, right, 'T.csv');
  expect(result).toMatchObject({ n: 4, bothRight: 4, kappa: 1, errorJaccard: null, mcnemarP: 1 });
});

describe('files as programs write them', () => {
  test('byte-order mark, CRLF, capitals, quoted names, a score, further columns, blank lines', () => {
    const bom = '\ufeff';
    csv('T.csv', `${bom}ID,Label,Image\r\n1,cat,"a, ""x"".png"\r\n2,dog,b ü.png\r\n`);
    csv('A.csv', 'IMAGE,PREDICTION,score\n"a, ""x"".png",cat,0.5\n\nb ü.png,cat,0.4\n');
    csv('B.csv', 'prediction, image\ncat,"a, ""x"".png"\ndog,b ü.png\n');
    const result = compared('A.csv', 'B.csv', 'T.csv');
    expect(result).toMatchObject({ n: 2, bothRight: 1, onlyBRight: 1, onlyARight: 0 });
  });

  test('names in either Unicode form are the same image; twice in a file they are refused', () => {
    const [one, other] = ['é.png'.normalize('NFC'), 'é.png'.normalize('NFD')];
    csv('T.csv', `image,label\n${one},cat\nb.png,dog\n`);
    csv('A.csv', `image,prediction\n${other},cat\nb.png,dog\n`);
    csv('B.csv', `image,prediction\n${one},cat\nb.png,dog\n`);
    expect(compared('A.csv', 'B.csv', 'T.csv')).toMatchObject({ n: 2, unmatched: { total: 0 } });
    csv('twice.csv', `image,prediction\n${one},cat\n${other},cat\n`);
    expect(failed('twice.csv', 'B.csv', 'T.csv')).toMatchObject({
      message: expect.stringContaining('was given already in line 2'),
      detail: { file: 'twice.csv', line: 3 },
    });
  });

  test('labels are text: 1, 01 and 1.0 differ', () => {
    csv('T.csv', 'image,label\na,1\nb,1\nc,1\n');
    csv('A.csv', 'image,prediction\na,1\nb,01\nc,01\n');
    csv('B.csv', 'image,prediction\na,1\nb,01\nc,1.0\n');
    const result = compared('A.csv', 'B.csv', 'T.csv');
    expect(result).toMatchObject({ bothRight: 1, bothWrongSame: 1, bothWrongDifferent: 1 });
  });
});

test('names that are not in all files are counted and listed, each once', () => {
  csv('T.csv', `${TRUTH}lonely.png,cat\n`);
  csv('A.csv', 'image,prediction\na.png,cat\nb.png,dog\nc.png,cat\nx.png,cat\nboth.png,cat\n');
  csv('B.csv', 'image,prediction\na.png,dog\nb.png,dog\nd.png,cat\ny.png,cat\nboth.png,cat\n');
  const { n, unmatched } = compared('A.csv', 'B.csv', 'T.csv');
  expect(n).toBe(2);
  expect(unmatched).toEqual({
    total: 6,
    counts: {
      onlyInA: 1,
      onlyInB: 1,
      onlyInTruth: 1,
      missingFromA: 1,
      missingFromB: 1,
      missingFromTruth: 1,
    },
    onlyInA: ['x.png'],
    onlyInB: ['y.png'],
    onlyInTruth: ['lonely.png'],
    missingFromA: ['d.png'],
    missingFromB: ['c.png'],
    missingFromTruth: ['both.png'],
  });
  const text = carryover('agreement', 'A.csv', 'B.csv', '--truth', 'T.csv').stdout;
  expect(text).toMatch(/Both right +1 +50\.0 %/);
  expect(text).toMatch(/Only B right +0 +0\.0 %/);
  for (const name of ['x.png', 'y.png', 'lonely.png', 'd.png', 'c.png', 'both.png']) {
    expect(text).toContain(`(1): ${name}`);
  }
});

test('the interval follows the seed', () => {
  const { truth, a, b } = reference.cases[2]!;
  const rows = (values: number[]) => values.map((value, i) => `${i},${value}`).join('\n');
  csv('T.csv', `image,label\n${rows(truth)}`);
  csv('A.csv', `image,prediction\n${rows(a)}`);
  csv('B.csv', `image,prediction\n${rows(b)}`);
  const interval = (...seed: string[]) =>
    compared('A.csv', 'B.csv', 'T.csv', ...seed).kappaInterval;
  expect(interval('--seed', '0')).toEqual(interval());
  expect(interval('--seed', '1')).not.toEqual(interval());
});

describe('refusals name the file, the line and what was found', () => {
  beforeAll(() => {
    csv('truth.csv', TRUTH);
    csv('good.csv', TRUTH.replace('label', 'prediction'));
  });

  test.each([
    ['no-column.csv', 'name,prediction\na.png,cat\n', 1, 'no column "image" (found: "name", "pre'],
    ['semicolon.csv', 'image;prediction\na.png;cat\n', 1, '"image;prediction"'],
    ['twice.csv', 'image,prediction\na.png,cat\nb.png,dog\na.png,dog\n', 4, '"a.png" was given'],
    ['short.csv', 'image,prediction\na.png,cat\nb.png\n', 3, 'no prediction (found: "b.png")'],
    ['unnamed.csv', 'image,prediction\r\n\r\n,cat\r\n', 3, 'no image (found: ",cat")'],
    ['empty.csv', '', 1, 'empty'],
    ['headed.csv', 'image,prediction\n', 2, 'no rows'],
    ['quote.csv', 'image,prediction\n"a.png,cat\n', 2, 'Quote'],
  ])('%s', (name, text, line, found) => {
    csv(name, text);
    const error = failed('good.csv', name, 'truth.csv');
    expect(error).toMatchObject({ code: 'bad-input', detail: { file: name, line } });
    expect(error.message).toContain(`${name}, line ${line}: `);
    expect(error.message).toContain(found);
    expect(error.detail.wayOut).toBeTruthy();
  });

  test('the truth file is read for labels', () => {
    const error = failed('good.csv', 'good.csv', 'good.csv');
    expect(error.message).toContain('no column "label"');
  });

  test('a file that is not there, one that is not text', () => {
    expect(failed('none.csv', 'good.csv', 'truth.csv')).toMatchObject({
      code: 'not-found',
      detail: { file: 'none.csv' },
    });
    csv('latin.csv', Buffer.from('image,prediction\na.png,K\xf6ln\n', 'latin1'));
    expect(failed('latin.csv', 'good.csv', 'truth.csv').message).toContain('not UTF-8');
  });

  test('predictions without any image of the truth', () => {
    csv('elsewhere.csv', 'image,prediction\nfolder/a.png,cat\n');
    const error = failed('good.csv', 'elsewhere.csv', 'truth.csv');
    expect(error.message).toContain('elsewhere.csv and truth.csv');
    expect(error.message).toContain('"folder/a.png" and "a.png"');
  });

  test.each(['nan', 'NaN', '-inf', 'Infinity'])('a prediction that is %s is no class', (value) => {
    csv('t.csv', TRUTH);
    csv('p.csv', 'image,prediction\na.png,cat\nb.png,dog\n');
    csv('broken.csv', `image,prediction\na.png,cat\nb.png,${value}\n`);
    for (const other of ['p.csv', 'broken.csv']) {
      expect(failed(other, 'broken.csv', 't.csv')).toMatchObject({
        code: 'bad-input',
        message: `broken.csv: the prediction of "b.png" is ${value}`,
        detail: { file: 'broken.csv', value },
      });
    }
    csv('named.csv', `image,label\na.png,cat\nb.png,${value}\n`);
    expect(compared('broken.csv', 'p.csv', 'named.csv')).toMatchObject({ n: 2, accuracyA: 1 });
  });

  test('two predictions without an image in common', () => {
    csv('first.csv', 'image,prediction\na.png,cat\n');
    csv('second.csv', 'image,prediction\nb.png,cat\n');
    expect(failed('first.csv', 'second.csv', 'truth.csv').message).toContain('second.csv');
  });

  test('in plain text: message and way out on stderr', () => {
    csv('no-truth.csv', 'image\na.png\n');
    const result = carryover('agreement', 'good.csv', 'good.csv', '--truth', 'no-truth.csv');
    expect(result.status).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/error: no-truth\.csv, line 1: no column "label".*\nway out: /);
  });

  test('a seed that is none', () => {
    const args = ['good.csv', 'good.csv', '--truth', 'truth.csv', '--seed', '-1'];
    expect(carryover('agreement', ...args)).toMatchObject({ status: 2 });
  });
});
