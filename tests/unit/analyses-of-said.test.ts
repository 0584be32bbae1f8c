/** What analyses measure of logits, on drawn ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { agreement } from '../../engine/analysis/agreement.ts';
import { aucPerFinding, meanAuc } from '../../engine/analysis/auc.ts';
import { accuracy, argmaxRows } from '../../engine/analysis/metrics.ts';
import { RandomState } from '../../engine/random/random-state.ts';
import { maskedTargets, type FindingTarget } from '../../engine/train/uncertain.ts';
import { measure as measureBias } from '../../host/studies/analyses/bias/measure.ts';
import { measure as measureForgetting } from '../../host/studies/analyses/forgetting/measure.ts';
import type { Lab } from '../../host/studies/analyses/lab.ts';
import { measure as measureMetrics } from '../../host/studies/analyses/metrics/measure.ts';
import { measure as measureMistakes } from '../../host/studies/analyses/mistakes/measure.ts';
import { measure as measureGap } from '../../host/studies/analyses/negative-transfer/measure.ts';
import type { SaidRef } from '../../host/studies/analyses/said.ts';

const IMAGES = 40;
const CLASSES = 3;
const folder = mkdtempSync(join(tmpdir(), 'carryover-said-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = new RandomState(7);
const LABELS = Array.from({ length: IMAGES }, () => random.randint(0, CLASSES));
const FINDINGS = Array.from({ length: IMAGES }, () =>
  Array.from(
    { length: CLASSES },
    (): FindingTarget => ([0, 1, null] as const)[random.randint(0, 3)]!,
  ),
);
const GROUPS = Array.from({ length: IMAGES }, (_, at) => at >> 1);

/** Two runs of each arm; the pretrained ones are better. */
const RUNS = [
  ...[0, 1].map((seed) => ({ arm: 'P-T', seed, skill: 2 })),
  ...[0, 1].map((seed) => ({ arm: 'RI-T', seed, skill: 0.7 })),
].map(({ arm, seed, skill }) => {
  const logits = new Float32Array(IMAGES * CLASSES).map((_, at) => {
    const [image, c] = [Math.floor(at / CLASSES), at % CLASSES];
    return random.normal() + (LABELS[image] === c ? skill : 0);
  });
  const run = `${arm} ${seed}`;
  const file = join(folder, `${run.replace(' ', '-')}.f32`);
  writeFileSync(file, new Uint8Array(logits.buffer));
  const ref: SaidRef = { run, arm, seed, test: file, train: file };
  return { ref, logits, predicted: argmaxRows(logits, CLASSES) };
});
const refs = RUNS.map(({ ref }) => ref);
const PAIRS: [number, number][] = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
];

function labOf(findings: FindingTarget[][] | null): Lab {
  const items = {
    imageIds: LABELS.map((_, at) => at),
    labels: findings ? [] : LABELS,
    ...(findings && { findings }),
  };
  return {
    job: () => ({ classNames: ['a', 'b', 'c'], train: items, test: items }),
    file: (_: string, name: string) => name,
    memo: <T>(_: string, compute: () => Promise<T>) => compute(),
    tell: () => undefined,
  } as unknown as Lab;
}

const truth = Int32Array.from(LABELS);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const accuracies = RUNS.map(({ predicted }) => accuracy(truth, predicted));

test('metrics of classes', async () => {
  const job = { runs: refs, pairs: [[0, 2]] as [number, number][], groups: GROUPS };
  const found = await measureMetrics({ ...job, bins: 5, replicates: 200 }, labOf(null));
  found.runs.forEach((run, at) => {
    expect(run.accuracy!.value).toBeCloseTo(accuracies[at]!, 12);
    expect(run.accuracy!.interval![0]).toBeLessThan(accuracies[at]!);
    expect(run.accuracy!.interval![1]).toBeGreaterThan(accuracies[at]!);
    expect(run.confusion!.reduce((a, b) => a + b, 0)).toBe(IMAGES);
    expect(run.bins.reduce((sum, { images }) => sum + images, 0)).toBe(IMAGES);
    expect(run.auc.value).toBeCloseTo(mean(run.areas.map(({ value }) => value!)), 12);
  });
  const [first, second] = [found.runs[0]!, found.runs[2]!];
  found.pairs[0]!.forEach((pair, c) => {
    const expected = first.areas[c]!.value! - second.areas[c]!.value!;
    expect(pair!.difference).toBeCloseTo(expected, 12);
  });
});

test('metrics of findings', async () => {
  const job = { runs: refs, pairs: [], groups: null, bins: 5, replicates: 100 };
  const { runs } = await measureMetrics(job, labOf(FINDINGS));
  const masked = maskedTargets(FINDINGS, CLASSES);
  runs.forEach((run, at) => {
    const areas = aucPerFinding({ scores: RUNS[at]!.logits, ...masked }, CLASSES);
    run.areas.forEach(({ value }, c) => expect(value).toBeCloseTo(areas[c]!, 12));
    expect(run.accuracy).toBeNull();
    const known = masked.mask.reduce((sum, each) => sum + each, 0);
    expect(run.bins.reduce((sum, { images }) => sum + images, 0)).toBe(known);
  });
});

test('mistakes of classes, and how ambiguous their images are', async () => {
  const contrasts = [{ pretrained: 'P-T', random: 'RI-T' }];
  const job = { runs: refs, pairs: PAIRS, contrasts, groups: GROUPS, replicates: 200 };
  const found = await measureMistakes({ ...job, falsePositiveRate: 0.1, wall: 4 }, labOf(null));
  PAIRS.forEach(([a, b], at) => {
    const expected = agreement({
      truth,
      a: RUNS[a]!.predicted,
      b: RUNS[b]!.predicted,
      bootstrap: { replicates: 100 },
    });
    const pair = found.pairs[at]!;
    expect(pair.kappa).toBeCloseTo(expected.kappa, 12);
    expect(pair.common).toBeCloseTo(expected.commonMistakes / IMAGES, 12);
    expect(pair.onlyA).toBeCloseTo(expected.onlyBRight / IMAGES, 12);
    expect(pair.onlyB).toBeCloseTo(expected.onlyARight / IMAGES, 12);
    expect(pair.jaccard).toBeCloseTo(expected.errorJaccard!, 12);
    const parts = pair.parts.reduce((sum, part) => sum + part!.common * part!.images, 0);
    expect(parts / IMAGES).toBeCloseTo(pair.common, 12);
    expect(found.kappa[b]![a]).toBe(pair.kappa);
  });
  expect(found.order.toSorted()).toEqual([0, 1, 2, 3]);
  const [ambiguity] = found.ambiguity;
  const { means, difference } = ambiguity!.entropy;
  expect(difference.value).toBeCloseTo(
    means['only-pretrained-wrong'].value! - means['only-random-wrong'].value!,
    12,
  );
  const mixed = PAIRS.filter(([a, b]) => a < 2 && b >= 2).map((pair) => PAIRS.indexOf(pair));
  const onlyFirst = mixed.reduce((sum, at) => sum + Math.round(found.pairs[at]!.onlyA * IMAGES), 0);
  expect(ambiguity!.counts['only-pretrained-wrong']).toBe(onlyFirst);
  expect(ambiguity!.circular).toBe(false);
  for (const { pictures } of ambiguity!.walls) {
    for (const { row, pretrained, random: other } of pictures) {
      const right = [pretrained.label === LABELS[row], other.label === LABELS[row]];
      expect(right.filter(Boolean)).toHaveLength(1);
    }
  }
});

test('mistakes of findings are at the operating point of the training side', async () => {
  const job = { runs: refs, pairs: PAIRS, contrasts: [], groups: null, replicates: 100, wall: 0 };
  const found = await measureMistakes({ ...job, falsePositiveRate: 0.2 }, labOf(FINDINGS));
  expect(found.ambiguity).toEqual([]);
  const part = found.pairs[0]!.parts[0]!;
  // Training and test are the same here: at most one in five negatives is called.
  const known = FINDINGS.flatMap(([target], at) => (target === null ? [] : [{ target, at }]));
  expect(part.images).toBe(known.length);
  const negatives = known.filter(({ target }) => target === 0);
  const positives = known.length - negatives.length;
  const errors = (part.common + part.onlyA) * part.images;
  expect(errors).toBeLessThanOrEqual(Math.floor(0.2 * negatives.length) + positives + 1e-9);
  expect(found.pairs[0]!.kappa).toBeCloseTo(
    mean(found.pairs[0]!.parts.map((each) => each!.kappa)),
    12,
  );
});

test('the gap of errors, whole and by class', async () => {
  const contrasts: [number, number][][] = [
    [
      [0, 2],
      [1, 3],
    ],
  ];
  const job = { runs: refs, contrasts, groups: GROUPS, replicates: 200 };
  const { gaps } = await measureGap(job, labOf(null));
  const [p, r] = [mean(accuracies.slice(0, 2)), mean(accuracies.slice(2))];
  const { whole, classes } = gaps[0]!;
  expect(whole.value).toBeCloseTo(r - p, 12);
  expect(whole.interval![0]).toBeLessThan(whole.value!);
  const sum = classes.reduce((all, { value, images }) => all + value! * images, 0);
  expect(sum / IMAGES).toBeCloseTo(r - p, 12);
  const ofFindings = await measureGap(job, labOf(FINDINGS));
  expect(Math.abs(ofFindings.gaps[0]!.whole.value!)).toBeLessThanOrEqual(1);
});

test('subgroups add up to the whole; the gap is to the others', async () => {
  const half = (odd: number) => LABELS.map((_, at) => at).filter((at) => at % 2 === odd);
  const job = {
    runs: refs,
    subgroups: [0, 1].map((odd) => ({ attribute: 'x', value: `${odd}`, positions: half(odd) })),
    arms: [
      { arm: 'P-T', runs: [0, 1] },
      { arm: 'RI-T', runs: [2, 3] },
    ],
    contrasts: [[0, 1]] as [number, number][],
    groups: null,
    replicates: 200,
  };
  const { subgroups } = await measureBias(job, labOf(null));
  const [even, odd] = subgroups;
  const scores = [even!, odd!].map(({ arms }) => arms.map(({ score }) => score.value!));
  expect(mean(scores.map(([first]) => first!))).toBeCloseTo(mean(accuracies.slice(0, 2)), 12);
  expect(even!.arms[0]!.gap.value).toBeCloseTo(scores[0]![0]! - scores[1]![0]!, 12);
  const gains = scores.map(([p, r]) => p! - r!);
  expect(even!.contrasts[0]!.gain.value).toBeCloseTo(gains[0]!, 12);
  expect(even!.contrasts[0]!.gainGap.value).toBeCloseTo(gains[0]! - gains[1]!, 12);
  const at = half(0);
  const kappas = [0, 1].map(
    (seed) =>
      agreement({
        truth: Int32Array.from(at, (i) => truth[i]!),
        a: Int32Array.from(at, (i) => RUNS[seed]!.predicted[i]!),
        b: Int32Array.from(at, (i) => RUNS[seed + 2]!.predicted[i]!),
        bootstrap: { replicates: 100 },
      }).kappa,
  );
  expect(even!.contrasts[0]!.agreement.value).toBeCloseTo(mean(kappas), 12);

  const found = await measureBias(job, labOf(FINDINGS));
  const rows = half(0).map((i) => FINDINGS[i]!);
  const expected = [0, 1].map((run) => {
    const logits = half(0).flatMap((i) => [...RUNS[run]!.logits.slice(3 * i, 3 * i + 3)]);
    const scored = { scores: Float32Array.from(logits), ...maskedTargets(rows, CLASSES) };
    return meanAuc(aucPerFinding(scored, CLASSES))!;
  });
  // Areas there are of probabilities, which could tie where logits do not.
  expect(found.subgroups[0]!.arms[0]!.score.value).toBeCloseTo(mean(expected), 10);
});

test('forgetting puts the old head on the new body', async () => {
  const weights = {
    source: new Map([
      ['body', Float32Array.from([1])],
      ['fc', Float32Array.from([10])],
    ]),
    tuned: new Map([
      ['body', Float32Array.from([2])],
      ['fc', Float32Array.from([20])],
    ]),
  };
  const asked: number[][] = [];
  const lab = {
    ...labOf(null),
    weights: ({ run }: { run: string }) => Promise.resolve(weights[run as 'source' | 'tuned']),
    parameters: () => [
      { name: 'body', stage: 'stem' },
      { name: 'fc', stage: 'head' },
    ],
    evaluate: (given: Map<string, Float32Array>) => {
      asked.push([...given.values()].map((values) => values[0]!));
      const run = RUNS[given.get('body')![0] === 1 ? 0 : 2]!;
      const share = accuracy(truth, run.predicted);
      return Promise.resolve({ logits: run.logits, accuracy: share, auc: null, loss: 1 });
    },
  } as unknown as Lab;
  const source = {
    network: { run: 'source', epoch: 2 },
    images: { run: 'source', split: 'test' as const },
    groups: GROUPS,
    tuned: [{ arm: 'P-T', seed: 0, network: { run: 'tuned', epoch: 3 } }],
  };
  const [found] = await measureForgetting({ sources: [source], replicates: 200 }, lab);
  expect(asked).toEqual([
    [1, 10],
    [2, 10],
  ]);
  const { before, after, perClass } = found!;
  expect(after[0]!.difference.value).toBeCloseTo(accuracies[2]! - accuracies[0]!, 12);
  const sum = before.classes.reduce<number>((all, share, c) => all + share! * perClass![c]!, 0);
  expect(sum / IMAGES).toBeCloseTo(accuracies[0]!, 12);
});
